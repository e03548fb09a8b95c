"""Where the daemon tells of itself: systemd's status line, Prometheus, and whoever asks over the socket."""

from __future__ import annotations

import time
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from appliance.watch.disk.found import shown
from appliance.watch.reports.logs import ERROR, WARNING, log
from appliance.watch.service.snapshot import MOST_HELD, Running, Snapshot, State

if TYPE_CHECKING:
    from appliance.watch.service.daemon import Daemon
    from appliance.watch.service.metrics import Metrics

TELL_EVERY_S = 2.0
WRITE_EVERY_S = 15.0


class Outlets:
    """Tells, every now and then. ``free_bytes`` is set by whoever measures it."""

    def __init__(self, daemon: Daemon) -> None:
        self._daemon = daemon
        self.free_bytes: int | None = None
        self._told_s = float("-inf")
        self._written_s = float("-inf")
        self._write_failed = False
        self._version = version("backline")
        self._address = ""
        self._metrics: Metrics | None = None
        self.reconfigure()

    def reconfigure(self) -> None:
        """Serves Prometheus as the settings say."""
        wanted = self._daemon.config.metrics
        if not wanted.listen and not wanted.textfile:
            self.close()
            return
        from appliance.watch.service.metrics import Metrics  # not every installation has it on

        if self._metrics is None:
            self._metrics = Metrics()
        if wanted.listen == self._address:
            return
        self._metrics.close()
        self._address = ""
        if wanted.listen:
            try:
                self._metrics.listen(wanted.listen)
                self._address = wanted.listen
            except OSError as error:
                log(ERROR, "Metrics cannot be served.", address=wanted.listen, reason=str(error))

    def close(self) -> None:
        """Stops serving."""
        if self._metrics is not None:
            self._metrics.close()
        self._metrics, self._address = None, ""

    def tell(self, now_s: float) -> None:
        """Tells everybody, if it is time."""
        if now_s - self._told_s < TELL_EVERY_S:
            return
        self._told_s = now_s
        snapshot = self.snapshot(now_s)
        self._daemon.notifier.status(snapshot.sentence)
        if self._metrics is None:
            return
        self._metrics.update(snapshot)
        textfile = self._daemon.config.metrics.textfile
        if isinstance(textfile, Path) and now_s - self._written_s >= WRITE_EVERY_S:
            self._written_s = now_s
            try:
                self._metrics.write(textfile)
                self._write_failed = False
            except OSError as error:
                if not self._write_failed:
                    log(WARNING, "Metrics cannot be written.", file=textfile, reason=str(error))
                self._write_failed = True

    def snapshot(self, now_s: float) -> Snapshot:
        """The daemon at this moment. Raises JournalError."""
        daemon = self._daemon
        intake, ready = daemon.intake, daemon.worker.ready
        counts = daemon.journal.counts()
        oldest_s = daemon.journal.oldest_waiting_s()
        look, looked_s = intake.last_look, intake.last_look_s
        held = sorted(intake.held.items())
        return Snapshot(
            version=self._version,
            state=self._state(),
            paused=daemon.pauses.reason,
            pack=None
            if ready is None
            else {
                "name": ready.pack,
                "version": ready.version,
                "sha256": ready.sha256,
                "plan": daemon.worker.tuning.plan,
            },
            waiting=counts.get("waiting", 0),
            settling=intake.settling,
            queue_limit=daemon.config.work.queue_limit,
            oldest_waiting_s=None if oldest_s is None else max(0.0, time.time() - oldest_s),
            running=self._running(now_s),
            scan_age_s=None if looked_s is None else now_s - looked_s,
            scan_seconds=0.0 if look is None else look.seconds,
            inbox_there=look is not None and look.sentinel,
            scan_troubles=0 if look is None else len(look.troubles),
            held={shown(path): why for path, why in held[:MOST_HELD]},
            held_count=len(held),
            free_mb=None if self.free_bytes is None else self.free_bytes >> 20,
            counts=counts,
            rejected=counts.get("rejected", 0) + counts.get("quarantined", 0),
            trouble=daemon.putting_away.trouble or daemon.rendering.trouble,
            engine_pid=daemon.worker.pid,
            engine_starts=daemon.engine.starts,
            engine_deaths=daemon.engine.deaths,
            tuned=daemon.worker.tuning.share,
            pack_trouble=daemon.engine.pack.trouble,
        )

    def _state(self) -> State:
        daemon = self._daemon
        if daemon.stop_by_s is not None:
            return "stopping"
        if not daemon.engine.started:
            return "starting"
        if daemon.rendering.job is not None:
            return "working"
        return "paused" if daemon.pauses.reason else "idle"

    def _running(self, now_s: float) -> Running | None:
        rendering = self._daemon.rendering
        job = rendering.job
        if job is None:
            return None
        return Running(
            job=job.id,
            name=job.shown,
            progress=rendering.share,
            elapsed_s=now_s - rendering.started_s,
            left_s=rendering.left_s(now_s),
            duration_s=job.duration_s,
            attempt=job.attempts,
        )
