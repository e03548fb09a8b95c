"""SIGKILL at each system call that changes a name leaves a complete release, and recovery a working one.

A forked child upgrades or rolls back and dies at the n-th call of a kind (strace injects the signal). The
test checks what is left, recovers it as at boot or as the next installation does, and upgrades again.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
from collections import Counter
from collections.abc import Callable

import pytest
from support.releases.stand_in import RECOVERY, StandIn

from appliance.errors import BacklineError
from appliance.releases.activate import activate, rollback
from appliance.releases.layout import release_at
from appliance.releases.leftovers import revert_unconfirmed

CALLS = "rename,renameat,renameat2,symlink,symlinkat,unlink,unlinkat,mkdir,mkdirat,rmdir,link,linkat"
EVERY = 17
"""Test one in 17 calls; ``-m soak`` tests all."""

Change = Callable[[StandIn], object]


@pytest.fixture(autouse=True)
def strace() -> str:
    program = shutil.which("strace")
    if program is None or subprocess.run([program, "-o", os.devnull, "true"], check=False).returncode:
        pytest.skip("strace is missing or may not trace here")
    return program


def upgrade(place: StandIn) -> None:
    activate(place.staged("1.2"), place.layout, allow_downgrade=False, say=place.say)


def broken_upgrade(place: StandIn) -> None:
    files = {"fails-restart": ""}
    activate(place.staged("1.2", files), place.layout, allow_downgrade=False, say=place.say)


def back(place: StandIn) -> None:
    rollback(place.layout, place.say)


def installed(place: StandIn) -> None:
    """Install 1.0 and then 1.1, which runs."""
    for version in ("1.0", "1.1"):
        activate(place.staged(version), place.layout, allow_downgrade=False, say=place.say)


def traced(place: StandIn, change: Change, strace: str, *options: str) -> tuple[bool, str]:
    """Make the change in a child under strace; returns whether it was killed, and strace's log."""
    log = place.folder / "calls"
    log.write_text("")
    held, go = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.read(held, 1)
            change(place)
        except BacklineError:
            pass
        finally:
            os._exit(0)
    command = [strace, "-o", str(log), *options, "-p", str(child)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as tracer:
        assert tracer.stderr is not None
        while "attached" not in (line := tracer.stderr.readline()):
            assert line, "strace cannot attach here"
        os.write(go, b"!")
        os.close(go)
        tracer.stderr.read()
    os.close(held)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL, log.read_text()


def calls_of(place: StandIn, change: Change, strace: str) -> list[tuple[str, int]]:
    """The calls of a complete change that alter a name: each call, and its number among calls of its kind."""
    _, text = traced(place, change, strace, "-e", f"trace={CALLS}")
    counts: Counter[str] = Counter()
    found = []
    for call in re.findall(r"^(\w+)\(", text, re.MULTILINE):
        counts[call] += 1
        found.append((call, counts[call]))
    return found


def left_by(place: StandIn, killed_at: str) -> None:
    """Check that the current release is complete, and that an unconfirmed one has a release to go back to."""
    assert place.current() in ("1.0", "1.1", "1.2"), killed_at
    if os.path.lexists(place.layout.unconfirmed):
        assert release_at(place.layout.unconfirmed) is not None, killed_at
    for link in (place.layout.program, place.layout.packs / "active/pack.json"):
        assert link.resolve(strict=True), killed_at


CHANGES = pytest.mark.parametrize("change", [upgrade, broken_upgrade, back])
THEN = pytest.mark.parametrize("then", ["boot", "again"])


@pytest.mark.slow
@CHANGES
@THEN
def test_a_kill_at_some_calls_that_change_names(
    place: StandIn, strace: str, change: Change, then: str
) -> None:
    check(place, strace, change, then, EVERY)


@pytest.mark.soak
@CHANGES
@THEN
def test_a_kill_at_every_call_that_changes_names(
    place: StandIn, strace: str, change: Change, then: str
) -> None:
    check(place, strace, change, then, 1)


def check(place: StandIn, strace: str, change: Change, then: str, step: int) -> None:
    if then == "boot" and not RECOVERY.is_file():
        pytest.skip("systemd/recover.sh is missing")
    installed(place)
    before = place.folder / "before"
    shutil.copytree(place.layout.prefix, before, symlinks=True)
    calls = calls_of(place, change, strace)
    assert len(calls) > 15 and {call for call, _ in calls} >= {"rename", "symlink", "unlink"}
    if change is broken_upgrade:
        assert place.current() == "1.1"
    for call, number in calls[len(then) % step :: step]:
        shutil.rmtree(place.layout.prefix)
        shutil.copytree(before, place.layout.prefix, symlinks=True)
        options = ("-e", f"trace={call}", "-e", f"inject={call}:signal=KILL:when={number}")
        was_killed, _ = traced(place, change, strace, *options)
        killed_at = f"{call} {number}"
        assert was_killed, f"{killed_at} was never reached"
        left_by(place, killed_at)
        if then == "boot":
            place.recovered()
            assert not os.path.lexists(place.layout.unconfirmed), killed_at
            assert not place.layout.staging.exists() or not any(place.layout.staging.iterdir()), killed_at
            left_by(place, killed_at)
        else:
            revert_unconfirmed(place.layout)
        assert not place.layout.unconfirmed.is_symlink(), killed_at
        if change is broken_upgrade:
            assert place.current() == "1.1", killed_at
        activate(place.staged("1.3"), place.layout, allow_downgrade=False, say=place.say)
        assert place.current() == place.running == "1.3", killed_at
        assert release_at(place.layout.previous) in ("1.0", "1.1", "1.2"), killed_at
        assert len(place.layout.installed()) == 2, killed_at
