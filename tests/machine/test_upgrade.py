"""The life of a release on a bare machine: installation, upgrade, rollback, packs, removal.

The tests depend on each other, in this order. The first two releases have the reference pack, the later ones
the fake pack, which renders in about a second.
"""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from support.machine.bare import PREFIX, Bare
from support.machine.bundles import BROKEN, FIRST, Bundles
from support.watch.invariants import results

from appliance.audio.recording import probe

pytestmark = [pytest.mark.privileged, pytest.mark.slow]

SECOND, THIRD, OLDEST = "1.1", "1.3", "0.9"
KEPT = ("/srv/backline", "/var/lib/backline", "/etc/backline")


def test_there_is_nothing_that_helps(bare: Bare) -> None:
    for program in ("python3", "pip", "cc", "gcc", "curl", "wget", "xz", "zstd"):
        assert bare.machine.tried("sh", "-c", f"command -v {program}").returncode != 0, program
    lines = bare.machine.run("cat", "/proc/net/dev").splitlines()[2:]
    assert [line.split(":")[0].strip() for line in lines] == ["lo"]


def test_one_command_installs_it(bare: Bare, bundles: Bundles) -> None:
    file = bundles.first()
    path = bare.carry(file)
    before_s = time.monotonic()
    said = bare.machine.run("sh", path, "--yes")
    seconds = time.monotonic() - before_s
    print(said)
    size = int(bare.machine.run("du", "-sk", "--apparent-size", PREFIX).split()[0]) / 1024
    disk = int(bare.machine.run("du", "-sk", PREFIX).split()[0]) / 1024
    print(
        f"install: bundle {file.stat().st_size / 2**20:.1f} MiB, installed {size:.1f} MiB "
        f"({disk:.1f} on the disk), {seconds:.1f} s"
    )
    assert bundles.key.id in said
    shown = bare.shown("ActiveState", "SubState", "UnitFileState", "NRestarts")
    assert shown == {
        "ActiveState": "active",
        "SubState": "running",
        "UnitFileState": "enabled",
        "NRestarts": "0",
    }
    assert bare.status()["pack"]["name"] == "reference"
    assert bare.release == FIRST and bare.leftovers() == []
    assert bare.backline("--version").split()[-1] == FIRST


def test_a_vocal_goes_in_and_an_accompaniment_comes_out(bare: Bare, demo_vocal: Path) -> None:
    bare.set_up()
    began_s = time.monotonic()
    receipt = bare.works(demo_vocal, "vocal.flac")
    print(
        f"vocal.flac: {receipt['vocal']['duration_s']:.0f} s of singing in {time.monotonic() - began_s:.0f} s"
    )
    (result,) = results(bare.folders.outbox)
    (sound,) = result.glob("*.accompaniment.wav")
    assert probe(sound).output_samples == probe(demo_vocal).output_samples
    assert receipt["pack"]["name"] == "reference"


def test_an_upgrade_while_it_works_loses_nothing(bare: Bare, bundles: Bundles, long: Path) -> None:
    file = bundles.derived(SECOND, fake=False)
    path = bare.carry(file)
    bare.drop(long, "meanwhile.wav")
    bare.until_rendering("meanwhile.wav")
    began_s = time.monotonic()
    print(bare.backline("release", "install", path))
    print(f"upgrade: {time.monotonic() - began_s:.1f} s")
    assert bare.wrong(quiet=False) == []
    bare.finished_once("meanwhile.wav")
    assert bare.release == SECOND and bare.leftovers() == []
    listed = [line.split() for line in bare.backline("release", "list").splitlines()]
    assert listed == [[FIRST, "previous"], [SECOND, "current"]]


def test_rolled_back_and_upgraded_again(bare: Bare, bundles: Bundles, song: Path) -> None:
    bare.backline("release", "rollback")
    assert bare.release == FIRST and bare.link("previous") == f"releases/{SECOND}"
    bare.works(song, "rolled-back.wav")
    bare.installed(bundles.derived(SECOND, fake=False))
    assert bare.release == SECOND and bare.link("previous") == f"releases/{FIRST}"
    bare.works(song, "upgraded-again.wav")


@pytest.mark.parametrize("how", BROKEN)
def test_a_broken_release_takes_itself_back(bare: Bare, bundles: Bundles, song: Path, how: str) -> None:
    number = list(BROKEN).index(how)
    file = bundles.derived(f"1.2.{number}", BROKEN[how])
    began_s = time.monotonic()
    done = bare.install(file)
    print(f"{how}: {time.monotonic() - began_s:.1f} s, status {done.returncode}: {done.stderr.strip()}")
    assert done.returncode == 1
    assert bare.release == SECOND and bare.link("previous") == f"releases/{FIRST}" and bare.leftovers() == []
    bare.works(song, f"after{number}.wav")
    assert bare.status()["version"] == SECOND


def test_no_way_back_by_accident(bare: Bare, bundles: Bundles, song: Path) -> None:
    file = bundles.derived(OLDEST)
    done = bare.install(file)
    assert done.returncode == 1 and "--allow-downgrade" in done.stderr
    assert "--allow-downgrade" in bare.refused("release", "install", bare.carry(file))
    assert bare.release == SECOND and bare.leftovers() == []
    bare.installed(file, "--allow-downgrade")
    assert bare.release == OLDEST and bare.link("previous") == f"releases/{SECOND}"
    bare.works(song, "older.wav")
    bare.installed(bundles.derived(THIRD))
    assert bare.release == THIRD


def test_another_pack_while_it_works(bare: Bare, bundles: Bundles, song: Path, long: Path) -> None:
    file = bundles.pack(bundles.fake_pack, "trio", "2.0")
    bare.backline("pack", "install", bare.carry(file))
    bare.drop(long, "on-the-old.wav")
    bare.until_rendering("on-the-old.wav")
    bare.backline("pack", "use", "trio")
    bare.drop(song, "on-the-new.wav")
    assert bare.status()["running"]["name"] == "on-the-old.wav", "it was long enough"
    bare.finished_once("on-the-new.wav")
    old, new = bare.receipt("on-the-old.wav")["pack"], bare.receipt("on-the-new.wav")["pack"]
    assert (old["name"], new["name"], new["version"]) == ("fake", "trio", "2.0")
    bare.backline("pack", "rollback")
    assert bare.works(song, "back-on-the-old.wav")["pack"] == old
    assert bare.link("packs/previous") == "trio-2.0"


def test_an_altered_pack_is_refused_by_name(bare: Bare, bundles: Bundles, song: Path) -> None:
    graph = next(bare.path(f"{PREFIX}/packs/trio-2.0").rglob("*.bin"))
    data = graph.read_bytes()
    graph.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    assert graph.name in bare.refused("pack", "use", "trio")
    assert graph.name in bare.refused("pack", "verify")
    bare.works(song, "nevertheless.wav")
    bare.backline("pack", "remove", "trio-2.0")
    file = bundles.pack(bundles.fake_pack, "duo", "1.0")
    inside = bare.path(bare.carry(file))
    data = inside.read_bytes()
    inside.write_bytes(data[:-4096] + bytes([data[-4096] ^ 1]) + data[-4095:])
    assert inside.name in bare.refused("pack", "install", f"/mnt/stick/{inside.name}")
    assert bare.leftovers() == []


def test_uninstalling_keeps_what_is_yours(bare: Bare) -> None:
    before = {place: bare.machine.run("find", place, "-type", "f") for place in KEPT}
    assert all(before.values())
    said = bare.backline("release", "uninstall", "--yes")
    print(said)
    assert all(place in said for place in KEPT)
    for place in KEPT[:1] + KEPT[2:]:
        assert bare.machine.run("find", place, "-type", "f") == before[place]
    assert bare.path("/var/lib/backline/journal.db").is_file()
    for place in (PREFIX, "/usr/local/bin/backline", "/etc/systemd/system/backline.service"):
        assert bare.machine.tried("test", "-e", place).returncode == 1, place
    assert bare.shown("LoadState") == {"LoadState": "not-found"}
    assert bare.machine.tried("pgrep", "-u", "backline").stdout == ""


def test_installed_again_it_finds_what_is_yours(bare: Bare, bundles: Bundles, song: Path) -> None:
    bare.installed(bundles.derived(THIRD))
    counts = bare.until(lambda: bare.status().get("counts"), "for an answer")
    assert counts["done"] == len(results(bare.folders.outbox)) > 3  # CI takes some of the tests before
    bare.works(song, "after-all.wav")
    assert bare.wrong() == []


def test_purged(bare: Bare) -> None:
    bare.backline("release", "uninstall", "--purge", "--yes")
    for place in (PREFIX, *KEPT, "/var/cache/backline"):
        assert bare.machine.tried("test", "-e", place).returncode == 1, place
