"""What can be asked of the journal, by the daemon and, while none runs, by a command that only reads."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from appliance.watch.disk.found import FoundFile
from appliance.watch.journal.file import sqlite_errors
from appliance.watch.journal.rows import COLUMNS, Job, Transition, job_of
from appliance.watch.journal.states import FINAL, JobState

PAUSED_FACT = "paused"

_LAST = "queued_s DESC, id DESC"


class Reader:
    """What can be asked of a journal, whoever has opened it."""

    def __init__(self, db: sqlite3.Connection, path: Path) -> None:
        self._db = db
        self._path = path

    def job(self, job: int) -> Job | None:
        """The job of this number."""
        return self._one("id = ?", job)

    def by_key(self, key: str, wanted: bytes) -> Job | None:
        """The job that renders, or has rendered, this key for a result of this name."""
        return self._one("key = ? AND wanted = ?", key, wanted)

    def by_found(self, found: FoundFile) -> Job | None:
        """The last job that took this very file: path, device, inode, size and mtime; ctime may differ."""
        identity = (found.path, found.dev, found.inode, found.size, found.mtime_ns)
        return self._one(
            f"relpath = ? AND dev = ? AND inode = ? AND size = ? AND mtime_ns = ? ORDER BY {_LAST}",
            *identity,
        )

    def by_path(self, path: bytes) -> Job | None:
        """The last job of the vocal at this path."""
        return self._one(f"relpath = ? ORDER BY {_LAST}", path)

    def in_state(self, *states: JobState) -> list[Job]:
        """Jobs in one of the states, in the order of the queue."""
        marks = ", ".join("?" * len(states))
        return self._all(f"state IN ({marks}) ORDER BY place", *states)

    def last_of_name(self, name: bytes) -> Job | None:
        """Which job last published, or will publish, in this folder of the outbox."""
        return self._one("name = ? ORDER BY updated_s DESC, id DESC", name)

    def names_in_use(self) -> set[bytes]:
        """Folders of the outbox that belong to a job although they need not be there yet."""
        states = "'waiting', 'working', 'published'"
        with self._asking():
            return {bytes(n) for (n,) in self._db.execute(f"SELECT name FROM jobs WHERE state IN ({states})")}

    def next_due(self, now_s: float, most_s: float = 3600.0) -> Job | None:
        """The first job in the queue whose time has come.

        A wait longer than ``most_s`` (the longest that anybody sets) comes from a clock that was set
        back since, and is over.
        """
        return self._one(
            "state = 'waiting' AND (next_try_s <= ? OR next_try_s > ?) ORDER BY place", now_s, now_s + most_s
        )

    def next_try_s(self) -> float | None:
        """When the next waiting job is due, in unix seconds; None if none waits."""
        with self._asking():
            (when,) = self._db.execute("SELECT min(next_try_s) FROM jobs WHERE state = 'waiting'").fetchone()
        return None if when is None else float(when)

    def unfinished(self) -> list[Job]:
        """Jobs whose source is still to be put away: ``published`` and ``rejecting``."""
        return self.in_state("published", "rejecting")

    def counts(self) -> dict[str, int]:
        """How many jobs are in each state; states without jobs are left out."""
        with self._asking():
            return dict(self._db.execute("SELECT state, count(*) FROM jobs GROUP BY state"))

    def waiting_count(self) -> int:
        """How many jobs are in the queue."""
        with self._asking():
            (count,) = self._db.execute("SELECT count(*) FROM jobs WHERE state = 'waiting'").fetchone()
        return int(count)

    def oldest_waiting_s(self) -> float | None:
        """Since when the longest waiting job is queued, in unix seconds."""
        with self._asking():
            (since,) = self._db.execute("SELECT min(queued_s) FROM jobs WHERE state = 'waiting'").fetchone()
        return None if since is None else float(since)

    def history(self, limit: int) -> list[Job]:
        """Jobs that have come to an end, the last one first."""
        marks = ", ".join("?" * len(FINAL))
        return self._all(
            f"state IN ({marks}) ORDER BY finished_s DESC, id DESC LIMIT ?", *sorted(FINAL), limit
        )

    def transitions(self, job: int) -> list[Transition]:
        """What became of a job, step by step."""
        with self._asking():
            rows = self._db.execute(
                "SELECT job, at_s, before, after, reason FROM transitions WHERE job = ? ORDER BY id", (job,)
            )
            return [Transition._make(row) for row in rows]

    def pause_reason(self) -> str | None:
        """Why the work is paused by somebody's wish; None if it is not."""
        return self.fact(PAUSED_FACT)

    def fact(self, name: str) -> str | None:
        """Something remembered by name."""
        with self._asking():
            row = self._db.execute("SELECT value FROM facts WHERE name = ?", (name,)).fetchone()
        return None if row is None else str(row[0])

    def _one(self, where: str, *values: Any) -> Job | None:
        with self._asking():
            row = self._db.execute(f"SELECT {COLUMNS} FROM jobs WHERE {where} LIMIT 1", values).fetchone()
        return None if row is None else job_of(row)

    def _all(self, where: str, *values: Any) -> list[Job]:
        with self._asking():
            return [
                job_of(row) for row in self._db.execute(f"SELECT {COLUMNS} FROM jobs WHERE {where}", values)
            ]

    @contextmanager
    def _asking(self) -> Iterator[None]:
        with sqlite_errors(self._path):
            yield
