"""The daemon's status at one moment, for systemd, Prometheus and ``backline status``.

One record serves all three, so that they agree.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

DaemonState = Literal["starting", "idle", "working", "paused", "stopping"]

MAX_NAMED = 50
"""Number of files of each list that are named with their reasons; further ones are only counted."""


@dataclass(frozen=True, slots=True)
class Running:
    """The running job. ``left_s`` is None without an estimate; ``duration_s`` is the length of the audio."""

    job: int
    name: str
    progress: float
    elapsed_s: float
    left_s: float | None
    duration_s: float | None
    attempt: int


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The status, with all names escaped. ``held`` says why files in the inbox are not queued yet."""

    version: str
    state: DaemonState
    paused: str | None
    """Why no job starts; None if jobs may start."""
    pack: dict[str, str] | None
    """``name``, ``version``, ``sha256``, and the hash of the ``profile`` in use ('' without one). None until
    the engine is ready."""
    waiting: int
    settling: int
    queue_limit: int
    oldest_waiting_s: float | None
    running: Running | None
    scan_age_s: float | None
    scan_seconds: float
    inbox_there: bool
    scan_troubles: int
    held: dict[str, str]
    held_count: int
    free_mb: int | None
    counts: dict[str, int]
    """Number of jobs in the journal by state."""
    rejected_count: int
    """Rejected and quarantined jobs together."""
    trouble: str
    """The first of ``troubles`` as a sentence; '' if there is none."""
    engine_pid: int
    engine_starts: int
    engine_deaths: int
    tuned: float = 1.0
    """Progress of tuning for this CPU, 0 to 1; 1 if nothing is to be measured."""
    pack_trouble: str = ""
    """Why the engine uses another pack than the settings name; '' if it does not."""
    troubles: dict[str, str] = field(default_factory=dict)
    """What had to be retried or failed, by vocal or setting, and why. A trouble stays until it is over."""
    trouble_count: int = 0
    unread: dict[str, str] = field(default_factory=dict)
    """Folders and files of the inbox that cannot be read, and why; ``scan_troubles`` counts them."""
    ignored: dict[str, str] = field(default_factory=dict)
    """Links, pipes and devices in the inbox, which are never touched."""
    ignored_count: int = 0
    unused: dict[str, str] = field(default_factory=dict)
    """Sidecars, charts and done markers that no vocal is rendered with, and why."""
    unused_count: int = 0
    left: dict[str, int] = field(default_factory=dict)
    """Number of other files in the inbox by kind."""

    def to_json(self) -> dict[str, Any]:
        """The status for the control socket and ``status --json``, where ``rejected`` is the count."""
        facts = asdict(self)
        facts["rejected"] = facts.pop("rejected_count")
        return facts

    @property
    def sentence(self) -> str:
        """One line for ``systemctl status``."""
        if self.state == "starting":
            return "Loading the pack."
        if self.state == "stopping":
            return "Stopping." if self.running is None else f"Finishing {self.running.name}, then stopping."
        words = [] if self.paused is None else [f"Paused: {self.paused}"]
        if self.pack_trouble:
            words.append(f"Wrong pack: {self.pack_trouble}")
        if self.running is not None:
            left_s = self.running.left_s
            left = "" if left_s is None else f", {left_s:.0f} s left"
            words.append(f"Rendering {self.running.name} ({self.running.progress:.0%}{left}).")
        elif self.paused is None:
            tuning = f", tuning for this CPU ({self.tuned:.0%})" if self.tuned < 1.0 else ""
            words.append(f"Idle{tuning}.")
        words.append(
            f"{self.waiting} waiting, {self.counts.get('done', 0)} done, {self.rejected_count} rejected."
        )
        if self.trouble_count:
            words.append(f"{self.trouble_count} in trouble, see 'backline status'.")
        return " ".join(words)
