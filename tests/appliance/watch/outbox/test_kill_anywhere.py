"""SIGKILL at any line of the code that takes, publishes and puts away; then a restart must recover.

A forked child works through an inbox and kills itself at the n-th line that it executes in
``appliance/watch``. A seed draws some of the lines; ``-m soak`` tests all.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from support.watch.dropped import drop
from support.watch.in_process import InProcess, config_of
from support.watch.invariants import at_any_moment, when_quiet

import appliance.watch
from appliance.system import syscalls
from appliance.watch.disk import moving

SEED = 20
DRAWN = 40
PACKAGE = (str(Path(appliance.watch.__file__).parent), syscalls.__file__)


def across_file_systems(source: Any, before: Any, wanted: Any, place: Any) -> None:
    raise OSError(18, "Invalid cross-device link")


class Killer:
    """Traces the lines of the package and kills this process at the ``at``-th."""

    def __init__(self, at: int) -> None:
        self.at, self.lines = at, 0

    def __call__(self, frame: FrameType, event: str, argument: Any) -> Any:
        if not frame.f_code.co_filename.startswith(PACKAGE):
            return None
        if event == "line":
            self.lines += 1
            if self.lines == self.at:
                os.kill(os.getpid(), signal.SIGKILL)
        return self


def life(root: Path, killer: Killer) -> None:
    """Run the daemon under the killer."""
    sys.settrace(killer)
    try:
        daemon = InProcess(config_of(root))
        daemon.run()
        daemon.close()
    finally:
        sys.settrace(None)


def killed(root: Path, at: int) -> bool:
    """Run the daemon in a fork; returns whether it was killed at that line."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            life(root, Killer(at))
            status = 0
        finally:
            os._exit(status)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0, f"the run for line {at} failed"
    return os.WIFSIGNALED(status)


def lines_of(root: Path) -> int:
    """Number of lines that a complete run executes."""
    killer = Killer(0)
    drop(root)
    life(root, killer)
    return killer.lines


def check(root: Path, at: int) -> None:
    folders = config_of(root).folders
    dropped = drop(root)
    assert killed(root, at), f"line {at} was never reached"
    assert at_any_moment(folders, dropped) == [], f"killed at line {at}"
    daemon = InProcess(config_of(root))
    daemon.run()
    daemon.close()
    assert when_quiet(folders, dropped) == [], f"killed at line {at}"
    assert (root / "archive" / "song.toml").read_text() == "bpm = 90\n", f"killed at line {at}"
    assert not (root / "inbox" / "song.wav.done").exists(), f"killed at line {at}"
    shutil.rmtree(root)


@pytest.fixture(params=["one file system", "two file systems"])
def places(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    if request.param == "two file systems":
        monkeypatch.setattr(moving, "_rename", across_file_systems)
    (tmp_path / "whole").mkdir()
    return tmp_path


@pytest.mark.slow
def test_a_kill_at_any_line_loses_and_doubles_nothing(places: Path) -> None:
    config_of(places / "whole")
    count = lines_of(places / "whole")
    assert count > 1000
    for at in sorted(random.Random(SEED).sample(range(1, count - 50), DRAWN)):
        check(places / f"life-{at}", at)


@pytest.mark.soak
def test_a_kill_at_every_line(places: Path) -> None:
    config_of(places / "whole")
    for at in range(1, lines_of(places / "whole") - 50):
        check(places / f"life-{at}", at)


def test_a_life_that_is_not_killed_ends_well(places: Path) -> None:
    config = config_of(places / "whole")
    dropped = drop(places / "whole")
    daemon = InProcess(config)
    daemon.run()
    assert daemon.worker.given == 3
    assert daemon.journal.counts() == {"done": 2, "rejected": 1}
    daemon.close()
    assert when_quiet(config.folders, dropped) == []
    reason = (places / "whole" / "rejected" / "sub" / "bad" / "reason.txt").read_text()
    assert "nothing is sung" in reason
