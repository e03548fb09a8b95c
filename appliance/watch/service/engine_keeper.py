"""Keeps an engine running with the chosen pack: starts it, renews it between jobs, restarts it."""

from __future__ import annotations

import time
from dataclasses import replace

from appliance.errors import BacklineError, PackError
from appliance.watch.engine.chosen_pack import ChosenPack
from appliance.watch.engine.messages import Done, Failed, Message, Progress, Ready
from appliance.watch.engine.setup import setup_of
from appliance.watch.engine.worker import Death, Worker
from appliance.watch.inbox.intake import Intake
from appliance.watch.journal.states import RENEWED, STOPPED
from appliance.watch.reports.logs import ERROR, NOTICE, WARNING, log
from appliance.watch.reports.systemd import Notifier
from appliance.watch.service.job_at_work import Rendering
from appliance.watch.service.pauses import Pauses
from appliance.watch.settings.config import Config

_LONGEST_END_S = 5.0
"""Time to wait for a killed engine."""


class EngineKeeper:
    """Keeps ``worker`` ready for the jobs of ``rendering``. ``fatal`` is an error that ends the service."""

    def __init__(
        self,
        config: Config,
        worker: Worker,
        pauses: Pauses,
        rendering: Rendering,
        intake: Intake,
        notifier: Notifier,
    ) -> None:
        self._config, self._worker, self._pauses = config, worker, pauses
        self._rendering, self._intake, self._notifier = rendering, intake, notifier
        worker.listen(self._on_message, self._on_death)
        self.pack = ChosenPack(config.work.pack)
        self.started = False
        """Whether an engine has been ready since the start of the service."""
        self.starts = self.deaths = 0
        self.fatal: BacklineError | None = None
        self._renew = False

    def is_current(self) -> bool:
        """Whether the engine has the chosen pack and the current settings, so that it may get a job."""
        if self._worker.idle and not self._renew and self.pack.stale:
            log(NOTICE, "Another pack was selected.", pack=self.pack.wanted)
            self._renew = True
        return not self._renew

    def reconfigure(self, new: Config) -> None:
        """Apply new settings; a changed engine is renewed after its job."""
        self._renew = self._renew or setup_of(new) != setup_of(self._config)
        self._config = new
        self.pack.reconsider(new.work.pack)

    def update(self, now_s: float, *, stopping: bool) -> None:
        """End an engine that must be renewed, and start one if none runs, unless the service is stopping."""
        pauses = self._pauses
        if self._renew and self._rendering.job is None:
            self._renew = False
            self._worker.end(RENEWED, intended=True)
        self._worker.poll(now_s)
        if self._worker.running or stopping:
            return
        if pauses.active("engine"):
            if not self.pack.stale:
                return
            pauses.set("engine", None)  # another pack was selected: try it
        try:
            folder = str(self.pack.folder())
            self._worker.start(replace(setup_of(self._config), pack=folder), now_s)
            self.starts += 1
        except OSError as error:
            pauses.set_until_retry("engine", f"The engine cannot start: {error.strerror}.", now_s)

    def end(self) -> None:
        """Kill the engine, if one runs, and wait until it has ended."""
        self._worker.end(STOPPED, intended=True)
        give_up_s = time.monotonic() + _LONGEST_END_S
        while self._worker.running and time.monotonic() < give_up_s:
            self._worker.poll(time.monotonic())
            time.sleep(0.01)

    def _on_message(self, message: Message) -> None:
        if isinstance(message, Ready):
            style = self._config.work.style
            if style not in message.styles:
                known = ", ".join(message.styles)
                self._reject_pack(f"work.style: the pack has no style '{style}'; choose one of {known}.")
                return
            log(NOTICE, "Ready.", pack=message.pack, version=message.version, sha256=message.sha256)
            self.pack.accept()
            self._intake.pack_sha256 = message.sha256
            self._pauses.set("engine", None)
            if not self.started:
                self.started = True
                self._notifier.ready()
        elif isinstance(message, Failed) and message.job == 0:
            self._reject_pack(message.sentence)
        elif isinstance(message, Progress | Done | Failed):
            self._rendering.on_message(message, time.monotonic())

    def _reject_pack(self, sentence: str) -> None:
        """Fall back to another pack, if possible; otherwise end a starting service, pause a running one."""
        log(ERROR, sentence)
        if self.pack.refuse(sentence):
            self._log_fallback()
        else:
            if not self.started:
                self.fatal = PackError(sentence)
            self._pauses.set_until_retry("engine", sentence, time.monotonic())
        self._worker.end("its pack does not work", intended=True)

    def _on_death(self, death: Death) -> None:
        if not death.intended:
            self.deaths += 1
            sentence = f"The engine {death.why}; it is restarted."
            log(WARNING, sentence)
            if self.pack.died(death.why):
                self._log_fallback()
            else:
                self._pauses.set_until_retry("engine", sentence, time.monotonic())
        self._rendering.on_death(death)

    def _log_fallback(self) -> None:
        log(ERROR, "The pack of the settings does not work; another one is used.", pack=self.pack.wanted)
