"""The Debian package on a bare machine: installed, upgraded, removed, purged, by dpkg alone."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from support.machine.bare import PREFIX, Bare
from support.machine.bundles import Bundles
from support.watch.invariants import results

pytestmark = [pytest.mark.privileged, pytest.mark.slow]

OLD, NEW = "2.0", "2.1"


def dpkg(bare: Bare, deb: Path) -> None:
    began_s = time.monotonic()
    print(bare.machine.run("dpkg", "--install", bare.carry(deb)))
    print(f"dpkg --install: {time.monotonic() - began_s:.1f} s, {deb.stat().st_size / 1e6:.1f} MB")


def test_installed_by_dpkg(bare: Bare, bundles: Bundles, song: Path) -> None:
    dpkg(bare, bundles.deb(OLD))
    assert bare.release == OLD and bare.leftovers() == []
    bare.set_up()
    bare.works(song, "first.wav")


def test_upgraded_by_dpkg(bare: Bare, bundles: Bundles, song: Path) -> None:
    dpkg(bare, bundles.deb(NEW))
    assert bare.release == NEW and bare.link("previous") == f"releases/{OLD}" and bare.leftovers() == []
    bare.works(song, "second.wav")


def test_removed_by_dpkg(bare: Bare) -> None:
    bare.machine.run("dpkg", "--remove", "backline")
    assert not bare.path(PREFIX).exists()
    assert len(results(bare.folders.outbox)) == 2
    assert bare.path("/var/lib/backline/journal.db").is_file()
    assert bare.path("/etc/backline/backline.toml").is_file()


def test_installed_again_by_dpkg(bare: Bare, bundles: Bundles, song: Path) -> None:
    dpkg(bare, bundles.deb(NEW))
    assert bare.until(lambda: bare.status().get("counts"), "for an answer")["done"] == 2
    bare.works(song, "third.wav")


def test_purged_by_dpkg(bare: Bare) -> None:
    """dpkg cannot ask, so the recordings stay."""
    print(bare.machine.run("dpkg", "--purge", "backline"))
    for place in (PREFIX, "/etc/backline", "/var/lib/backline", "/var/cache/backline"):
        assert not bare.path(place).exists(), place
    assert len(results(bare.folders.outbox)) == 3
    assert bare.machine.tried("dpkg", "--status", "backline").returncode != 0
