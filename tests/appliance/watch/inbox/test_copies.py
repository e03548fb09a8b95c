"""Processes copy into the inbox slowly, in chunks, with reserved space, interrupted and resumed."""

from __future__ import annotations

import hashlib
import os
import random
import signal
import time
from pathlib import Path

import pytest

from appliance.watch.inbox.intake import Intake
from appliance.watch.journal.journal import Journal
from appliance.watch.settings.config import Config

COPIES = 60
SETTLE_S = 0.3


def content(number: int) -> bytes:
    choice = random.Random(number)
    return choice.randbytes(choice.randrange(1, 120_000)) + b"\x01"


def copy(inbox: Path, number: int, whole: Path) -> None:
    """Copy in one of several ways, in a separate process; then create a file that says it is done."""
    choice, data = random.Random(1000 + number), content(number)
    path = inbox / ("sub" if number % 3 == 0 else "") / f"{number}.wav"
    way = ("held open", "reserved", "sized first", "renamed in", "backwards", "killed and resumed")[
        number % 6
    ]
    target = path.with_name(f".{path.name}.x7Gh2k") if way == "renamed in" else path
    pause_s = 4 * SETTLE_S
    file = os.open(target, os.O_RDWR | os.O_CREAT, 0o644)
    if way in ("reserved", "killed and resumed"):
        os.posix_fallocate(file, 0, len(data))
    elif way in ("sized first", "backwards"):
        os.truncate(file, len(data))
    starts = list(range(0, len(data), 30_000))
    for start in reversed(starts) if way == "backwards" else starts:
        time.sleep(choice.uniform(0, pause_s))
        if way == "killed and resumed" and start:
            os.close(file)  # the first program dies here, and a second one continues
            time.sleep(choice.uniform(0, pause_s))
            file = os.open(target, os.O_RDWR)
        os.pwrite(file, data[start : start + 30_000], start)
    whole.joinpath(str(number)).touch()  # before the service can recognise the file as complete
    os.close(file)
    target.rename(path)


@pytest.mark.slow
def test_none_is_taken_early_and_none_is_missed(watched: Config) -> None:
    """Pauses last up to four settle times, and the intake restarts meanwhile."""
    inbox, whole = watched.folders.inbox, watched.folders.state.with_name("whole")
    whole.mkdir()
    (inbox / "sub").mkdir()
    times = {"patience_s": 3600.0, "silent_tail_s": 3600.0}
    intake_settings = watched.intake.model_copy(update={**times, "settle_s": SETTLE_S})
    config = watched.model_copy(update={"intake": intake_settings})
    choice, waiting, running, taken = random.Random(5), list(range(COPIES)), set[int](), set[bytes]()
    with Journal(config.folders.state) as journal:
        journal._db.execute("PRAGMA synchronous = OFF")
        intake = Intake(config, journal)
        give_up_s = time.monotonic() + 300
        try:
            while len(taken) < COPIES and time.monotonic() < give_up_s:
                while waiting and len(running) < 20:
                    if (child := os.fork()) == 0:
                        try:
                            copy(inbox, waiting[0], whole)
                        finally:
                            os._exit(0)
                    running.add(child)
                    waiting.pop(0)
                if running and (ended := os.waitpid(-1, os.WNOHANG)[0]):
                    running.discard(ended)
                if choice.random() < 0.005:
                    intake = Intake(config, journal)
                intake.pack_sha256 = "pack"
                if intake.due_s() <= time.monotonic():
                    intake.look(time.monotonic())
                while intake.pending:
                    intake.step(time.monotonic())
                for job in journal.in_state("waiting"):
                    if job.relpath not in taken:
                        number = int(Path(os.fsdecode(job.relpath)).stem)
                        assert (whole / str(number)).exists(), f"{job.shown} was taken early"
                        assert job.content_sha256 == hashlib.sha256(content(number)).hexdigest()
                        taken.add(job.relpath)
                time.sleep(0.01)
        finally:
            for child in running:
                os.kill(child, signal.SIGKILL)
                os.waitpid(child, 0)
        assert len(taken) == COPIES, intake.held
        assert journal.counts() == {"waiting": COPIES}
