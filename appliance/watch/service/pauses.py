"""Why no job may start now. Pure: clocks and measurements are passed in.

Each cause comes and goes by itself; only what somebody asked for must be taken back by somebody.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

Cause = Literal["asked", "inbox", "folders", "space", "disk", "journal", "engine"]
"""``asked`` by somebody; the ``inbox`` or the ``folders`` of results are not there; too little ``space``;
results (``disk``) or ``journal`` cannot be written; the ``engine`` does not run."""

_LONGEST_WAIT_S = 300.0


@dataclass(slots=True)
class Pauses:
    """The causes that stand now, with sentences. ``on_change`` is told the whole, before and after."""

    on_change: Callable[[str | None, str | None], None] = lambda before, after: None
    first_wait_s: float = 5.0
    _standing: dict[Cause, str] = field(default_factory=dict)
    _until_s: dict[Cause, float] = field(default_factory=dict)
    _waits: dict[Cause, int] = field(default_factory=dict)

    @property
    def reason(self) -> str | None:
        """All sentences together; None while work may go on."""
        return " ".join(self._standing[cause] for cause in sorted(self._standing)) or None

    def stands(self, *causes: Cause) -> bool:
        """Whether one of the causes stands."""
        return any(cause in self._standing for cause in causes)

    def set(self, cause: Cause, sentence: str | None) -> None:
        """A cause as it is now; None ends it."""
        before = self.reason
        if sentence is None:
            self._standing.pop(cause, None)
            self._until_s.pop(cause, None)
        else:
            self._standing[cause] = sentence
        if self.reason != before:
            self.on_change(before, self.reason)

    def set_for_a_while(self, cause: Cause, sentence: str, now_s: float) -> None:
        """A cause that can only be tested by trying again: soon, then later, at most every 5 minutes."""
        if cause not in self._until_s:
            waits = self._waits.get(cause, 0)
            self._waits[cause] = min(waits + 1, 10)
            self._until_s[cause] = now_s + min(self.first_wait_s * 2.0**waits, _LONGEST_WAIT_S)
        self.set(cause, sentence)

    def worked(self, cause: Cause) -> None:
        """What failed has succeeded: the next failure waits shortly again."""
        self._waits.pop(cause, None)
        self.set(cause, None)

    def tend(self, now_s: float) -> None:
        """Ends the causes whose time is over, so that the work is tried again."""
        for cause in [cause for cause, until_s in self._until_s.items() if now_s >= until_s]:
            self.set(cause, None)

    def free_space(self, free_bytes: int, least_bytes: int, resume_bytes: int) -> None:
        """Space of the outbox: under ``least_bytes`` the work pauses, from ``resume_bytes`` it goes on."""
        if free_bytes < least_bytes or (self.stands("space") and free_bytes < resume_bytes):
            self.set(
                "space",
                f"The outbox has {free_bytes >> 20:,} MB free; the work goes on from "
                f"{max(least_bytes, resume_bytes) >> 20:,} MB.",
            )
        else:
            self.set("space", None)
