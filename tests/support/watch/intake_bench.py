"""Inbox, intake and journal with a simulated clock."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from appliance.watch.inbox.intake import Intake
from appliance.watch.journal.journal import Journal
from appliance.watch.journal.rows import Job
from appliance.watch.settings.config import Config

SETTLE_S, SCAN_S, PATIENCE_S, TAIL_S = 10.0, 5.0, 600.0, 60.0


class Bench:
    """Inbox, intake and journal; ``now_s`` is the simulated clock."""

    def __init__(self, config: Config, **sections: dict[str, Any]) -> None:
        times = {"settle_s": SETTLE_S, "scan_s": SCAN_S, "patience_s": PATIENCE_S, "silent_tail_s": TAIL_S}
        changes = {"intake": {**times, **sections.pop("intake", {})}, **sections}
        dumped = config.model_dump(mode="json")
        self.config = Config.model_validate({**dumped, **{k: {**dumped[k], **v} for k, v in changes.items()}})
        self.inbox = config.folders.inbox
        self.now_s = 1000.0
        self.said: list[str] = []
        self.journal = Journal(config.folders.state, lambda: self.now_s)
        self.journal._db.execute("PRAGMA synchronous = OFF")
        self.begin()

    def begin(self) -> None:
        """Create a new intake, as after a restart."""
        self.intake = Intake(self.config, self.journal, self.said.append)
        self.intake.pack_sha256 = "pack"

    def put(self, path: str, data: bytes | str = b"sound") -> Path:
        file = self.inbox / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data if isinstance(data, bytes) else data.encode())
        return file

    def run(self, seconds: float) -> None:
        """Advance the clock, scanning as the daemon's loop does."""
        end_s = self.now_s + seconds
        while self.now_s < end_s:
            if self.intake.due_s() <= self.now_s:
                self.intake.look(self.now_s)
            while self.intake.pending:
                self.intake.step(self.now_s)
            self.now_s = min(end_s, max(self.intake.due_s(), self.now_s + 0.01))

    def queue(self) -> list[str]:
        return [os.fsdecode(job.relpath) for job in self.journal.in_state("waiting")]

    def finish(self, path: str) -> Job:
        """Finish a job as the daemon does: publish a result and put the vocal away."""
        job = self.journal.by_path(os.fsencode(path))
        assert job is not None
        self.journal.start(job.id)
        (self.config.folders.outbox / os.fsdecode(job.name)).mkdir(parents=True)
        self.journal.record_published(job.id)
        self.put_away(job)
        return self.journal.record_done(job.id)

    def put_away(self, job: Job) -> None:
        for name in (job.relpath, *self.intake.companions(job.relpath)):
            (self.inbox / os.fsdecode(name)).unlink()
