"""``backline watch``: the daemon's main loop, in one thread.

The daemon parses no audio and loads no network; its child processes do. It is the only writer of the journal
and the only process that moves the users' files. Each round of the loop waits for an event (a signal, the
engine, a client), then does a short step of each kind of work that is due: scan, take, render, publish, put
away. A failure pauses the affected work, which is retried later; only a bug ends the loop.
"""

from __future__ import annotations

import os
import selectors
import time
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from appliance.errors import BacklineError, OutputError
from appliance.watch.engine.worker import Worker
from appliance.watch.inbox.intake import Intake
from appliance.watch.inbox.sentinel import ensure_sentinel, missing
from appliance.watch.journal.file import JournalError
from appliance.watch.journal.journal import Journal
from appliance.watch.journal.recovery import recover
from appliance.watch.journal.states import STOPPED
from appliance.watch.outbox.publishing import clear_work, keeps_result
from appliance.watch.outbox.putting_away import PuttingAway
from appliance.watch.outbox.roots import access_of, claim_outbox
from appliance.watch.reports.hooks import Hooks
from appliance.watch.reports.logs import ERROR, INFO, NOTICE, WARNING, log
from appliance.watch.reports.systemd import Notifier
from appliance.watch.service.answers import Answers
from appliance.watch.service.control import Control
from appliance.watch.service.engine_keeper import EngineKeeper
from appliance.watch.service.job_at_work import Rendering
from appliance.watch.service.observer import Observer
from appliance.watch.service.outlets import Outlets
from appliance.watch.service.pauses import Pauses
from appliance.watch.service.scan_log import ScanLog
from appliance.watch.service.signals import Signals
from appliance.watch.settings.check import folder_overlaps, refuse_overlaps
from appliance.watch.settings.config import Config

_LONGEST_SLEEP_S = 1.0
_SCAN_OVERDUE_S = 60.0
"""If the next scan is overdue by more than this, the watchdog is not fed."""
_TIDY_UP_S = 5.0
"""Time that a stop waits for vocals being put away; the next start continues with the rest."""


def watch(config_path: Path | None, *, adopt_inbox: bool = False) -> int:
    """Run the daemon until it is stopped; returns the exit status. Raises BacklineError at a failed start."""
    os.umask(0o027)
    config = Config.read(config_path)
    refuse_overlaps(config)
    with ExitStack() as held:
        journal = held.enter_context(Journal(config.folders.state))
        for notice in journal.notices:
            log(ERROR, notice)
        daemon = Daemon(config, journal, held, config_path)
        daemon.prepare(adopt_inbox=adopt_inbox)
        daemon.run()
    return 0


class Daemon:
    """Creates and connects all parts; ``held`` closes them at the end."""

    def __init__(self, config: Config, journal: Journal, held: ExitStack, config_path: Path | None) -> None:
        self.config, self.journal, self._path = config, journal, config_path
        access = access_of(config)
        held.callback(os.close, claim_outbox(config))
        selector = held.enter_context(selectors.DefaultSelector())
        self._select = selector.select
        self.signals = Signals(selector)
        held.callback(self.signals.close)
        self.notifier = Notifier()
        self.hooks = Hooks(config.hooks.model_dump())
        held.callback(self.hooks.stop)
        self.pauses = Pauses(self._pause_changed, min(5.0, config.work.retry_base_s))
        self.intake = Intake(config, journal, lambda sentence: log(INFO, sentence))
        self.worker = Worker(selector)
        parts = (journal, self.intake, self.hooks)
        self.rendering = Rendering(config, access, *parts, self.worker, self.pauses)
        self.putting_away = PuttingAway(config, access, *parts)
        self.engine = EngineKeeper(
            config, self.worker, self.pauses, self.rendering, self.intake, self.notifier
        )
        held.callback(self.engine.end)
        self.observer = Observer(
            journal,
            self.intake,
            self.pauses,
            self.engine,
            self.worker,
            self.rendering,
            self.putting_away,
        )
        self.observer.queue_limit = config.work.queue_limit
        self.outlets = Outlets(config.metrics, self.notifier)
        self._settings_trouble: dict[str, str] = {}
        self._scan_log = ScanLog()
        self.observer.parts += [
            lambda: {f"hooks.{event}": why for event, why in self.hooks.troubles.items()},
            lambda: self.outlets.troubles,
            lambda: self._settings_trouble,
        ]
        held.callback(self.outlets.close)
        answers = Answers(
            journal,
            self.intake,
            self.pauses,
            config.folders.inbox,
            lambda: self.observer.snapshot(time.monotonic()),
            self.signals.ask_for_reload,
        )
        self.control = Control(config.folders.state, selector, answers.answer, time.monotonic)
        held.callback(self.control.close)
        self.stop_by_s: float | None = None
        """Deadline of a stop in monotonic seconds; None unless the service is stopping."""

    def prepare(self, *, adopt_inbox: bool) -> None:
        """Recover journal and folders after an interruption, and check the sentinel. Raises OutputError."""
        folders = self.config.folders
        try:
            for root in (folders.outbox, folders.archive, folders.rejected):
                clear_work(root)
            found = recover(
                self.journal,
                lambda job: keeps_result(folders.outbox, job.name, job.key),
                time.time(),
                self.config.work,
            )
        except OSError as error:
            where = error.filename or folders.outbox
            raise OutputError(
                f"{where} cannot be used: {error.strerror}; check that it exists and is writable."
            ) from error
        for job in found.interrupted:
            log(NOTICE, "Queued again after an interruption.", job=job.id, name=job.relpath)
        refusal = ensure_sentinel(folders.inbox, self.config.intake, self.journal, adopt=adopt_inbox)
        self.pauses.set("inbox", refusal or None)
        self.pauses.set("asked", self.journal.pause_reason())

    def run(self) -> None:
        """Run the loop until the service is stopped. Raises BacklineError if no engine can start at all."""
        while not self._round(time.monotonic()):
            if self.engine.fatal is not None:
                raise self.engine.fatal
            for key, mask in self._select(self._sleep_s(time.monotonic())):
                self._guarded(partial(key.data, mask))
        self.engine.end()
        log(NOTICE, "Stopped.")

    def _round(self, now_s: float) -> bool:
        """Do a step of all work that is due; returns True when the service may end."""
        self._handle_signals(now_s)
        self.pauses.expire(now_s)
        for work in (self._scan, self._update_engine, self._take, self._render, self._put_away):
            self._guarded(partial(work, now_s))
        self.hooks.poll(now_s)
        self.control.drop_slow_clients()
        self._guarded(partial(self._report, now_s))
        last_s = self.intake.last_scan_s
        bound_s = self.config.intake.scan_s + _SCAN_OVERDUE_S
        if self.stop_by_s is not None or (last_s is not None and now_s - last_s < bound_s):
            self.notifier.feed_watchdog(now_s)
        return self.stop_by_s is not None and self._may_end(now_s)

    def _update_engine(self, now_s: float) -> None:
        self.engine.update(now_s, stopping=self.stop_by_s is not None)

    def _report(self, now_s: float) -> None:
        if self.outlets.due(now_s):
            self.outlets.report(self.observer.snapshot(now_s), now_s)

    def _guarded(self, work: Callable[[], object]) -> None:
        try:
            work()
        except JournalError as error:
            log(WARNING, str(error))
            self.pauses.set_until_retry("journal", str(error), time.monotonic())

    def _sleep_s(self, now_s: float) -> float:
        if self._can_take or self._can_put_away(now_s) or self.rendering.can_conclude:
            return 0.0
        return max(0.0, min(_LONGEST_SLEEP_S, self.intake.due_s() - now_s))

    def _scan(self, now_s: float) -> None:
        if self.intake.due_s() > now_s or self.stop_by_s is not None:
            return
        folders, space = self.config.folders, self.config.space
        seen = self.intake.look(now_s)
        if not seen.sentinel and not self.pauses.active("inbox"):
            self.pauses.set("inbox", missing(folders.inbox, self.config.intake))
        elif seen.sentinel and self.pauses.active("inbox"):
            ensure_sentinel(folders.inbox, self.config.intake, self.journal)
            self.pauses.set("inbox", None)
        self._scan_log.report(seen)
        self.putting_away.wake()
        overlaps = " ".join(folder_overlaps(self.config))
        self.pauses.set("folders", self.rendering.roots.changed() or overlaps or None)
        try:
            found = os.statvfs(folders.outbox)
        except OSError as error:
            self.pauses.set("space", f"The outbox cannot be read: {error.strerror}.")
            return
        free_bytes = found.f_bavail * found.f_frsize
        self.observer.free_bytes = free_bytes
        self.pauses.free_space(free_bytes, space.least_free_mb << 20, space.resume_free_mb << 20)

    @property
    def _can_take(self) -> bool:
        return self.stop_by_s is None and self.intake.pending and not self.pauses.active("inbox", "journal")

    def _take(self, now_s: float) -> None:
        if self._can_take:
            self.intake.step(now_s)
            self.putting_away.wake()

    def _render(self, now_s: float) -> None:
        accepting = self.stop_by_s is None and self.engine.is_current()
        if self.rendering.step(now_s, accepting=accepting):
            self.putting_away.wake()

    def _can_put_away(self, now_s: float) -> bool:
        if self.intake.last_scan is None or self.pauses.active("inbox", "journal", "folders"):
            return False
        return self.putting_away.pending(now_s)

    def _put_away(self, now_s: float) -> None:
        if self._can_put_away(now_s):
            self.putting_away.step(now_s)

    def _pause_changed(self, before: str | None, reason: str | None) -> None:
        if reason is None:
            log(NOTICE, "The work is resumed.")
        else:
            log(WARNING, "The work is paused.", reason=reason)
        if before is None and reason is not None:
            self.hooks.trigger("paused", reason=reason)

    def _handle_signals(self, now_s: float) -> None:
        if self.signals.stops and self.stop_by_s is None:
            self._begin_stop(now_s)
        if self.signals.reload:
            self.signals.reload = False
            if self.engine.started:
                self.notifier.reloading()
            self._reload()
            if self.engine.started:
                self.notifier.ready()

    def _begin_stop(self, now_s: float) -> None:
        self.notifier.stopping()
        self.observer.stopping = True
        left_s = self.rendering.left_s(now_s)
        self.stop_by_s = now_s + _TIDY_UP_S
        if left_s is not None and left_s < self.config.work.drain_s:
            self.stop_by_s += self.config.work.drain_s
        else:
            self.worker.end(STOPPED, intended=True)
        log(NOTICE, "Stopping.", left_s="unknown" if left_s is None else left_s)

    def _may_end(self, now_s: float) -> bool:
        assert self.stop_by_s is not None
        if self.signals.stops > 1 or now_s >= self.stop_by_s:
            return True
        if now_s >= self.stop_by_s - _TIDY_UP_S:
            self.worker.end(STOPPED, intended=True)
        # A result that cannot be published now is rendered again after the next start.
        idle = self.rendering.job is None or self.rendering.is_stuck
        return idle and not self._can_put_away(now_s)

    def _reload(self) -> None:
        try:
            new = self.config.reloaded(self._path)
            refuse_overlaps(new)
            access = access_of(new)
        except BacklineError as error:
            log(ERROR, f"The settings stay as they were: {error}")
            self._settings_trouble = {"settings": f"not reloaded: {error}"}
            return
        self._settings_trouble = {}
        self.engine.reconfigure(new)
        self.config = self.rendering.config = self.putting_away.config = new
        self.rendering.access = self.putting_away.access = access
        self.intake.reconfigure(new)
        self.hooks.commands = new.hooks.model_dump()
        self.observer.queue_limit = new.work.queue_limit
        self.outlets.reconfigure(new.metrics)
        self.pauses.set("engine", None)
        log(NOTICE, "Settings were read again.")
