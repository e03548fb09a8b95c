"""The journal's writer is killed at random moments: what it has committed is kept."""

from __future__ import annotations

import os
import random
import shutil
import signal
import struct
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.watch.journal_moves import check_ways, dump, move

from appliance.watch.journal.file import JOURNAL_NAME
from appliance.watch.journal.journal import Journal

ROUNDS = 200
LONGEST_LIFE_S = 0.02


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[Path]:
    """A folder in memory: kill -9 keeps the page cache, so the test needs no disk."""
    shm = Path("/dev/shm")
    folder = Path(tempfile.mkdtemp(dir=shm if os.access(shm, os.W_OK) else tmp_path))
    yield folder
    shutil.rmtree(folder)


class Clock:
    """Returns the number of the move, so that both journals record the same times."""

    number = 0

    def __call__(self) -> float:
        return float(self.number)


def live_until_killed(state: Path, first: int, told: int) -> None:
    """Open the journal and make one move after another; report each move that has returned."""
    clock = Clock()
    with Journal(state, clock) as journal:
        number = first
        while True:
            clock.number = number
            move(journal, number)
            number += 1
            os.write(told, struct.pack("<q", number))


def killed_writer(state: Path, first: int, life_s: float, *, at_work: bool) -> int:
    """Run a writer and kill it; returns the number of moves that were certainly made since the beginning.

    The kill comes ``life_s`` seconds after the writer's first move (``at_work``), or after its start: then
    it may hit the opening of the journal.
    """
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            live_until_killed(state, first, write)
        finally:
            os._exit(1)
    os.close(write)
    with os.fdopen(read, "rb") as told:
        data = told.read(8) if at_work else b""
        time.sleep(life_s)
        os.kill(child, signal.SIGKILL)
        data += told.read()
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status), "the writer should run until it is killed"
    return struct.unpack("<q", data[-8:])[0] if data else first  # type: ignore[no-any-return]


@pytest.mark.slow
def test_kills_at_random_moments(memory: Path) -> None:
    """After each kill the journal equals a reference that was never killed, except for the running move."""
    state, peaceful = memory / "killed", memory / "peaceful"
    state.mkdir()
    peaceful.mkdir()
    random_, clock, made, unacknowledged = random.Random(20), Clock(), 0, 0
    with Journal(peaceful, clock) as reference:
        reference._db.execute("PRAGMA synchronous = OFF")
        for number in range(ROUNDS):
            certain = killed_writer(state, made, random_.uniform(0, LONGEST_LIFE_S), at_work=number % 3 > 0)
            while made < certain:
                clock.number = made
                move(reference, made)
                made += 1
            with Journal(state) as journal:  # this also checks the integrity of the file
                assert journal.notices == []
                if dump(journal) != dump(reference):
                    clock.number = made
                    move(reference, made)
                    made += 1
                    unacknowledged += 1
                assert dump(journal) == dump(reference), f"round {number}, move {made}"
        check_ways(reference)
    assert made > ROUNDS


def test_a_log_torn_anywhere_loses_its_end_only(memory: Path) -> None:
    """The WAL is cut off at a random byte and followed by garbage: the journal shows an earlier state."""
    random_, clock = random.Random(21), Clock()
    pasts = []
    with Journal(memory, clock) as journal:
        for number in range(120):
            clock.number = number
            move(journal, number)
            pasts.append(dump(journal))
        kept = {f.name: f.read_bytes() for f in memory.iterdir()}
    log = kept[f"{JOURNAL_NAME}-wal"]
    seen = set()
    for number in range(60):
        copy = memory / f"copy-{number}"
        copy.mkdir()
        (copy / JOURNAL_NAME).write_bytes(kept[JOURNAL_NAME])
        cut = random_.randrange(len(log))
        tail = random_.randbytes(random_.choice((0, 100, 8192)))
        (copy / f"{JOURNAL_NAME}-wal").write_bytes(log[:cut] + tail)
        with Journal(copy) as journal:
            assert journal.notices == []
            found = dump(journal)
            if found[0]:
                seen.add(pasts.index(found))
                check_ways(journal)
    assert len(seen) > 20
