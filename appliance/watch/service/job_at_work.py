"""Gives one job at a time to the engine and records its outcome.

The order of effects: create the work folder, record ``working``, send the order; then sync the result,
publish it, record ``published``. The table of :mod:`appliance.watch.engine.failures` decides what follows a
failure.
"""

from __future__ import annotations

import os
import time

from appliance.watch.disk.folders import LONGEST_NAME_BYTES, Access, shortened
from appliance.watch.disk.found import FoundFile, shown
from appliance.watch.disk.names import free_name
from appliance.watch.engine.failures import FAILURES, Then
from appliance.watch.engine.messages import Done, Failed, Order, Progress
from appliance.watch.engine.setup import decode_wall_s
from appliance.watch.engine.worker import Death, Worker
from appliance.watch.inbox.intake import Intake
from appliance.watch.journal.journal import Journal
from appliance.watch.journal.recovery import backoff_s
from appliance.watch.journal.rows import Job
from appliance.watch.outbox.publishing import clear_work, fresh_work, keeps_result, publish
from appliance.watch.outbox.roots import Roots
from appliance.watch.reports.hooks import Hooks
from appliance.watch.reports.logs import ERROR, INFO, NOTICE, WARNING, log
from appliance.watch.service.pauses import Pauses
from appliance.watch.settings.config import Config

_STEM_BYTES = LONGEST_NAME_BYTES - len(".take99.accompaniment.wav") - len(".-9999.part")
"""Longest part of a vocal's name, in bytes, that fits into all file names of its result."""

_RECORD_PROGRESS_S = 15.0
"""Interval between progress records in the journal, each of which syncs the disk."""


class Rendering:
    """The running job. ``config`` and ``access`` may be replaced while no job runs."""

    def __init__(
        self,
        config: Config,
        access: Access,
        journal: Journal,
        intake: Intake,
        hooks: Hooks,
        worker: Worker,
        pauses: Pauses,
    ) -> None:
        self.config = config
        self.access = access
        self._journal, self._intake, self._worker = journal, intake, worker
        self._pauses, self._hooks = pauses, hooks
        self.roots = Roots(config.folders)
        self.job: Job | None = None
        self.share = 0.0
        self.started_s = 0.0
        self._recorded_s = 0.0
        self._outcome: Done | Failed | Death | None = None
        """The outcome of the order, until it is recorded in the journal."""

    @property
    def can_conclude(self) -> bool:
        """Whether an order has ended and :meth:`step` can record its outcome now."""
        return self._outcome is not None and not self._pauses.active("disk", "journal", "folders")

    @property
    def is_stuck(self) -> bool:
        """Whether an order has ended and its outcome cannot be recorded now."""
        return self._outcome is not None and not self.can_conclude

    def left_s(self, now_s: float) -> float | None:
        """Estimated seconds until the job ends; None if there is no estimate yet."""
        if self.job is None or self.share <= 0.02:
            return None
        return (now_s - self.started_s) * (1.0 - self.share) / self.share

    def step(self, now_s: float, *, accepting: bool) -> bool:
        """Record the outcome of an ended job, and start the next job if ``accepting``.

        Returns True if a vocal may have to be put away now. If it raises JournalError, it can be repeated.
        """
        concluded = False
        if self._outcome is not None and self.can_conclude:
            concluded = self._conclude(self._outcome, now_s)
            if concluded:
                self._outcome, self.job, self.share = None, None, 0.0
        if accepting and self.job is None and self._worker.idle and self._pauses.reason is None:
            return self._start(now_s) or concluded
        return concluded

    def on_message(self, message: Progress | Done | Failed, now_s: float) -> None:
        """Handle a message of the engine about the running job. Raises JournalError."""
        if self.job is None or message.job != self.job.id:
            return
        if not isinstance(message, Progress):
            self._outcome = message
            return
        self.share = message.share
        if message.duration_s is not None and self.job.duration_s != message.duration_s:
            self.job = self.job._replace(duration_s=message.duration_s)
            work = self.config.work
            self._worker.set_deadline(now_s + work.timeout_least_s + work.timeout_factor * message.duration_s)
            self._recorded_s = -_RECORD_PROGRESS_S
        if now_s - self._recorded_s >= _RECORD_PROGRESS_S:
            self._recorded_s = now_s
            self._journal.record_progress(self.job.id, self.share, self.job.duration_s)

    def on_death(self, death: Death) -> None:
        """Handle the end of the engine's process while a job was running."""
        if self.job is not None and self._outcome is None:
            self._outcome = death

    def _start(self, now_s: float) -> bool:
        """Start the next job that is due; returns True if its result is published already."""
        job = self._journal.next_due(time.time(), self.config.work.retry_most_s)
        if job is None:
            return False
        ready = self._worker.ready
        assert ready is not None
        if job.pack_sha256 != ready.sha256:
            self._journal.record_gone(job.id, "the pack has changed")
            self._intake.offer_again(job.relpath)
            return False
        if (asked := self._intake.recheck(job, now_s)) is None:
            return False
        outbox, settings = self.config.folders.outbox, self.config.work
        try:
            if keeps_result(outbox, job.name, job.key):
                self._journal.start(job.id)
                self._journal.record_published(job.id, "its result was there already")
                return True
            job = self._with_better_name(job)
            work = fresh_work(outbox, job.id, job.settings)
        except OSError as error:
            self._pause_outbox(f"The outbox cannot be written: {error.strerror}.", now_s)
            return False
        self.job = self._journal.start(job.id)
        self.share, self.started_s, self._recorded_s = 0.0, now_s, now_s
        limit_s = settings.timeout_least_s + decode_wall_s(settings.decode_seconds)
        self._worker.give(self._order(job, os.fspath(work), asked.reference), now_s + limit_s)
        log(INFO, "Rendering.", job=job.id, name=job.relpath, attempt=self.job.attempts)
        return False

    def _with_better_name(self, job: Job) -> Job:
        """Remove the number from a job's name if the plain name is free by now.

        The name may have belonged to an incomplete copy of the same vocal, which is gone.
        """
        if job.name == job.wanted:
            return job
        others = self._journal.names_in_use() - {job.name}
        name = free_name(self.config.folders.outbox, job.wanted, others)
        return job if name == job.name else self._journal.rename(job.id, name)

    def _order(self, job: Job, work: str, reference: FoundFile | None) -> Order:
        return Order(
            job=job.id,
            key=job.key,
            inbox=os.fspath(self.config.folders.inbox),
            source=os.fsdecode(job.relpath),
            title=shown(job.relpath.rpartition(b"/")[2]),
            stem=_stem(job.wanted.rpartition(b"/")[2]),
            sha256=job.content_sha256,
            work=work,
            reserve_bytes=(self.config.space.least_free_mb << 20) // 2,
            file_mode=self.access.file_mode,
            folder_mode=self.access.folder_mode,
            group_id=self.access.group_id,
            reference="" if reference is None else os.fsdecode(reference.path),
        )

    def _conclude(self, outcome: Done | Failed | Death, now_s: float) -> bool:
        """Record the outcome; returns False if the disk refuses the result, to be retried later."""
        assert self.job is not None
        if isinstance(outcome, Done):
            if not self._publish(self.job, now_s):
                return False
        elif (changed := self.roots.changed()) is not None and not _is_about_the_vocal(outcome):
            self._journal.retry(self.job.id, changed, time.time(), counted=False)
            self._pauses.set("folders", changed)
        elif isinstance(outcome, Failed):
            self._conclude_failure(self.job, outcome, now_s)
        elif outcome.intended:
            self._journal.retry(self.job.id, outcome.why, time.time(), counted=False)
        else:
            self._count_death(self.job, f"the engine {outcome.why}")
        try:
            clear_work(self.config.folders.outbox, self.job.id)
        except OSError as error:  # the next start removes it
            log(WARNING, "A work folder cannot be removed.", job=self.job.id, reason=str(error))
        return True

    def _publish(self, job: Job, now_s: float) -> bool:
        """Publish the result and record that; returns False if the disk refuses."""
        outbox = self.config.folders.outbox
        try:
            placed = self._put_in_place(job)
        except OSError as error:
            sentence = f"The outbox cannot be written: {error.strerror}."
            self._pause_outbox(self.roots.changed() or sentence, now_s)
            return False
        if placed is None:
            self._journal.retry(job.id, "its result is gone", time.time(), counted=False)
            return True
        job = placed
        self._journal.record_published(job.id)
        for cause in ("disk", "journal", "engine"):
            self._pauses.succeeded(cause)
        log(
            NOTICE, "Published.", job=job.id, name=job.relpath, result=job.name, took_s=now_s - self.started_s
        )
        result = os.fsencode(outbox) + b"/" + job.name
        self._hooks.trigger("done", job=job.id, source=job.relpath, result=result)
        return True

    def _put_in_place(self, job: Job) -> Job | None:
        """Move the result to the outbox; returns the job, perhaps renamed, or None if the result is lost."""
        outbox = self.config.folders.outbox
        while not keeps_result(outbox, job.name, job.key):  # true after an unrecorded rename
            try:
                if publish(outbox, job.id, job.name, self.access):
                    break
            except FileNotFoundError:
                if self.roots.changed() is not None:
                    raise
                return None
            except NotADirectoryError:  # a file now has the name of a parent folder
                if self.roots.changed() is not None:
                    raise
            name = free_name(outbox, job.wanted, self._journal.names_in_use() - {job.name})
            job = self._journal.rename(job.id, name)
        return job

    def _conclude_failure(self, job: Job, failed: Failed, now_s: float) -> None:
        """Act on a failure as the table of :mod:`appliance.watch.engine.failures` says for its kind."""
        why, then = failed.sentence, FAILURES[failed.kind].then
        log(INFO, "Not rendered.", job=job.id, name=job.relpath, kind=failed.kind, reason=why)
        if then is Then.RETRY_THEN_REJECT and job.worker_deaths + 1 >= self.config.work.attempts:
            then = Then.REJECT
        match then:
            case Then.REJECT:
                self._journal.reject(job.id, why)
            case Then.REJECT_ONCE_OLD:
                self._retry_while_young(job, why, now_s)
            case Then.TAKE_AGAIN:
                self._journal.record_gone(job.id, why)
                self._intake.offer_again(job.relpath)
            case Then.RETRY:
                self._journal.retry(job.id, why, time.time() + backoff_s(job.attempts, self.config.work))
            case Then.RETRY_THEN_REJECT:
                at_s = time.time() + backoff_s(job.worker_deaths + 1, self.config.work)
                self._journal.retry(job.id, why, at_s, worker_died=True)
            case Then.RETRY_UNCOUNTED:
                wait_s = min(4 * self.config.work.retry_base_s, self.config.work.retry_most_s)
                self._journal.retry(job.id, why, time.time() + wait_s, counted=False)
            case Then.PAUSE_OUTBOX:
                self._journal.retry(job.id, why, time.time(), counted=False)
                self._pause_outbox(why, now_s)
            case Then.PAUSE_ENGINE:
                self._journal.retry(job.id, why, time.time(), counted=False)
                self._pauses.set_until_retry("engine", why, now_s)
                self._worker.end("its pack does not work", intended=True)
            case Then.RETRY_THEN_QUARANTINE:
                self._count_death(job, f"the engine failed: {why}")

    def _retry_while_young(self, job: Job, why: str, now_s: float) -> None:
        """Retry a vocal that does not decode, as it may be an unfinished copy; reject it once it is old."""
        young_s = self._intake.patience_left_s(job.relpath, now_s)
        if young_s > 0:
            self._journal.retry(job.id, f"not complete yet: {why}", time.time() + young_s, counted=False)
        else:
            self._journal.reject(job.id, why)

    def _count_death(self, job: Job, why: str) -> None:
        settings, deaths = self.config.work, job.worker_deaths + 1
        log(ERROR, "The engine crashed on a vocal.", job=job.id, name=job.relpath, deaths=deaths, why=why)
        if deaths >= settings.attempts:
            sentence = f"Rendering it failed {deaths} times for an unknown reason ({why})."
            self._journal.quarantine(job.id, sentence)
        else:
            at_s = time.time() + backoff_s(deaths, settings)
            self._journal.retry(job.id, why, at_s, worker_died=True)

    def _pause_outbox(self, sentence: str, now_s: float) -> None:
        log(WARNING, "The disk refuses results.", reason=sentence)
        self._pauses.set_until_retry("disk", sentence, now_s)


def _is_about_the_vocal(outcome: Failed | Death) -> bool:
    """Whether the outcome is the vocal's own, whatever happened to the folders of results meanwhile."""
    return isinstance(outcome, Failed) and outcome.kind in ("unusable", "changed")


def _stem(name: bytes) -> str:
    """The name of a result's files: the vocal's name, printable and short enough for each ending."""
    text = "".join(c if c.isprintable() else "_" for c in name.decode("utf-8", "replace"))
    return shortened(text.encode(), _STEM_BYTES).decode() or "vocal"
