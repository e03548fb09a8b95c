"""Move the vocals of ended jobs from the inbox to the archive or to rejected, step by step.

One vocal is moved at a time. A failed move is retried without limit: the journal keeps the job ``published``
or ``rejecting`` until the vocal has been moved.
"""

from __future__ import annotations

import time
from collections.abc import Generator

from appliance.watch.disk.folders import Access
from appliance.watch.inbox.intake import Intake
from appliance.watch.journal.applied import applied
from appliance.watch.journal.journal import Journal
from appliance.watch.journal.recovery import backoff_s
from appliance.watch.journal.rows import Job
from appliance.watch.outbox.publishing import move_to_archive, move_to_rejected
from appliance.watch.reports.hooks import Hooks
from appliance.watch.reports.logs import INFO, NOTICE, WARNING, log, plain
from appliance.watch.reports.reason_text import reason_text, reference_of
from appliance.watch.settings.config import Config

Steps = Generator[None, None, None]


class PuttingAway:
    """Moves the vocals of :meth:`Journal.unfinished`. ``config`` and ``access`` may be replaced."""

    def __init__(
        self, config: Config, access: Access, journal: Journal, intake: Intake, hooks: Hooks
    ) -> None:
        self.config = config
        self.access = access
        self._journal = journal
        self._intake = intake
        self._hooks = hooks
        self._current: tuple[Job, Steps] | None = None
        self._failed: dict[int, tuple[int, float]] = {}
        """By job: number of failures and time of the next attempt (monotonic seconds)."""
        self._check = True
        self.troubles: dict[int, tuple[Job, str]] = {}
        """By job: why its vocal cannot be moved yet."""

    def wake(self) -> None:
        """Check the journal again: there may be a new vocal to move."""
        self._check = True

    def pending(self, now_s: float) -> bool:
        """Whether :meth:`step` has work now."""
        if self._current is not None or self._check:
            return True
        return any(at_s <= now_s for _, at_s in self._failed.values())

    def step(self, now_s: float) -> None:
        """Do one step. If it raises JournalError, the step can be repeated."""
        if self._current is None:
            self._current = self._next(now_s)
            if self._current is None:
                self._check = False
                return
        job, steps = self._current
        try:
            next(steps)
        except StopIteration:
            self._current = None
            self._failed.pop(job.id, None)
            self.troubles.pop(job.id, None)
        except OSError as error:
            self._current = None
            self._fail(job, error, now_s)
        except BaseException:
            self._current = None
            raise

    def _next(self, now_s: float) -> tuple[Job, Steps] | None:
        for job in self._journal.unfinished():
            if self._failed.get(job.id, (0, now_s))[1] <= now_s:
                return job, self._archive(job) if job.state == "published" else self._reject(job)
        return None

    def _fail(self, job: Job, error: OSError, now_s: float) -> None:
        tries = self._failed.get(job.id, (0, 0.0))[0] + 1
        wait_s = backoff_s(tries, self.config.work)
        self._failed[job.id] = (tries, now_s + wait_s)
        self.troubles[job.id] = (job, f"it cannot be put away: {error.strerror or error}.")
        log(WARNING, "A vocal cannot be put away yet.", job=job.id, name=job.relpath, reason=str(error))

    def _archive(self, job: Job) -> Steps:
        folders = self.config.folders
        place: bytes | None = None
        files = applied(self._journal, job.id)
        late = [] if files is None else self._intake.too_late(job.relpath, files)
        if self.config.publish.archive_sources:
            companions = self._intake.companions(job.relpath, files)
            ends = (folders.inbox, job.relpath)
            place = yield from move_to_archive(
                *ends, job.content_sha256, companions, folders.archive, self.access
            )
        self._journal.record_done(job.id, place)
        log(INFO, "Put away.", job=job.id, name=job.relpath, to=place or "")
        for found in late:
            log(NOTICE, "A companion came too late and was not used.", job=job.id, name=found.path)

    def _reject(self, job: Job) -> Steps:
        folders, quarantined = self.config.folders, job.verdict == "quarantined"
        reference = reference_of(job.id, job.queued_s, job.key)
        title = job.relpath.rpartition(b"/")[2].decode("utf-8", "surrogateescape")
        text = reason_text(title, job.reason, reference, time.time(), quarantined=quarantined)
        place = yield from move_to_rejected(
            (folders.inbox, job.relpath),
            job.content_sha256,
            self._intake.companions(job.relpath),
            (folders.rejected, job.wanted),
            (text, reference),
            self.access,
        )
        self._journal.record_rejected(job.id, place)
        log(NOTICE, "Rejected.", job=job.id, name=job.relpath, reason=job.reason)
        self._hooks.trigger(
            "rejected", job=job.id, source=job.relpath, reason=plain(job.reason), place=place or b""
        )
