"""Queries of the journal, for the daemon and, while none runs, for commands that only read."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from appliance.watch.disk.found import FoundFile
from appliance.watch.journal.file import sqlite_errors
from appliance.watch.journal.rows import COLUMNS, Job, Transition, job_of
from appliance.watch.journal.states import FINAL, NO_TROUBLE, JobState

PAUSED_FACT = "paused"

_LAST = "queued_s DESC, id DESC"


class Reader:
    """Queries on an open journal. Each method raises JournalError if the journal cannot be read."""

    def __init__(self, db: sqlite3.Connection, path: Path) -> None:
        self._db = db
        self._path = path

    def job(self, job: int) -> Job | None:
        """The job with this number."""
        return self._one("id = ?", job)

    def by_key(self, key: str, wanted: bytes) -> Job | None:
        """The job with this key and preferred result folder."""
        return self._one("key = ? AND wanted = ?", key, wanted)

    def by_found(self, found: FoundFile) -> Job | None:
        """The last job of this file, compared by path, device, inode, size and mtime, not by ctime."""
        identity = (found.path, found.dev, found.inode, found.size, found.mtime_ns)
        return self._one(
            f"relpath = ? AND dev = ? AND inode = ? AND size = ? AND mtime_ns = ? ORDER BY {_LAST}",
            *identity,
        )

    def by_path(self, path: bytes) -> Job | None:
        """The last job of the vocal at this path."""
        return self._one(f"relpath = ? ORDER BY {_LAST}", path)

    def in_state(self, *states: JobState) -> list[Job]:
        """Jobs in one of the states, in queue order."""
        marks = ", ".join("?" * len(states))
        return self._all(f"state IN ({marks}) ORDER BY place", *states)

    def last_of_name(self, name: bytes) -> Job | None:
        """The last job with this folder of the outbox."""
        return self._one("name = ? ORDER BY updated_s DESC, id DESC", name)

    def last_done(self, path: bytes) -> Job | None:
        """The last rendered vocal at ``path``, which may lack its ending."""
        has_ending = "relpath > ? AND relpath < ? AND NOT instr(substr(relpath, ?), ?)"
        ending = (path + b".", path + b"/", len(path) + 2, b".")
        return self._one(
            f"state = 'done' AND (relpath = ? OR ({has_ending})) ORDER BY {_LAST}", path, *ending
        )

    def troubles(self) -> list[tuple[Job, str]]:
        """Jobs that had to be retried since they were queued, each with the reason of the last time.

        A trouble is over when its own job has ended, not when another one succeeds.
        """
        marks = ", ".join("?" * len(NO_TROUBLE))
        jobs = self._all("state = 'working' OR (state = 'waiting' AND reason <> '') ORDER BY place")
        found = []
        for job in jobs:
            with self._sqlite_errors():
                row = self._db.execute(
                    f"SELECT before, reason FROM transitions WHERE job = ? AND after = 'waiting' "
                    f"AND reason NOT IN ({marks}) ORDER BY id DESC LIMIT 1",
                    (job.id, *NO_TROUBLE),
                ).fetchone()
            if row is not None and row[0] == "working":
                found.append((job, str(row[1])))
        return found

    def names_in_use(self) -> set[bytes]:
        """Outbox folders of unfinished jobs, which may not exist yet."""
        states = "'waiting', 'working', 'published'"
        with self._sqlite_errors():
            return {bytes(n) for (n,) in self._db.execute(f"SELECT name FROM jobs WHERE state IN ({states})")}

    def next_due(self, now_s: float, most_s: float = 3600.0) -> Job | None:
        """The first job in the queue that is due at ``now_s`` (unix seconds).

        No wait is set longer than ``most_s`` seconds. A longer one means that the clock was set back, so the
        job is due.
        """
        return self._one(
            "state = 'waiting' AND (next_try_s <= ? OR next_try_s > ?) ORDER BY place", now_s, now_s + most_s
        )

    def next_try_s(self) -> float | None:
        """Time at which the next waiting job is due, in unix seconds; None if none waits."""
        with self._sqlite_errors():
            (when,) = self._db.execute("SELECT min(next_try_s) FROM jobs WHERE state = 'waiting'").fetchone()
        return None if when is None else float(when)

    def unfinished(self) -> list[Job]:
        """Jobs whose vocal must still be moved out of the inbox: ``published`` and ``rejecting``."""
        return self.in_state("published", "rejecting")

    def counts(self) -> dict[str, int]:
        """Number of jobs in each state; states without jobs are left out."""
        with self._sqlite_errors():
            return dict(self._db.execute("SELECT state, count(*) FROM jobs GROUP BY state"))

    def waiting_count(self) -> int:
        """Number of waiting jobs."""
        with self._sqlite_errors():
            (count,) = self._db.execute("SELECT count(*) FROM jobs WHERE state = 'waiting'").fetchone()
        return int(count)

    def oldest_waiting_s(self) -> float | None:
        """Time at which the oldest waiting job was queued, in unix seconds; None if none waits."""
        with self._sqlite_errors():
            (since,) = self._db.execute("SELECT min(queued_s) FROM jobs WHERE state = 'waiting'").fetchone()
        return None if since is None else float(since)

    def history(self, limit: int) -> list[Job]:
        """The last ``limit`` finished jobs, newest first."""
        marks = ", ".join("?" * len(FINAL))
        return self._all(
            f"state IN ({marks}) ORDER BY finished_s DESC, id DESC LIMIT ?", *sorted(FINAL), limit
        )

    def transitions(self, job: int) -> list[Transition]:
        """All transitions of a job, in order."""
        with self._sqlite_errors():
            rows = self._db.execute(
                "SELECT job, at_s, before, after, reason FROM transitions WHERE job = ? ORDER BY id", (job,)
            )
            return [Transition._make(row) for row in rows]

    def pause_reason(self) -> str | None:
        """The reason given to ``backline pause``; None if not paused by it."""
        return self.fact(PAUSED_FACT)

    def fact(self, name: str) -> str | None:
        """The value stored under ``name``; None if there is none."""
        with self._sqlite_errors():
            row = self._db.execute("SELECT value FROM facts WHERE name = ?", (name,)).fetchone()
        return None if row is None else str(row[0])

    def _one(self, where: str, *values: Any) -> Job | None:
        with self._sqlite_errors():
            row = self._db.execute(f"SELECT {COLUMNS} FROM jobs WHERE {where} LIMIT 1", values).fetchone()
        return None if row is None else job_of(row)

    def _all(self, where: str, *values: Any) -> list[Job]:
        with self._sqlite_errors():
            return [
                job_of(row) for row in self._db.execute(f"SELECT {COLUMNS} FROM jobs WHERE {where}", values)
            ]

    @contextmanager
    def _sqlite_errors(self) -> Iterator[None]:
        with sqlite_errors(self._path):
            yield
