"""Rows of the journal as records: jobs and transitions."""

from __future__ import annotations

import sqlite3
from typing import Any, NamedTuple

from appliance.watch.disk.found import FoundFile, shown
from appliance.watch.journal.states import JobState


class Job(NamedTuple):
    """The work on one vocal. ``*_s`` are unix seconds; paths are relative to their folder."""

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
    """The state that follows ``rejecting``: ``rejected`` or ``quarantined``."""
    reason: str
    """Reason for the state; for a rejected vocal, a sentence for the musician."""
    attempts: int
    """Number of starts since it was queued."""
    worker_deaths: int
    """Number of engine crashes while it was rendered."""
    interruptions: int
    """Number of service crashes while it was rendered."""
    next_try_s: float
    place: int
    """Position in the queue, lowest first."""
    wanted: bytes
    """Preferred folder of its result, relative to the outbox."""
    name: bytes
    """Folder of its result, relative to the outbox."""
    duration_s: float | None
    """Length of the audio in seconds, once known."""
    progress: float
    """Share of the render that is done, 0 to 1."""
    moved_to: bytes | None
    """New path of the vocal, relative to the archive (done) or to rejected (rejected, quarantined)."""
    created_s: float
    queued_s: float
    updated_s: float
    started_s: float | None
    finished_s: float | None

    @property
    def shown(self) -> str:
        """The vocal's path in printable form."""
        return shown(self.relpath)

    @property
    def found(self) -> FoundFile:
        """The identity of the vocal when it was hashed, with a ctime of 0."""
        return FoundFile(self.relpath, self.dev, self.inode, self.size, self.mtime_ns, 0)


class Transition(NamedTuple):
    """A change of a job's state. ``before`` is empty for a new job."""

    job: int
    at_s: float
    before: str
    after: str
    reason: str


COLUMNS = ", ".join(Job._fields)
"""The columns of ``jobs`` in the order of :class:`Job`."""


def job_of(row: sqlite3.Row | tuple[Any, ...]) -> Job:
    """The record of a row with the columns :data:`COLUMNS`."""
    return Job._make(row)


def identity_columns(found: FoundFile) -> dict[str, Any]:
    """The columns that identify a job's file."""
    return {
        "relpath": found.path,
        "dev": found.dev,
        "inode": found.inode,
        "size": found.size,
        "mtime_ns": found.mtime_ns,
    }


def clean_columns(now_s: float) -> dict[str, Any]:
    """The columns of a job that has just been queued."""
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
