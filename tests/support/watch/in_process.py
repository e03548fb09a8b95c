"""The daemon's parts in one process, with a fake engine and a simulated clock, without signals.

The fake engine takes no time: its results are a few small files with a receipt. A vocal whose content begins
with ``refuse`` is unusable.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass, field
from pathlib import Path

from appliance.watch.disk.folders import Access
from appliance.watch.engine.messages import Done, Failed, Order, Ready
from appliance.watch.engine.worker import Worker
from appliance.watch.inbox.intake import Intake
from appliance.watch.journal.journal import Journal
from appliance.watch.journal.recovery import recover
from appliance.watch.outbox.publishing import clear_work, holds_result
from appliance.watch.outbox.putting_away import PuttingAway
from appliance.watch.reports.hooks import Hooks
from appliance.watch.service.job_at_work import Rendering
from appliance.watch.service.pauses import Pauses
from appliance.watch.settings.config import Config


def config_of(root: Path) -> Config:
    """Settings with short times; the folders below ``root`` are created."""
    names = ("inbox", "outbox", "archive", "rejected", "state")
    for name in names:
        (root / name).mkdir(parents=True, exist_ok=True)
    (root / "inbox" / ".backline").touch()
    return Config.model_validate(
        {
            "folders": {name: str(root / name) for name in names},
            "intake": {"settle_s": 0.1, "scan_s": 0.1, "patience_s": 0.0, "silent_tail_s": 0.0},
            "work": {"retry_base_s": 0.001, "retry_most_s": 0.001},
        }
    )


class MadeUpWorker(Worker):
    """Renders at once, in this process."""

    def __init__(self) -> None:
        self.ready = Ready("made up", "0", "0" * 64, ["piano"])
        self.order: Order | None = None
        self.given = 0

    @property
    def idle(self) -> bool:
        return True

    def set_deadline(self, until_s: float) -> None:
        pass

    def end(self, why: str, *, intended: bool) -> None:
        pass

    def give(self, order: Order, until_s: float) -> None:
        self.order, self.given = order, self.given + 1


@dataclass
class InProcess:
    """One run of the daemon, beginning with recovery."""

    config: Config
    now_s: float = 0.0
    worker: MadeUpWorker = field(default_factory=MadeUpWorker)

    def __post_init__(self) -> None:
        folders = self.config.folders
        self.journal = Journal(folders.state)
        for root in (folders.outbox, folders.archive, folders.rejected):
            clear_work(root)
        found = lambda job: holds_result(folders.outbox, job.name, job.key)  # noqa: E731
        recover(self.journal, found, 0.0, self.config.work)
        self.pauses = Pauses()
        self.intake = Intake(self.config, self.journal)
        self.intake.pack_sha256 = "0" * 64
        parts = (self.journal, self.intake, Hooks({}))
        self.rendering = Rendering(self.config, Access(), *parts, self.worker, self.pauses)
        self.putting_away = PuttingAway(self.config, Access(), *parts)

    def run(self, rounds: int = 100) -> None:
        """Run rounds of the loop on the simulated clock until no work is left."""
        quiet = 0
        for _ in range(rounds):
            self.round()
            counts = self.journal.counts()
            busy = [counts.get(s, 0) for s in ("waiting", "working", "published", "rejecting")]
            quiet = 0 if any(busy) or self.intake.settling else quiet + 1
            if quiet > 3:
                return
        raise AssertionError(f"never quiet: {self.journal.counts()}, {self.pauses.reason}")

    def start(self) -> None:
        """Run the loop until the engine has a job, which it does not answer yet."""
        for _ in range(1000):
            if self.rendering.job is not None:
                return
            self._begin()
        raise AssertionError(f"never started: {self.journal.counts()}, {self.pauses.reason}")

    def _begin(self) -> None:
        self.now_s += 0.06
        self.intake.look(self.now_s)
        while self.intake.pending:
            self.intake.step(self.now_s)
        self.pauses.expire(self.now_s)
        self.rendering.step(self.now_s, accepting=True)

    def round(self) -> None:
        """Do all work that is due. Raises JournalError."""
        self._begin()
        if self.worker.order is not None:
            order, self.worker.order = self.worker.order, None
            self.rendering.on_message(answered(order), self.now_s)
            self.rendering.step(self.now_s, accepting=False)
        self.putting_away.wake()
        while self.putting_away.pending(self.now_s):
            self.putting_away.step(self.now_s)

    def close(self) -> None:
        self.journal.close()


def answered(order: Order) -> Done | Failed:
    content = (Path(order.inbox) / os.fsdecode(os.fsencode(order.source))).read_bytes()
    if hashlib.sha256(content).hexdigest() != order.sha256:
        return Failed(order.job, "changed", "it changed")
    if content.startswith(b"refuse"):
        return Failed(order.job, "unusable", f"{order.title}: nothing is sung in it.")
    try:
        written(order, content)
    except OSError as error:
        return Failed(order.job, "disk", "the disk is full", error.errno or 0)
    return Done(order.job)


def written(order: Order, content: bytes) -> None:
    """Write a result as the engine does."""
    result = Path(order.work) / "result"
    (result / "stems").mkdir(parents=True)
    files = {f"{order.stem}.mix.wav": b"mix", f"stems/{order.stem}.keys.wav": content}
    for name, data in files.items():
        (result / name).write_bytes(data)
    facts = {"job": order.key, "files": {n: hashlib.sha256(d).hexdigest() for n, d in files.items()}}
    (result / f"{order.stem}.receipt.json").write_text(json.dumps(facts))
