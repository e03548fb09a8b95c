"""Keeps an engine running, with the pack that it should have: started, renewed between jobs, restarted."""

from __future__ import annotations

import time
from dataclasses import replace

from appliance.errors import BacklineError, PackError
from appliance.watch.engine.chosen_pack import ChosenPack
from appliance.watch.engine.messages import Done, Failed, Message, Progress, Ready
from appliance.watch.engine.setup import setup_of
from appliance.watch.engine.worker import Death, Worker
from appliance.watch.inbox.intake import Intake
from appliance.watch.reports.logs import ERROR, NOTICE, WARNING, log
from appliance.watch.reports.systemd import Notifier
from appliance.watch.service.job_at_work import Rendering
from appliance.watch.service.pauses import Pauses
from appliance.watch.settings.config import Config

_LONGEST_END_S = 5.0
"""So long a killed engine is waited for."""


class EngineKeeper:
    """Keeps ``worker`` ready for the job that ``rendering`` has. ``fatal``: why the service cannot start."""

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
        worker.listen(self._said, self._died)
        self.pack = ChosenPack(config.work.pack)
        self.started = False
        """Whether an engine has ever been ready."""
        self.starts = self.deaths = 0
        self.fatal: BacklineError | None = None
        self._renew = False

    def fits(self) -> bool:
        """Whether a job may be given to the engine: it has the pack and the settings that are wanted now."""
        if self._worker.idle and not self._renew and self.pack.stale:
            log(NOTICE, "Another pack is wanted.", pack=self.pack.wanted)
            self._renew = True
        return not self._renew

    def reconfigure(self, new: Config) -> None:
        """Settings were read again; the engine takes them after its job."""
        self._renew = self._renew or setup_of(new) != setup_of(self._config)
        self._config = new
        self.pack.reconsider(new.work.pack)

    def tend(self, now_s: float, *, stopping: bool) -> None:
        """Ends an engine that is to be renewed, and starts one where none runs, unless the service stops."""
        pauses = self._pauses
        if self._renew and self._rendering.job is None:
            self._renew = False
            self._worker.end("it takes other settings", meant=True)
        self._worker.tend(now_s)
        if self._worker.running or stopping:
            return
        if pauses.stands("engine"):
            if not self.pack.stale:
                return
            pauses.set("engine", None)  # there is something else to try
        try:
            folder = str(self.pack.folder())
            self._worker.start(replace(setup_of(self._config), pack=folder), now_s)
            self.starts += 1
        except OSError as error:
            pauses.set_for_a_while("engine", f"The engine cannot start: {error.strerror}.", now_s)

    def end(self) -> None:
        """Kills the engine, if there is one, and waits until it is gone."""
        self._worker.end("the service stops", meant=True)
        give_up_s = time.monotonic() + _LONGEST_END_S
        while self._worker.running and time.monotonic() < give_up_s:
            self._worker.tend(time.monotonic())
            time.sleep(0.01)

    def _said(self, message: Message) -> None:
        if isinstance(message, Ready):
            style = self._config.work.style
            if style not in message.styles:
                known = ", ".join(message.styles)
                self._unfit(f"work.style: this pack has no '{style}', but {known}.")
                return
            log(NOTICE, "Ready.", pack=message.pack, version=message.version, sha256=message.sha256)
            self.pack.works()
            self._intake.pack_sha256 = message.sha256
            self._pauses.set("engine", None)
            if not self.started:
                self.started = True
                self._notifier.ready()
        elif isinstance(message, Failed) and message.job == 0:
            self._unfit(message.sentence)
        elif isinstance(message, Progress | Done | Failed):
            self._rendering.heard(message, time.monotonic())

    def _unfit(self, sentence: str) -> None:
        """The pack does not work. Another one plays, where there is one; else it is the end of a service that
        starts, and a pause for one that runs."""
        log(ERROR, sentence)
        if self.pack.refuse(sentence):
            self._instead()
        else:
            if not self.started:
                self.fatal = PackError(sentence)
            self._pauses.set_for_a_while("engine", sentence, time.monotonic())
        self._worker.end("its pack does not work", meant=True)

    def _died(self, death: Death) -> None:
        if not death.meant:
            self.deaths += 1
            sentence = f"The engine {death.why}; it is started again."
            log(WARNING, sentence)
            if self.pack.died(death.why):
                self._instead()
            else:
                self._pauses.set_for_a_while("engine", sentence, time.monotonic())
        self._rendering.died(death)

    def _instead(self) -> None:
        log(ERROR, "The pack that the settings name does not work; another one plays.", pack=self.pack.wanted)
