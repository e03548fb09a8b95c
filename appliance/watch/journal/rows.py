"""What a row of the journal says: jobs and transitions, as records."""

from __future__ import annotations

import sqlite3
from typing import Any, NamedTuple

from appliance.watch.disk.found import FoundFile, shown
from appliance.watch.journal.states import JobState


class Job(NamedTuple):
    """One vocal on its way. ``*_s`` are unix seconds; paths are bytes relative to inbox and outbox."""

    id: int
    relpath: bytes
    dev: int
    inode: int
    size: int
    mtime_ns: int
    content_sha256: str
    key: str
    settings: str
    """Canonical JSON of :class:`appliance.composing.wishes.Wishes`."""
    pack_sha256: str
    state: JobState
    verdict: str
    """Of a job in ``rejecting``: the state that follows, ``rejected`` or ``quarantined``."""
    reason: str
    """Why it is in its state; for a musician where it was rejected."""
    attempts: int
    """How often it was started since it was queued."""
    worker_deaths: int
    interruptions: int
    next_try_s: float
    place: int
    wanted: bytes
    name: bytes
    """Folder of its result, relative to the outbox."""
    duration_s: float | None
    """Length of the audio, once known."""
    progress: float
    """Share of the render that is done, 0 to 1."""
    moved_to: bytes | None
    """Where the vocal is now, relative to the archive (done) or to rejected (rejected, quarantined)."""
    created_s: float
    queued_s: float
    updated_s: float
    started_s: float | None
    finished_s: float | None

    @property
    def shown(self) -> str:
        """The vocal's path for people."""
        return shown(self.relpath)

    @property
    def found(self) -> FoundFile:
        """The vocal as it was when it was hashed; its ctime is not kept (0)."""
        return FoundFile(self.relpath, self.dev, self.inode, self.size, self.mtime_ns, 0)


class Transition(NamedTuple):
    """A job went from one state to another. ``before`` is empty where it began."""

    job: int
    at_s: float
    before: str
    after: str
    reason: str


COLUMNS = ", ".join(Job._fields)
"""The columns of ``jobs`` in the order of :class:`Job`."""


def job_of(row: sqlite3.Row | tuple[Any, ...]) -> Job:
    """The record of a row that was selected by :data:`COLUMNS`."""
    return Job._make(row)


def identity_columns(found: FoundFile) -> dict[str, Any]:
    """Which file a job is about."""
    return {
        "relpath": found.path,
        "dev": found.dev,
        "inode": found.inode,
        "size": found.size,
        "mtime_ns": found.mtime_ns,
    }


def clean_columns(now_s: float) -> dict[str, Any]:
    """The record of a job that has just been queued."""
    return {
        "state": "waiting",
        "verdict": "",
        "reason": "",
        "attempts": 0,
        "worker_deaths": 0,
        "interruptions": 0,
        "next_try_s": now_s,
        "progress": 0.0,
        "queued_s": now_s,
        "started_s": None,
        "finished_s": None,
    }
