"""The journal: every vocal that was taken and what became of it. SQLite with one writer.

Write-ahead log, ``synchronous=FULL``, one process and one connection, guarded by a lock file: what a
method has returned from survives ``kill -9`` and power cuts. Every method is one transaction. The order
of effects is the caller's: first the result is in place, then :meth:`Journal.record_published` is called, and
only then the source is moved.

A journal that is damaged is set aside, never thrown away, and a new one begun: inbox and outbox tell
the truth about what is still to do.
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
from appliance.watch.journal.states import FINAL, FOLLOWS, JobState


def job_key(content_sha256: str, pack_sha256: str, settings: str) -> str:
    """What makes a render unique: the recording's bytes, the pack, and the canonical JSON of settings."""
    return hashlib.sha256(f"{content_sha256}\n{pack_sha256}\n{settings}".encode()).hexdigest()


class Journal(Reader):
    """The daemon's journal in the folder ``state``. A context manager.

    ``notices`` says in sentences what happened on opening (a damaged journal set aside). ``clock`` gives
    unix seconds. Raises OutputError if another daemon has the journal or it is from a newer version,
    JournalError (which may pass) where it cannot be read or written. Each method that changes something
    has committed when it returns; where it raises, nothing has changed.
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
        """Close the file; a clean end leaves no log."""
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
        """Queue a vocal that was hashed: ``waiting``, at the end of the queue.

        ``wanted`` is its path without the ending, ``name`` the folder of the outbox chosen for it
        (:mod:`appliance.watch.disk.names`). If the same key was queued for the same ``wanted`` before, that
        job is used: one that has ended is queued anew, one on its way only learns which file it is now.
        With ``reject_because`` it goes to ``rejecting`` in the same breath.
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
                self._note(job_id, "waiting", "rejecting", reject_because)
        return self._get(job_id)

    def start(self, job: int) -> Job:
        """``waiting`` -> ``working``: a worker begins."""
        now = self._get(job)
        return self._go(job, "working", "", attempts=now.attempts + 1, progress=0.0, started_s=self._clock())

    def record_progress(self, job: int, share: float, duration_s: float | None = None) -> None:
        """How much of a running job is done. Costs a write to the disk: not more than every few seconds."""
        values: dict[str, Any] = {"progress": min(max(share, 0.0), 1.0)}
        if duration_s is not None:
            values["duration_s"] = duration_s
        with self._transaction():
            if self._get(job).state == "working":
                self._update(job, **values)

    def record_published(self, job: int, reason: str = "") -> Job:
        """``working`` -> ``published``: its result lies whole and durable in the outbox."""
        return self._go(job, "published", reason, progress=1.0)

    def record_still_there(self, job: int, found: FoundFile) -> Job:
        """``done`` -> ``published``: the same vocal came again and its result still lies there."""
        return self._go(
            job,
            "published",
            "dropped again; its result is still there",
            finished_s=None,
            **identity_columns(found),
        )

    def record_done(self, job: int, moved_to: bytes | None = None) -> Job:
        """``published`` -> ``done``: the source is in the archive at ``moved_to``, or stays in place."""
        return self._go(job, "done", "", moved_to=moved_to, finished_s=self._clock())

    def retry(
        self, job: int, reason: str, at_s: float, *, worker_died: bool = False, counted: bool = True
    ) -> Job:
        """``working`` -> ``waiting`` until ``at_s``, after an error that may pass.

        ``worker_died`` counts for the quarantine. ``counted`` is False where the file had no part in it,
        as when the service stops.
        """
        now = self._get(job)
        return self._go(
            job,
            "waiting",
            reason,
            next_try_s=at_s,
            attempts=now.attempts - (not counted),
            worker_deaths=now.worker_deaths + worker_died,
            progress=0.0,
        )

    def record_interrupted(self, job: int, at_s: float, *, last: bool) -> Job:
        """``working`` -> ``waiting``: the service died meanwhile. ``last`` puts it behind all others."""
        now = self._get(job)
        place = {"place": self._last_place() + 1} if last else {}
        return self._go(
            job,
            "waiting",
            "the service was interrupted",
            next_try_s=at_s,
            attempts=now.attempts - 1,
            interruptions=now.interruptions + 1,
            progress=0.0,
            **place,
        )

    def defer(self, job: int, reason: str, delay_s: float) -> None:
        """Let a waiting job wait ``delay_s`` longer."""
        with self._transaction():
            if self._get(job).state == "waiting":
                self._update(job, reason=reason, next_try_s=self._clock() + delay_s)

    def reject(self, job: int, reason: str) -> Job:
        """-> ``rejecting``: it cannot be used; ``reason`` is for the musician."""
        return self._go(job, "rejecting", reason, verdict="rejected")

    def quarantine(self, job: int, reason: str) -> Job:
        """-> ``rejecting``, to end as ``quarantined``: it killed its workers."""
        return self._go(job, "rejecting", reason, verdict="quarantined")

    def record_rejected(self, job: int, moved_to: bytes | None = None) -> Job:
        """``rejecting`` -> ``rejected`` or ``quarantined``: vocal and reason.txt are in place."""
        now = self._get(job)
        verdict: JobState = "quarantined" if now.verdict == "quarantined" else "rejected"
        return self._go(job, verdict, now.reason, moved_to=moved_to, finished_s=self._clock())

    def record_gone(self, job: int, reason: str) -> Job:
        """-> ``gone``: the vocal vanished from the inbox, or is no longer what was taken."""
        return self._go(job, "gone", reason, finished_s=self._clock())

    def requeue(self, job: int, reason: str = "asked for again") -> Job:
        """To the end of the queue, due now, with a clean record. The vocal must be back in the inbox."""
        now = self._get(job)
        with self._transaction():
            if now.state == "waiting":
                self._update(job, next_try_s=self._clock(), attempts=0, worker_deaths=0, interruptions=0)
            else:
                self._queue(now, reason)
        return self._get(job)

    def rename(self, job: int, name: bytes) -> Job:
        """Another folder of the outbox for a job that has not published yet: its own was taken."""
        with self._transaction():
            now = self._get(job)
            if now.state not in ("waiting", "working"):
                raise ValueError(f"job {job} is {now.state} and keeps its name")
            self._update(job, name=name)
        return self._get(job)

    def pause(self, reason: str) -> None:
        """Remember, over restarts too, that no job is to be started."""
        self.set_fact(PAUSED_FACT, reason)

    def resume(self) -> None:
        """Jobs may start again."""
        self.set_fact(PAUSED_FACT, None)

    def set_fact(self, name: str, value: str | None) -> None:
        """Remember something by name; None forgets it."""
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

    def _go(self, job: Job | int, state: JobState, reason: str, **values: Any) -> Job:
        """One step of a job's life. Repeating the last step changes nothing, except to start twice."""
        now = job if isinstance(job, Job) else self._get(job)
        if now.state == state and state != "working":
            return now
        if state not in FOLLOWS[now.state]:
            raise ValueError(f"job {now.id} is {now.state} and cannot become {state}")
        with self._transaction():
            self._update(now.id, state=state, reason=reason, **values)
            self._note(now.id, now.state, state, reason)
        return self._get(now.id)

    def _queue(self, job: Job, reason: str, **values: Any) -> None:
        """Put a job that has ended at the end of the queue, as if it were new; in a transaction."""
        if "waiting" not in FOLLOWS[job.state]:
            raise ValueError(f"job {job.id} is {job.state} and cannot be queued again")
        place = self._last_place() + 1
        self._update(job.id, **{**clean_columns(self._clock()), "place": place, "moved_to": None, **values})
        self._note(job.id, job.state, "waiting", reason)

    def _last_place(self) -> int:
        (place,) = self._db.execute("SELECT coalesce(max(place), 0) FROM jobs").fetchone()
        return int(place)

    def _insert(self, **values: Any) -> int:
        """A new job at the end of the queue; in a transaction."""
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
        self._note(row.lastrowid, "", "waiting", "")
        return row.lastrowid

    def _update(self, job: int, **values: Any) -> None:
        values = {"updated_s": self._clock(), **values}
        changes = ", ".join(f"{name} = ?" for name in values)
        self._db.execute(f"UPDATE jobs SET {changes} WHERE id = ?", (*values.values(), job))

    def _note(self, job: int, before: str, after: JobState, reason: str) -> None:
        self._db.execute(
            "INSERT INTO transitions (job, at_s, before, after, reason) VALUES (?, ?, ?, ?, ?)",
            (job, self._clock(), before, after, reason),
        )

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._asking():
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._db.execute("COMMIT")
            except BaseException:
                # After a full disk SQLite may have rolled back by itself.
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise
