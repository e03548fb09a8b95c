"""Two hundred altered bundles are refused and change no file on the computer.

Each bundle runs as an administrator would run it, ``sh FILE --yes``, with and without an installed release.
It runs in a cage that records every changed file. Each bundle is also given to ``backline release install``,
which verifies the signature before it runs anything.
"""

from __future__ import annotations

import hashlib
import os
import random
import re
import shutil
import stat
import subprocess
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from support.bundle_stand_in import need
from support.releases.altered import INSTALLED, NEWER, Make, Maker
from support.releases.cage import Cage, Outcome
from support.releases.stand_in import StandIn

from appliance.errors import BacklineError
from appliance.releases.install import install_release
from appliance.releases.layout import release_at
from bundle.carriers.run_file import END_OF_CHECK

SEED = 20
World = tuple[Maker, StandIn, Cage, Path]
FLIPS = {"header": 64, "OPENER_AT": 34, "PROBE_AT": 10, "RELEASE_AT": 34}
SIGNATURE_FLIPS = 28


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Maker, StandIn, Cage, Path]]:
    """The bundles, an installation, a cage around it, and the folder that holds them."""
    need("minisign")
    folder = tmp_path_factory.mktemp("altered")
    (folder / "computer").mkdir()
    place = StandIn(folder / "computer")
    maker = Maker(folder / "made", place)
    for name in ("cage", "stick"):
        (folder / name).mkdir()
    with pytest.MonkeyPatch.context() as patch:
        for name, value in place.environment.items():
            patch.setenv(name, value)
        _install(maker, place)
        with Cage(folder / "cage", {**place.environment, "PYTHONDONTWRITEBYTECODE": "1"}) as cage:
            yield maker, place, cage, folder


def _install(maker: Maker, place: StandIn) -> None:
    done = subprocess.run(
        ["sh", maker.file(INSTALLED), "--yes"],
        env=place.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert release_at(place.layout.current) == INSTALLED


def run(cage: Cage, place: StandIn, file: Path, *, first: bool) -> Outcome:
    """Run ``sh FILE --yes`` in the cage; ``first`` means that no release is installed."""
    if first:
        return cage.run("env", f"BACKLINE_PREFIX={place.folder / 'nothing'}", "sh", file, "--yes")
    return cage.run("sh", file, "--yes")


def outside(outcome: Outcome) -> list[str]:
    """The changed paths, without the staging folder, the lock and the log of the fake systemctl."""
    mine = ("/opt/staging", "/nothing/staging", "/opt/.lock", "/opt/root/asked")
    return [path for path in outcome.changed if not any(word in path for word in mine)]


def left_by_a_damaged_script(outcome: Outcome, place: StandIn) -> tuple[list[str], list[str]]:
    """Split the changed paths into harmless leftovers and other changes.

    Leftovers are an empty prefix, or a staging folder whose name may have one wrong bit. The lock, which a
    running release may take, counts as neither. One other new file is possible: a flipped bit in a
    redirection such as ``>/dev/null`` sends a message to a file of another name.
    """
    used = re.compile(r"/(releases|current|previous|keys|packs|bin|systemd)\b")
    places = (str(place.folder / "nothing"), str(place.layout.prefix / "s"))
    left = [path for path in outcome.changed if path.startswith(places) and not used.search(path)]
    expected = {*left, str(place.layout.lock)}
    return left, [path for path in outcome.changed if path not in expected]


def print_of(folder: Path) -> str:
    """A hash of all names, permissions and bytes in a folder."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if "staging" in path.parts or path.name == ".lock":
            continue
        mode = path.lstat().st_mode
        digest.update(f"{path} {mode:o} ".encode())
        if stat.S_ISLNK(mode):
            digest.update(str(path.readlink()).encode())
        elif stat.S_ISREG(mode):
            digest.update(path.read_bytes())
    return digest.hexdigest()


def variants(maker: Maker) -> Iterator[tuple[str, Make]]:
    chance = random.Random(SEED)
    yield from maker.flips(chance, FLIPS)
    yield from maker.lengths()
    yield from maker.signatures(chance, SIGNATURE_FLIPS)
    yield from maker.whole()


@pytest.mark.slow
def test_the_unaltered_one_is_installed(world: World) -> None:
    """The unaltered bundle installs, so the others fail because of their alteration."""
    maker, place, cage, folder = world
    with stick(folder) as made:
        outcome = cage.shell(
            f"cp -a {place.layout.prefix} {folder}/spare && "
            f"BACKLINE_PREFIX={folder}/spare sh {maker.copy(made)} --yes"
        )
    assert outcome.status == 0, outcome.said
    assert f"{folder}/spare/releases/{NEWER}/release.json" in outcome.changed
    cage.shell(f"rm -rf {folder}/spare")


@pytest.mark.slow
def test_none_of_them_is_installed(world: World) -> None:
    maker, place, cage, folder = world
    counts, wrong = Counter[str](), []
    for number, (name, make) in enumerate(variants(maker)):
        # An older bundle and a stranger's bundle are valid where nothing is installed yet.
        first = number % 2 == 1 and name not in ("older", "all of a stranger's")
        with stick(folder) as made:
            outcome = run(cage, place, make(made), first=first)
        counts[re.split(r":| after | behind ", name)[0]] += 1
        # A script cut off before its last line does nothing and exits with 0.
        nothing = name.startswith("cut off") and int(name.split()[-1]) < maker.regions["header"][1]
        changed = outcome.changed
        if name.startswith("header"):
            _, changed = left_by_a_damaged_script(outcome, place)
            changed = changed[1:] + [path for path in changed if os.path.lexists(path)]
        if (outcome.status == 0 and not nothing) or changed:
            wrong.append((name, outcome))
        if outcome.changed:
            cage.shell(f"rm -rf {place.layout.prefix}/s[!y]* {place.folder}/nothing")
            cage.forget()
    assert not wrong, wrong
    print(f"{counts.total()} altered bundles, all refused (seed {SEED}): {dict(counts)}")
    assert counts.total() >= 200


@pytest.mark.slow
def test_what_the_right_key_signs_is_still_looked_at(world: World) -> None:
    """These checks guard against mistakes and bad disks, not against an attacker who has the signing key."""
    maker, place, cage, folder = world
    evil = folder / "outside"
    evil.mkdir()
    releases = [*maker.trees(), *maker.archives(evil)]
    for name, make in releases:
        with stick(folder) as made:
            outcome = cage.run("sh", make(made), "--yes")
        assert outcome.status != 0, (name, outcome)
        assert outside(outcome) == [], (name, outcome)
        left = cage.shell(f"ls -A {place.layout.staging} {evil} 2>/dev/null; readlink {place.layout.current}")
        assert left.said.split() == [f"{evil}:", f"releases/{INSTALLED}"], (name, left)
    print(f"{len(releases)} bundles that the right key signed")


@pytest.mark.slow
def test_the_appliance_itself_takes_none_of_them(world: World) -> None:
    maker, place, _, folder = world
    before, total = print_of(place.layout.prefix), 0
    for name, make in variants(maker):
        with stick(folder) as made, pytest.raises(BacklineError) as refused:
            install_release(make(made), place.layout, allow_downgrade=False, say=lambda sentence: None)
        assert str(refused.value).count("\n") == 0, name
        assert print_of(place.layout.prefix) == before, name
        assert not place.layout.staging.exists(), name
        total += 1
    assert total >= 200


@contextmanager
def stick(folder: Path) -> Iterator[Path]:
    """An empty folder with a new name, because the cage lists each changed path only once."""
    made = Path(tempfile.mkdtemp(dir=folder / "stick"))
    yield made
    shutil.rmtree(made)


@pytest.mark.soak
def test_every_byte_of_the_script(world: World) -> None:
    """The script runs before any verification, so the test flips bits of every byte of it."""
    maker, place, cage, folder = world
    chance, counts, wrong = random.Random(SEED), Counter[str](), []
    start, end = maker.regions["header"]
    check = maker.data.index(END_OF_CHECK.encode())
    # Every bit of the command that detects damage to the rest, and one bit of each byte of the rest.
    flips = [(byte, bit) for byte in range(start, check) for bit in range(8)]
    flips += [(byte, chance.randrange(8)) for byte in range(check, end)]
    chance.shuffle(flips)
    for byte, bit in flips:
        with stick(folder) as made:
            outcome = run(cage, place, maker.flipped(byte, bit)(made), first=byte % 2 == 1)
        left, stray = left_by_a_damaged_script(outcome, place)
        what = ", leaves a staging folder" * bool(left) + ", makes a stray file" * bool(stray)
        counts[f"status {outcome.status}{what}"] += 1
        if outcome.status == 0 or len(stray) > 1 or any(os.path.lexists(path) for path in stray):
            wrong.append((f"bit {bit} of byte {byte}", outcome))
            print(counts.total(), wrong[-1], flush=True)
        if counts.total() % 500 == 0:
            print(dict(counts), flush=True)
        if outcome.changed:
            cage.shell(f"rm -rf {place.layout.prefix}/s[!y]* {place.folder}/nothing")
            cage.forget()
    print(f"{counts.total()} bits of the script: {dict(counts)}")
    assert not wrong, wrong
