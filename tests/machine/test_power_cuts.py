"""The power is cut at each step of an installation, an upgrade and a change of pack.

A first run records the steps (:mod:`steps`). Then the power is cut at each of them, while all processes are
stopped. The machine has a disk of its own, so it loses what was not synced, as a real computer does.
``BACKLINE_CUTS=all`` cuts at every step instead of those that may change something lasting, a number at no
more than so many of these, evenly spread.
``BACKLINE_RANDOM_CUTS`` is the number of further cuts at random moments, ``BACKLINE_SEED`` their seed.
"""

from __future__ import annotations

import os
import random
import re
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from support.machine import base_system
from support.machine.bare import PREFIX, PROGRAM, Bare
from support.machine.bundles import Bundles
from support.machine.hosts import Host
from support.machine.machine import Machine
from support.machine.steps import Stepped, until

pytestmark = [pytest.mark.privileged, pytest.mark.slow]

CUTS = os.environ.get("BACKLINE_CUTS", "lasting")
ALL = CUTS == "all"
MOST = int(CUTS) if CUTS.isdecimal() else None
RANDOM_CUTS = int(os.environ.get("BACKLINE_RANDOM_CUTS", "3"))
SEED = int(os.environ.get("BACKLINE_SEED", "20"))
OLD, NEW = "3.0", "3.1"

_LASTING = re.compile(
    r"run (cp .*run$|opener (verify|unpack)|python3 .* (activate|self-test)|systemctl )"
    r"|syncfs|unlink unconfirmed"
    r"|rename (current|previous|unconfirmed|active|recover\.sh|backline\.service|trio-2\.0|\S+\.pub"
    rf"|{re.escape(OLD)}|{re.escape(NEW)})$|run rm -rf"
)
"""Steps after which something lasting may have changed."""


@pytest.fixture(scope="module")
def cut(machines: None, host: Host, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bare]:
    """A bare machine with a disk that loses what was not synced."""
    machine = Machine((base_system.bare(host),), tmp_path_factory.mktemp("cut"), disk_mb=3000)
    try:
        machine.boot()
        yield Bare(machine)
    finally:
        machine.cut_power()


@pytest.fixture(scope="module")
def stick(bundles: Bundles, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return {OLD: bundles.derived(OLD), NEW: bundles.derived(NEW)}


def pulled(cut: Bare, folder: Path, words: Sequence[str], wanted: Callable[[str], bool]) -> str:
    """The step at which the power was cut; '' if the command ended before."""
    steps = Stepped(cut.machine, folder, *words)
    found = until(steps, wanted)
    steps.let_go()
    if found:
        cut.machine.cut_power()
    return found


def spread(names: list[str], most: int | None) -> list[str]:
    """At most ``most`` of ``names``, evenly spread, the first and the last among them."""
    if most is None or len(names) <= most:
        return names
    last = len(names) - 1
    return [names[round(number * last / max(1, most - 1))] for number in range(most)]


def recorded(cut: Bare, folder: Path, words: Sequence[str]) -> list[str]:
    """The steps of a whole run at which to cut the power, each name once, in order."""
    steps = Stepped(cut.machine, folder, *words)
    names = list(dict.fromkeys(steps))
    assert steps.process.wait() == 0, steps.said.read_text()
    taken = spread([name for name in names if ALL or _LASTING.match(name)], MOST)
    print(f"{words[0]} {words[1]}: {len(names)} steps, {len(taken)} to cut the power at: {taken}")
    return taken


def at_random(cut: Bare, words: Sequence[str], longest_s: float, chance: random.Random) -> float:
    """Cuts the power at a random moment of a run, and returns it in seconds."""
    moment_s = chance.uniform(0.0, longest_s)
    command = cut.machine.inside(*words)
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ):
        time.sleep(moment_s)
        cut.machine.cut_power()
    return moment_s


def works_again(cut: Bare, vocal: Path, at: str) -> None:
    """After the next boot one whole release is installed, without leftovers, and it renders."""
    cut.machine.boot()
    assert cut.release in (OLD, NEW), at
    assert cut.leftovers() == [], at
    check = "from appliance.releases.contents import check_tree; from pathlib import Path\n"
    check += f"print(check_tree(Path('{PREFIX}/current').resolve()).version)"
    assert cut.machine.run(*cut.python, "-c", check).strip() == cut.release, at
    cut.until(lambda: cut.status().get("state") == "idle", f"for the service after a cut at {at}")
    assert cut.status()["version"] == cut.release, at
    cut.works(vocal, f"{len(cut.dropped)}.wav")


def before_upgrade(cut: Bare) -> None:
    """Restores the state in which the steps were recorded: the old release alone."""
    if cut.release == NEW:
        cut.backline("release", "rollback")
    cut.machine.run("rm", "-rf", f"{PREFIX}/previous", f"{PREFIX}/releases/{NEW}")
    cut.machine.run("sync")


def installed(cut: Bare, stick: dict[str, Path], song: Path) -> None:
    """Installs the old release unless one is installed already."""
    if not cut.release:
        cut.installed(stick[OLD])
        cut.set_up()
        cut.works(song, "first.wav")


def test_the_first_installation(cut: Bare, stick: dict[str, Path], tmp_path: Path) -> None:
    """After a cut at any step the same command, run again, installs the release."""
    words = ["sh", cut.carry(stick[OLD]), "--yes"]
    names = recorded(cut, tmp_path / "whole", words)
    cut.backline("release", "uninstall", "--purge", "--yes")
    chosen = names if ALL else spread(names, min(MOST or 9, 9))
    for number, name in enumerate(chosen):
        cut.carry(stick[OLD])
        cut.machine.run("sync")
        at = pulled(cut, tmp_path / str(number), words, name.__eq__)
        assert at, f"{name} was not reached"
        cut.machine.boot()
        began_s = time.monotonic()
        done = cut.machine.tried(*words)
        assert done.returncode == 0, (at, done.stdout, done.stderr)
        assert cut.release == OLD and cut.leftovers() == [], at
        cut.until(lambda: cut.status().get("state") == "idle", f"for the service after {name}")
        print(f"cut at '{at}': installed again in {time.monotonic() - began_s:.0f} s")
        cut.backline("release", "uninstall", "--purge", "--yes")
    print(f"first installation: {len(chosen)} cuts, each installed again")


def test_every_step_of_an_upgrade(cut: Bare, stick: dict[str, Path], song: Path, tmp_path: Path) -> None:
    installed(cut, stick, song)
    words = ["sh", cut.carry(stick[NEW]), "--yes"]
    began_s = time.monotonic()
    names = recorded(cut, tmp_path / "whole", words)
    took_s = time.monotonic() - began_s
    kept: list[str] = []
    for number, name in enumerate(names):
        before_upgrade(cut)
        assert pulled(cut, tmp_path / str(number), words, name.__eq__), f"{name} was not reached"
        works_again(cut, song, name)
        kept.append(cut.release)
        print(f"cut {number + 1} of {len(names)} at '{name}': {cut.release}")
    chance = random.Random(SEED)
    for _ in range(RANDOM_CUTS):
        before_upgrade(cut)
        moment_s = at_random(cut, words, took_s, chance)
        works_again(cut, song, f"{moment_s:.2f} s")
        print(f"cut after {moment_s:.2f} s: {cut.release}")
    print(
        f"upgrade: {len(names)} cuts at steps and {RANDOM_CUTS} at random (seed {SEED}), "
        f"{kept.count(OLD)} times {OLD} and {kept.count(NEW)} times {NEW}"
    )
    if cut.release == OLD:
        cut.machine.run(*words)
    assert cut.release == NEW and kept[0] == OLD


def test_every_step_of_a_change_of_pack(
    cut: Bare, stick: dict[str, Path], bundles: Bundles, song: Path, tmp_path: Path
) -> None:
    installed(cut, stick, song)
    file = cut.carry(bundles.pack(bundles.fake_pack, "trio", "2.0"))
    commands = ([PROGRAM, "pack", "install", file], [PROGRAM, "pack", "use", "trio"])
    for words in commands:
        if words[2] == "use":
            cut.machine.tried(*commands[0])  # the last cut may have come before it was installed
        names = recorded(cut, tmp_path / words[2], words)
        for number, name in enumerate(names):
            cut.machine.tried(PROGRAM, "pack", "use", "reference")
            if words[2] == "install":
                cut.machine.tried(PROGRAM, "pack", "remove", "trio-2.0")
            cut.machine.run("sync")
            if not pulled(cut, tmp_path / f"{words[2]}{number}", words, name.__eq__):
                print(f"pack {words[2]}: '{name}' was not reached")
                continue
            works_again(cut, song, name)
            assert cut.link("packs/active") in ("reference", "trio-2.0"), name
            cut.backline("pack", "verify")
            print(f"pack {words[2]}, cut at '{name}': {cut.link('packs/active')}")
