"""The daemon at one moment, for systemd, Prometheus and whoever asks.

One record serves all, so that they never disagree.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

DaemonState = Literal["starting", "idle", "working", "paused", "stopping"]

MOST_HELD = 50
"""So many files that are not taken are named with their reasons; the rest is counted."""


@dataclass(frozen=True, slots=True)
class Running:
    """The job at work. Times in seconds; ``left_s`` is None while it cannot be told."""

    job: int
    name: str
    progress: float
    elapsed_s: float
    left_s: float | None
    duration_s: float | None
    attempt: int


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything that can be said at one moment. Names are escaped already."""

    version: str
    state: DaemonState
    paused: str | None
    """Why no job starts; None while jobs may."""
    pack: dict[str, str] | None
    """``name``, ``version``, ``sha256``, and the hash of the ``profile`` that is followed ('' without one).
    None until the engine is ready."""
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
    """Jobs by state, over the journal's whole life."""
    rejected_count: int
    """Rejected and quarantined together."""
    trouble: str
    """What cannot be put away or waits for something, and why; empty where all is well."""
    engine_pid: int
    engine_starts: int
    engine_deaths: int
    tuned: float = 1.0
    """Share of the measuring of this processor that is done; 1 where nothing is to be measured."""
    pack_trouble: str = ""
    """Why another pack plays than the one that the settings name; empty where it is that one."""

    def to_json(self) -> dict[str, Any]:
        """As the control socket and ``status --json`` give it: ``rejected_count`` is called ``rejected``."""
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
            tuning = f", measuring what is fastest here ({self.tuned:.0%})" if self.tuned < 1.0 else ""
            words.append(f"Idle{tuning}.")
        words.append(
            f"{self.waiting} waiting, {self.counts.get('done', 0)} done, {self.rejected_count} rejected."
        )
        return " ".join(words)
