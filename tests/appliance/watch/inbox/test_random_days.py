"""Random writers over a long time: no vocal is queued early, and none is missed."""

from __future__ import annotations

import hashlib
import os
import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.watch.intake_bench import PATIENCE_S, SCAN_S, SETTLE_S, Bench

from appliance.watch.settings.config import Config


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_random_days(watched: Config, seed: int) -> None:
    """Writers stall, reserve space, replace and rename files, and the service restarts meanwhile."""
    # If only the rest of a block is missing, only the tail of zeros reveals it.
    bench, choice = Bench(watched, intake={"silent_tail_s": PATIENCE_S}), random.Random(seed)
    whole: set[str] = set()
    writers: list[tuple[Path, Iterator[None]]] = []

    def writer(path: Path, data: bytes) -> Iterator[None]:
        """Write chunks with pauses; with reserved space, a pause may be longer than the settle time."""
        reserves, renames = choice.random() < 0.4, choice.random() < 0.2
        target = path.with_name(path.name + ".part") if renames else path
        target.parent.mkdir(exist_ok=True)
        with target.open("wb") as file:
            if reserves:
                os.posix_fallocate(file.fileno(), 0, len(data))
        for start in range(0, len(data), 30_000):
            pause_s = choice.uniform(0, 300.0 if reserves or renames else SETTLE_S - 0.5)
            until_s = bench.now_s + pause_s
            while bench.now_s < until_s:
                yield
            with target.open("r+b") as file:
                file.seek(start)
                file.write(data[start : start + 30_000])
        target.rename(path)
        whole.add(hashlib.sha256(data).hexdigest())

    for number in range(12):
        path = bench.inbox / choice.choice(("", "a/", "b/")) / f"{number % 8}.wav"
        size = choice.randrange(1, 150_000)
        writers.append((path, writer(path, choice.randbytes(size) + b"\x01")))
    active: dict[Path, Iterator[None]] = {}
    for _ in range(6000):
        for path, work in list(writers):
            if path not in active and choice.random() < 0.05:
                writers.remove((path, work))
                active[path] = work
        for path, work in list(active.items()):
            if next(work, "end") == "end":
                del active[path]
        if choice.random() < 0.01:
            bench.begin()
        bench.run(0.4)
        for job in bench.journal.in_state("waiting"):
            assert job.content_sha256 in whole, f"{job.shown} was taken early"
        if not writers and not active:
            break
    assert not writers and not active
    bench.run(SETTLE_S + 2 * SCAN_S)
    lying = {hashlib.sha256(file.read_bytes()).hexdigest() for file in bench.inbox.rglob("*.wav")}
    assert {job.content_sha256 for job in bench.journal.in_state("waiting")} == lying, bench.intake.held
    bench.journal.close()
