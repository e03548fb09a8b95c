"""The reasons why no job may start now: a pure state object; clock and measurements are passed in.

Each cause ends by itself, except for a pause that a user asked for.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

Cause = Literal["asked", "inbox", "folders", "space", "disk", "journal", "engine"]
"""``asked``: by ``backline pause``; ``inbox``, ``folders``: inbox, or outbox, archive or rejected, is not
mounted; ``space``: the outbox is full; ``disk``, ``journal``: results, or the journal, cannot be written;
``engine``: it does not run."""

_LONGEST_WAIT_S = 300.0


@dataclass(slots=True)
class Pauses:
    """The active causes, each with a sentence. ``on_change`` gets the old and the new :attr:`reason`."""

    on_change: Callable[[str | None, str | None], None] = lambda before, after: None
    first_wait_s: float = 5.0
    _active: dict[Cause, str] = field(default_factory=dict)
    _until_s: dict[Cause, float] = field(default_factory=dict)
    _waits: dict[Cause, int] = field(default_factory=dict)

    @property
    def reason(self) -> str | None:
        """All sentences, joined; None if jobs may start."""
        return " ".join(self._active[cause] for cause in sorted(self._active)) or None

    def active(self, *causes: Cause) -> bool:
        """Whether one of the causes is active."""
        return any(cause in self._active for cause in causes)

    def set(self, cause: Cause, sentence: str | None) -> None:
        """Set the sentence of a cause; None ends the cause."""
        before = self.reason
        if sentence is None:
            self._active.pop(cause, None)
            self._until_s.pop(cause, None)
        else:
            self._active[cause] = sentence
        if self.reason != before:
            self.on_change(before, self.reason)

    def set_until_retry(self, cause: Cause, sentence: str, now_s: float) -> None:
        """Set a cause that only a retry can test. It ends by itself; the wait doubles, up to 5 minutes."""
        if cause not in self._until_s:
            waits = self._waits.get(cause, 0)
            self._waits[cause] = min(waits + 1, 10)
            self._until_s[cause] = now_s + min(self.first_wait_s * 2.0**waits, _LONGEST_WAIT_S)
        self.set(cause, sentence)

    def succeeded(self, cause: Cause) -> None:
        """End a cause after a success: the next wait is short again."""
        self._waits.pop(cause, None)
        self.set(cause, None)

    def expire(self, now_s: float) -> None:
        """End the causes whose wait is over, so that the work is retried."""
        for cause in [cause for cause, until_s in self._until_s.items() if now_s >= until_s]:
            self.set(cause, None)

    def free_space(self, free_bytes: int, least_bytes: int, resume_bytes: int) -> None:
        """Pause the work below ``least_bytes`` of free space in the outbox; resume at ``resume_bytes``."""
        if free_bytes < least_bytes or (self.active("space") and free_bytes < resume_bytes):
            self.set(
                "space",
                f"The outbox has {free_bytes >> 20:,} MB free; the work resumes at "
                f"{max(least_bytes, resume_bytes) >> 20:,} MB.",
            )
        else:
            self.set("space", None)
