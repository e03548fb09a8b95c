"""Takes snapshots of the daemon's status from its parts."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping
from importlib.metadata import version
from itertools import islice

from appliance.watch.disk.found import shown
from appliance.watch.engine.worker import Worker
from appliance.watch.inbox.intake import Intake
from appliance.watch.inbox.other_files import LEFT_KINDS
from appliance.watch.inbox.scan import Scan
from appliance.watch.journal.journal import Journal
from appliance.watch.outbox.putting_away import PuttingAway
from appliance.watch.reports.logs import plain
from appliance.watch.service.engine_keeper import EngineKeeper
from appliance.watch.service.job_at_work import Rendering
from appliance.watch.service.pauses import Pauses
from appliance.watch.service.snapshot import MAX_NAMED, DaemonState, Running, Snapshot


class Observer:
    """Takes snapshots. The daemon itself sets ``queue_limit``, ``free_bytes``, ``stopping`` and ``parts``."""

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
        self.parts: list[Callable[[], Mapping[str, str]]] = []
        """What parts of the service say of their own troubles: name to sentence."""

    def snapshot(self, now_s: float) -> Snapshot:
        """The daemon's status at ``now_s`` (monotonic seconds). Raises JournalError."""
        intake, ready = self._intake, self._worker.ready
        counts = self._journal.counts()
        oldest_s = self._journal.oldest_waiting_s()
        scan, scan_s = intake.last_scan, intake.last_scan_s
        held, unused = sorted(intake.held.items()), sorted(intake.unused.why.items())
        troubles = self._troubles()
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
            held={shown(path): why for path, why in held[:MAX_NAMED]},
            held_count=len(held),
            free_mb=None if self.free_bytes is None else self.free_bytes >> 20,
            counts=counts,
            rejected_count=counts.get("rejected", 0) + counts.get("quarantined", 0),
            trouble=next((f"{name}: {why}" for name, why in troubles.items()), ""),
            engine_pid=self._worker.pid,
            engine_starts=self._engine.starts,
            engine_deaths=self._engine.deaths,
            tuned=self._worker.tuning.share,
            pack_trouble=self._engine.pack.trouble,
            troubles=dict(islice(troubles.items(), MAX_NAMED)),
            trouble_count=len(troubles),
            unread={} if scan is None else {_place(it.path): it.sentence for it in scan.troubles[:MAX_NAMED]},
            ignored={} if scan is None else {shown(it.path): it.what for it in scan.ignored[:MAX_NAMED]},
            ignored_count=0 if scan is None else scan.others,
            unused={shown(path): why for path, why in unused[:MAX_NAMED]},
            unused_count=len(unused),
            left=self._left(scan),
        )

    def _troubles(self) -> dict[str, str]:
        """What is not over: vocals that cannot be moved or were retried, failing parts of the service."""
        troubles = {job.shown: why for job, why in self._putting_away.troubles.values()}
        troubles |= {job.shown: plain(why) for job, why in self._journal.troubles()}
        for part in self.parts:
            troubles |= part()
        return troubles

    def _left(self, scan: Scan | None) -> dict[str, int]:
        """Number of files by kind that are neither vocals nor companions."""
        left = Counter({} if scan is None else scan.left)
        left["document"] += self._intake.unused.texts
        return {kind: left[kind] for kind in LEFT_KINDS if left[kind]}

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


def _place(path: bytes) -> str:
    return shown(path) or "the inbox"
