"""Takes snapshots of the daemon's status from its parts."""

from __future__ import annotations

import time
from importlib.metadata import version

from appliance.watch.disk.found import shown
from appliance.watch.engine.worker import Worker
from appliance.watch.inbox.intake import Intake
from appliance.watch.journal.journal import Journal
from appliance.watch.outbox.putting_away import PuttingAway
from appliance.watch.service.engine_keeper import EngineKeeper
from appliance.watch.service.job_at_work import Rendering
from appliance.watch.service.pauses import Pauses
from appliance.watch.service.snapshot import MAX_HELD, DaemonState, Running, Snapshot


class Observer:
    """Takes snapshots. The daemon itself sets ``queue_limit``, ``free_bytes`` and ``stopping``."""

    def __init__(
        self,
        journal: Journal,
        intake: Intake,
        pauses: Pauses,
        engine: EngineKeeper,
        worker: Worker,
        rendering: Rendering,
        putting_away: PuttingAway,
    ) -> None:
        self._journal, self._intake, self._pauses = journal, intake, pauses
        self._engine, self._worker = engine, worker
        self._rendering, self._putting_away = rendering, putting_away
        self._version = version("backline")
        self.queue_limit = 0
        self.free_bytes: int | None = None
        """Free bytes in the outbox; None until the first scan."""
        self.stopping = False

    def snapshot(self, now_s: float) -> Snapshot:
        """The daemon's status at ``now_s`` (monotonic seconds). Raises JournalError."""
        intake, ready = self._intake, self._worker.ready
        counts = self._journal.counts()
        oldest_s = self._journal.oldest_waiting_s()
        scan, scan_s = intake.last_scan, intake.last_scan_s
        held = sorted(intake.held.items())
        return Snapshot(
            version=self._version,
            state=self._state(),
            paused=self._pauses.reason,
            pack=None
            if ready is None
            else {
                "name": ready.pack,
                "version": ready.version,
                "sha256": ready.sha256,
                "profile": self._worker.tuning.profile,
            },
            waiting=counts.get("waiting", 0),
            settling=intake.settling,
            queue_limit=self.queue_limit,
            oldest_waiting_s=None if oldest_s is None else max(0.0, time.time() - oldest_s),
            running=self._running(now_s),
            scan_age_s=None if scan_s is None else now_s - scan_s,
            scan_seconds=0.0 if scan is None else scan.seconds,
            inbox_there=scan is not None and scan.sentinel,
            scan_troubles=0 if scan is None else len(scan.troubles),
            held={shown(path): why for path, why in held[:MAX_HELD]},
            held_count=len(held),
            free_mb=None if self.free_bytes is None else self.free_bytes >> 20,
            counts=counts,
            rejected_count=counts.get("rejected", 0) + counts.get("quarantined", 0),
            trouble=self._putting_away.trouble or self._rendering.trouble,
            engine_pid=self._worker.pid,
            engine_starts=self._engine.starts,
            engine_deaths=self._engine.deaths,
            tuned=self._worker.tuning.share,
            pack_trouble=self._engine.pack.trouble,
        )

    def _state(self) -> DaemonState:
        if self.stopping:
            return "stopping"
        if not self._engine.started:
            return "starting"
        if self._rendering.job is not None:
            return "working"
        return "paused" if self._pauses.reason else "idle"

    def _running(self, now_s: float) -> Running | None:
        rendering = self._rendering
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
