"""The journal's writer: records all jobs and their states in SQLite.

One process with one connection writes, guarded by a lock file, with a write-ahead log (WAL) and
``synchronous=FULL``: when a method returns, its change survives ``kill -9`` and power cuts. Each method is
one transaction. The caller keeps the order of effects: it publishes the result, then calls
:meth:`Journal.record_published`, then moves the source.

A damaged journal is set aside and a new one is created. Inbox and outbox show what remains to be done.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

from appliance.watch.disk.found import FoundFile
from appliance.watch.journal.file import JOURNAL_NAME, lock_for_daemon, open_journal
from appliance.watch.journal.reader import PAUSED_FACT, Reader
from appliance.watch.journal.rows import Job, clean_columns, identity_columns
from appliance.watch.journal.states import FINAL, FOLLOWS, INTERRUPTED, JobState


def job_key(content_sha256: str, pack_sha256: str, settings: str) -> str:
    """The identity of a render: a hash of the recording's hash, the pack's hash and the settings' JSON."""
    return hashlib.sha256(f"{content_sha256}\n{pack_sha256}\n{settings}".encode()).hexdigest()


class Journal(Reader):
    """The daemon's journal in the folder ``state``; a context manager.

    ``notices`` has sentences about the opening, such as that a damaged journal was set aside. ``clock``
    returns unix seconds. A method that changes something has committed when it returns; if it raises,
    nothing has changed. A transition that :data:`FOLLOWS` does not allow raises ValueError.

    Raises:
        OutputError: another daemon has the journal, or a newer version wrote it.
        JournalError: it cannot be read or written; this may be temporary. Each method may raise it too.
    """

    def __init__(self, state: Path, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._lock = lock_for_daemon(state)
        try:
            db, self.notices = open_journal(state)
        except BaseException:
            self._lock.close()
            raise
        super().__init__(db, state / JOURNAL_NAME)

    def __enter__(self) -> Journal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file and release the lock; a clean end leaves no WAL."""
        self._db.close()
        self._lock.close()

    def add(
        self,
        found: FoundFile,
        content_sha256: str,
        pack_sha256: str,
        settings: str,
        wanted: bytes,
        name: bytes,
        reject_because: str = "",
    ) -> Job:
        """Queue a hashed vocal as ``waiting``, at the end of the queue.

        ``wanted`` is its path without the ending, ``name`` the folder of the outbox chosen for it
        (:mod:`appliance.watch.disk.names`). If a job with the same key and ``wanted`` exists, it is reused: a
        finished job is queued again, an unfinished one gets the new file's identity. With ``reject_because``
        the job becomes ``rejecting`` in the same transaction.
        """
        key = job_key(content_sha256, pack_sha256, settings)
        with self._transaction():
            job = self.by_key(key, wanted)
            if job is None:
                new = {"content_sha256": content_sha256, "key": key, "settings": settings}
                job_id = self._insert(
                    **identity_columns(found), **new, pack_sha256=pack_sha256, wanted=wanted, name=name
                )
            else:
                job_id = job.id
                self._update(job_id, **identity_columns(found))
                if job.state in FINAL:
                    self._queue(job, "dropped again", name=name)
            if reject_because and self._get(job_id).state == "waiting":
                self._update(job_id, state="rejecting", verdict="rejected", reason=reject_because)
                self._add_transition(job_id, "waiting", "rejecting", reject_because)
        return self._get(job_id)

    def start(self, job: int) -> Job:
        """``waiting`` -> ``working``: the engine begins."""
        now = self._get(job)
        return self._move(
            job, "working", "", attempts=now.attempts + 1, progress=0.0, started_s=self._clock()
        )

    def record_progress(self, job: int, share: float, duration_s: float | None = None) -> None:
        """Record the share of a running job that is done. It syncs the disk, so call it every few seconds."""
        values: dict[str, Any] = {"progress": min(max(share, 0.0), 1.0)}
        if duration_s is not None:
            values["duration_s"] = duration_s
        with self._transaction():
            if self._get(job).state == "working":
                self._update(job, **values)

    def record_published(self, job: int, reason: str = "") -> Job:
        """``working`` -> ``published``: its complete result is in the outbox and synced."""
        return self._move(job, "published", reason, progress=1.0)

    def record_still_there(self, job: int, found: FoundFile) -> Job:
        """``done`` -> ``published``: the same vocal was dropped again and its result still exists."""
        return self._move(
            job,
            "published",
            "dropped again; its result is still there",
            finished_s=None,
            **identity_columns(found),
        )

    def record_done(self, job: int, moved_to: bytes | None = None) -> Job:
        """``published`` -> ``done``: the source is in the archive at ``moved_to``, or None: it stays."""
        return self._move(job, "done", "", moved_to=moved_to, finished_s=self._clock())

    def retry(
        self, job: int, reason: str, at_s: float, *, worker_died: bool = False, counted: bool = True
    ) -> Job:
        """``working`` -> ``waiting`` until ``at_s`` (unix seconds), after a temporary error.

        ``worker_died`` counts towards quarantine. With ``counted`` False the attempt does not count, because
        the vocal did not cause the error, such as a stop of the service.
        """
        now = self._get(job)
        return self._move(
            job,
            "waiting",
            reason,
            next_try_s=at_s,
            attempts=now.attempts - (not counted),
            worker_deaths=now.worker_deaths + worker_died,
            progress=0.0,
        )

    def record_interrupted(self, job: int, at_s: float, *, last: bool) -> Job:
        """``working`` -> ``waiting``: the service crashed. ``last`` moves the job to the end of the queue."""
        now = self._get(job)
        place = {"place": self._last_place() + 1} if last else {}
        return self._move(
            job,
            "waiting",
            INTERRUPTED,
            next_try_s=at_s,
            attempts=now.attempts - 1,
            interruptions=now.interruptions + 1,
            progress=0.0,
            **place,
        )

    def defer(self, job: int, reason: str, delay_s: float) -> None:
        """Delay a waiting job by ``delay_s`` seconds from now."""
        with self._transaction():
            if self._get(job).state == "waiting":
                self._update(job, reason=reason, next_try_s=self._clock() + delay_s)

    def reject(self, job: int, reason: str) -> Job:
        """-> ``rejecting``: the vocal cannot be used; ``reason`` is for the musician."""
        return self._move(job, "rejecting", reason, verdict="rejected")

    def quarantine(self, job: int, reason: str) -> Job:
        """-> ``rejecting``, then ``quarantined``: the vocal crashed the engine repeatedly."""
        return self._move(job, "rejecting", reason, verdict="quarantined")

    def record_rejected(self, job: int, moved_to: bytes | None = None) -> Job:
        """``rejecting`` -> ``rejected`` or ``quarantined``: vocal and reason.txt have been moved."""
        now = self._get(job)
        verdict: JobState = "quarantined" if now.verdict == "quarantined" else "rejected"
        return self._move(job, verdict, now.reason, moved_to=moved_to, finished_s=self._clock())

    def record_gone(self, job: int, reason: str) -> Job:
        """-> ``gone``: the vocal was removed from the inbox, or was changed."""
        return self._move(job, "gone", reason, finished_s=self._clock())

    def requeue(self, job: int, reason: str = "asked for again") -> Job:
        """Queue a job again, due now and with its counters reset. The vocal must be in the inbox."""
        now = self._get(job)
        with self._transaction():
            if now.state == "waiting":
                self._update(job, next_try_s=self._clock(), attempts=0, worker_deaths=0, interruptions=0)
            else:
                self._queue(now, reason)
        return self._get(job)

    def rename(self, job: int, name: bytes) -> Job:
        """Change the outbox folder of a job that is not published yet, because its own is taken."""
        with self._transaction():
            now = self._get(job)
            if now.state not in ("waiting", "working"):
                raise ValueError(f"job {job} is {now.state} and keeps its name")
            self._update(job, name=name)
        return self._get(job)

    def pause(self, reason: str) -> None:
        """Record that no job may start, also after a restart."""
        self.set_fact(PAUSED_FACT, reason)

    def resume(self) -> None:
        """Record that jobs may start again."""
        self.set_fact(PAUSED_FACT, None)

    def set_fact(self, name: str, value: str | None) -> None:
        """Store a named value; None deletes it."""
        with self._transaction():
            if value is None:
                self._db.execute("DELETE FROM facts WHERE name = ?", (name,))
            else:
                self._db.execute("INSERT OR REPLACE INTO facts VALUES (?, ?)", (name, value))

    def _get(self, job: int) -> Job:
        found = self.job(job)
        if found is None:
            raise KeyError(f"there is no job {job}")
        return found

    def _move(self, job: Job | int, state: JobState, reason: str, **values: Any) -> Job:
        """Change a job's state. Repeating the last transition has no effect, except to ``working``."""
        now = job if isinstance(job, Job) else self._get(job)
        if now.state == state and state != "working":
            return now
        if state not in FOLLOWS[now.state]:
            raise ValueError(f"job {now.id} is {now.state} and cannot become {state}")
        with self._transaction():
            self._update(now.id, state=state, reason=reason, **values)
            self._add_transition(now.id, now.state, state, reason)
        return self._get(now.id)

    def _queue(self, job: Job, reason: str, **values: Any) -> None:
        """Put a finished job at the end of the queue like a new one. Call it in a transaction."""
        if "waiting" not in FOLLOWS[job.state]:
            raise ValueError(f"job {job.id} is {job.state} and cannot be queued again")
        place = self._last_place() + 1
        self._update(job.id, **{**clean_columns(self._clock()), "place": place, "moved_to": None, **values})
        self._add_transition(job.id, job.state, "waiting", reason)

    def _last_place(self) -> int:
        (place,) = self._db.execute("SELECT coalesce(max(place), 0) FROM jobs").fetchone()
        return int(place)

    def _insert(self, **values: Any) -> int:
        """Insert a new job at the end of the queue. Call it in a transaction."""
        now_s = self._clock()
        values = {
            **values,
            **clean_columns(now_s),
            "place": self._last_place() + 1,
            "created_s": now_s,
            "updated_s": now_s,
        }
        names, marks = ", ".join(values), ", ".join("?" * len(values))
        row = self._db.execute(f"INSERT INTO jobs ({names}) VALUES ({marks})", tuple(values.values()))
        assert row.lastrowid is not None
        self._add_transition(row.lastrowid, "", "waiting", "")
        return row.lastrowid

    def _update(self, job: int, **values: Any) -> None:
        values = {"updated_s": self._clock(), **values}
        changes = ", ".join(f"{name} = ?" for name in values)
        self._db.execute(f"UPDATE jobs SET {changes} WHERE id = ?", (*values.values(), job))

    def _add_transition(self, job: int, before: str, after: JobState, reason: str) -> None:
        self._db.execute(
            "INSERT INTO transitions (job, at_s, before, after, reason) VALUES (?, ?, ?, ?, ?)",
            (job, self._clock(), before, after, reason),
        )

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._sqlite_errors():
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._db.execute("COMMIT")
            except BaseException:
                # On a full disk SQLite may have rolled back already.
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise
