"""The bundles that are installed in machines: one built as for a studio, and others derived from it.

The first takes about a minute to build, so its tree is kept (see :mod:`base_system`) until one of its sources
changes. The others are that tree with another version, and in some tests with another pack or a fault.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import soundfile

from appliance.releases.layout import MANIFEST_NAME
from bundle.carriers.deb import write_deb
from bundle.carriers.run_file import file_name, write_run_file
from bundle.compiled.cache import cache_folder
from bundle.contents.pack import PACK_ENDING, copy_signed, write_pack_file
from bundle.errors import BundleError
from bundle.papers.manifest import size_bytes, write_manifest
from bundle.release import Release, Sources, make_tree
from bundle.tools import archive
from bundle.tools.signing import SigningKey, signing_key
from support.machine import base_system
from support.vocals import sung

TIME_S = 1_700_000_000
FIRST = "1.0"
MADE_OF = (
    *("appliance", "bundle", "systemd", "packs/reference", "demo/vocal.flac"),
    *("requirements/runtime.txt", "requirements/compiler.txt"),
)
FAKE_KEY = "C major"
"""The key that the fake pack hears in everything."""

Change = Callable[[Path], object]


@dataclass
class Bundles:
    """Writes bundles to ``dist``, all signed with one generated key."""

    root: Path
    folder: Path
    fake_pack: Path
    dist: Path = field(init=False)
    key: SigningKey = field(init=False)
    kept: Path = field(init=False)

    def __post_init__(self) -> None:
        self.dist = self.folder / "dist"
        self.kept = base_system.kept("bundle", _print_of(self.root), self._build)
        with pytest.MonkeyPatch.context() as patch:
            patch.delenv("BACKLINE_SIGNING_KEY", raising=False)
            self.key = signing_key(self.kept)

    def _build(self, build: Path) -> None:
        """Does what ``python -m bundle`` does, up to the release tree."""
        wheels = base_system.CACHE / "wheels"
        wheels.mkdir(exist_ok=True)
        build.mkdir()
        (build / "wheels").symlink_to(wheels)
        begun_s = time.monotonic()
        try:
            with pytest.MonkeyPatch.context() as patch:
                patch.delenv("BACKLINE_SIGNING_KEY", raising=False)
                key = signing_key(build)
            cache = cache_folder(self.root / "build")
            make_tree(Sources(self.root, build, cache, FIRST, TIME_S, key), print)
        except BundleError as error:
            pytest.skip(f"no bundle can be built here: {error}")
        print(f"bundle: release tree built in {time.monotonic() - begun_s:.0f} s")

    @property
    def tree(self) -> Path:
        """The folder of release :data:`FIRST`."""
        (tree,) = (self.kept / "tree").iterdir()
        return tree

    def first(self) -> Path:
        """The bundle of :data:`FIRST`, as for a studio; written once."""
        if (file := self.dist / file_name(FIRST)).exists():
            return file
        tree = self.tree
        release = Release(tree, FIRST, self._glibc(tree), size_bytes(tree))
        begun_s = time.monotonic()
        file = write_run_file(release, self.dist, self.key, TIME_S)
        took_s = time.monotonic() - begun_s
        print(f"bundle: {file.stat().st_size / 1e6:.1f} MB, written and signed in {took_s:.0f} s")
        return file

    def derived(self, version: str, change: Change | None = None, *, fake: bool = True) -> Path:
        """The same release as ``version`` with ``change``; ``fake``: with the fake pack and a short demo."""
        file = self.dist / file_name(version)
        return file if file.exists() else self._write(self._tree(version, change, fake=fake))

    def deb(self, version: str) -> Path:
        """The Debian package of such a bundle."""
        if (deb := self.dist / f"backline_{version}_amd64.deb").exists():
            return deb
        release = self._tree(version, None, fake=True)
        return write_deb(release, self._write(release), self.dist, TIME_S)

    def pack(self, source: Path, name: str, version: str) -> Path:
        """The pack in ``source`` under another name, as one signed file; written once."""
        if (file := self.dist / f"{name}-{version}{PACK_ENDING}").exists():
            return file
        folder = self.folder / "packs" / f"{name}-{version}"
        shutil.copytree(source, folder)
        manifest = folder / "pack.json"
        text = re.sub(r'"name": *"[^"]*"', f'"name": "{name}"', manifest.read_text(), count=1)
        manifest.write_text(re.sub(r'"version": *"[^"]*"', f'"version": "{version}"', text, count=1))
        return write_pack_file(folder, self.dist, self.key, TIME_S)

    def _write(self, release: Release) -> Path:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(archive, "LEVEL", 1)
            return write_run_file(release, self.dist, self.key, TIME_S)

    def _tree(self, version: str, change: Change | None, *, fake: bool) -> Release:
        first = self.tree
        tree = self.folder / "trees" / f"backline-{version}"
        tree.parent.mkdir(exist_ok=True)
        # Hard links: put() replaces a file instead of writing to it.
        subprocess.run(["cp", "-al", first, tree], check=True)
        (facts,) = tree.glob("python/lib/python3*/site-packages/backline-*.dist-info")
        facts = facts.rename(facts.with_name(f"backline-{version}.dist-info"))
        put(
            facts / "METADATA",
            (facts / "METADATA").read_text().replace(f"\nVersion: {FIRST}\n", f"\nVersion: {version}\n"),
        )
        if fake:
            shutil.rmtree(tree / "packs" / "reference")
            copy_signed(self.fake_pack, tree / "packs" / "reference", self.key)
            (tree / "demo" / "vocal.flac").unlink()
            soundfile.write(tree / "demo" / "vocal.flac", sung(3.0), 44_100)
            edit(tree, "releases/self_test.py", 'KEY = "Ab major"', f'KEY = "{FAKE_KEY}"')
        if change is not None:
            change(tree)
        glibc, python = self._glibc(first), self._facts(first)["python"]
        (tree / MANIFEST_NAME).unlink()
        write_manifest(tree, version, glibc, python)
        return Release(tree, version, glibc, size_bytes(tree))

    def _glibc(self, tree: Path) -> tuple[int, int]:
        major, minor = self._facts(tree)["glibc"].split(".")
        return int(major), int(minor)

    def _facts(self, tree: Path) -> dict[str, Any]:
        return json.loads((tree / MANIFEST_NAME).read_text())


def put(file: Path, text: str) -> None:
    """Replaces a file whose old content is shared with another tree."""
    file.unlink()
    file.write_text(text)
    file.chmod(0o644)


def edit(tree: Path, module: str, old: str, new: str) -> None:
    """Replaces a passage in a module of the appliance in ``tree``."""
    (file,) = tree.glob(f"python/lib/python3*/site-packages/appliance/{module}")
    assert old in file.read_text(), f"{module} no longer contains {old!r}"
    put(file, file.read_text().replace(old, new))
    for compiled in file.parent.glob(f"__pycache__/{file.stem}.*.pyc"):
        compiled.unlink()


def unit(tree: Path, **values: str) -> None:
    """Changes directives of the service's unit."""
    file = tree / "systemd" / "backline.service"
    text = file.read_text()
    for name, value in values.items():
        assert re.search(f"^{name}=", text, re.MULTILINE), f"the unit has no {name}="
        text = re.sub(f"(?m)^{name}=.*$", f"{name}={value}", text)
    put(file, text)


def _quickly_unhealthy(tree: Path) -> None:
    edit(tree, "releases/health.py", "ANSWER_LIMIT_S = 120.0", "ANSWER_LIMIT_S = 5.0")


def _silent(tree: Path) -> None:
    ready = "/bin/sh -c 'systemd-notify --ready; exec sleep 1000'"
    unit(tree, ExecStart=ready, NotifyAccess="all", WatchdogSec="0")
    _quickly_unhealthy(tree)


def _without_a_pack(tree: Path) -> None:
    unit(tree, RestartSec="2s\nEnvironment=BACKLINE_KEYS=/usr/share/empty")
    _quickly_unhealthy(tree)


BROKEN: Mapping[str, Change] = {
    "fails its self-test": lambda tree: edit(
        tree, "releases/self_test.py", f'KEY = "{FAKE_KEY}"', 'KEY = "?"'
    ),
    "crashes at the start": lambda tree: unit(tree, ExecStart="/bin/false"),
    "never gets ready": lambda tree: unit(tree, ExecStart="/bin/sleep 1000", TimeoutStartSec="5s"),
    "is ready and does not answer": _silent,
    "has no pack": _without_a_pack,
    "has a unit that systemd refuses": lambda tree: unit(tree, ExecStart="relative/path"),
}
"""Faults of a release; a different step of the installation finds each."""


def _print_of(root: Path) -> str:
    digest = hashlib.sha256()
    for place in MADE_OF:
        path = root / place
        files = [path] if path.is_file() else sorted(each for each in path.rglob("*") if each.is_file())
        for file in files:
            if "__pycache__" not in file.parts:
                digest.update(
                    f"{file.relative_to(root)} ".encode() + hashlib.sha256(file.read_bytes()).digest()
                )
    return digest.hexdigest()
