"""Bundles to refuse: altered after signing, signed by a stranger, or older; made from valid ones.

The code that builds real bundles also builds these, from a tree of a few small files.
"""

from __future__ import annotations

import io
import os
import random
import re
import shutil
import subprocess
import tarfile
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from appliance.releases.contents import release_comment
from appliance.releases.layout import MANIFEST_NAME
from bundle.carriers import run_file
from bundle.carriers.run_file import write_run_file
from bundle.contents.opener import copy_opener
from bundle.papers.manifest import size_bytes, write_manifest
from bundle.release import Release
from bundle.tools.archive import write_tar
from bundle.tools.signing import SigningKey
from support.bundle_stand_in import new_key, opener
from support.releases.stand_in import StandIn

TIME_S = 1_700_000_000
INSTALLED, NEWER, OLDER = "1.5", "1.6", "1.4"

Make = Callable[[Path], Path]
"""Writes an altered bundle into a folder and returns its path."""


class Maker:
    """Valid bundles in ``folder/dist``, signed with ``key``, and altered ones made from them."""

    def __init__(self, folder: Path, place: StandIn) -> None:
        self.folder, self.place = folder, place
        self.key, self.stranger = new_key(folder / "ours"), new_key(folder / "theirs")
        self.dist = folder / "dist"
        for version in (INSTALLED, NEWER, OLDER):
            self.bundle(version, self.dist, self.key)
        self.newer, self.older = (self.file(version) for version in (NEWER, OLDER))
        self.data = self.newer.read_bytes()
        offsets = (re.search(rf"^{name}=(\d+)$".encode(), self.data, re.MULTILINE) for name in _OFFSETS)
        starts = [0, *(int(found[1]) - 1 for found in offsets if found), len(self.data)]
        self.regions = dict(zip(("header", *_OFFSETS), pairwise(starts), strict=True))
        """First byte and end of each region of the file."""

    def file(self, version: str) -> Path:
        return self.dist / run_file.file_name(version)

    def bundle(
        self, version: str, dist: Path, key: SigningKey, change: Callable[[Path], None] | None = None
    ) -> Path:
        """Build the bundle of a release; ``change`` may alter the finished tree before."""
        tree = self.folder / "trees" / f"backline-{version}"
        shutil.rmtree(tree, ignore_errors=True)
        self.place.tree(tree, version, {"keys/backline.pub": key.public})
        copy_opener(opener(), tree)
        (tree / MANIFEST_NAME).unlink()
        write_manifest(tree, version, (2, 28), "3.11.2")
        if change is not None:
            change(tree)
        return write_run_file(Release(tree, version, (2, 28), size_bytes(tree)), dist, key, TIME_S)

    def copy(self, folder: Path, data: bytes | None = None, signature: Path | None = None) -> Path:
        """A copy of the newer bundle, with other bytes or another signature."""
        file = folder / self.newer.name
        file.write_bytes(self.data if data is None else data)
        shutil.copyfile(signature or f"{self.newer}.minisig", f"{file}.minisig")
        return file

    def flipped(self, place: int, bit: int) -> Make:
        """Flip one bit of the bundle."""

        def make(folder: Path) -> Path:
            data = bytearray(self.data)
            data[place] ^= 1 << bit
            return self.copy(folder, bytes(data))

        return make

    def flips(self, chance: random.Random, counts: dict[str, int]) -> Iterator[tuple[str, Make]]:
        """Bit flips, spread evenly: ``counts`` has the number for each region of the file."""
        for region, (start, end) in self.regions.items():
            count = counts[region]
            for number in range(count):
                place = start + int((number + chance.random()) * (end - start) / count)
                bit = chance.randrange(8)
                yield f"{region}: bit {bit} of byte {place}", self.flipped(place, bit)

    def lengths(self) -> Iterator[tuple[str, Make]]:
        """Truncated bundles, and bundles with data after their end."""
        ends = [self.regions["OPENER_AT"][0] + 1, *(end for _, end in self.regions.values())][:-1]
        short = {*ends, *(len(self.data) * k // 8 for k in range(1, 8)), len(self.data) - 1, 1, 0, 700}
        for length in sorted(short):
            yield f"cut off after {length}", lambda folder, n=length: self.copy(folder, self.data[:n])
        tails = {"a byte": b"\0", "a megabyte": bytes(1 << 20), "a command": b"\nid\n", "itself": self.data}
        for name, tail in tails.items():
            yield f"longer: {name}", lambda folder, more=tail: self.copy(folder, self.data + more)
        yield "longer: another release in it", self._spliced

    def _spliced(self, folder: Path) -> Path:
        start, _ = self.regions["RELEASE_AT"]
        return self.copy(folder, self.data[:start] + self.older.read_bytes()[start:])

    def signatures(self, chance: random.Random, flips: int) -> Iterator[tuple[str, Make]]:
        """The valid bundle with an altered, missing or foreign signature."""
        good = Path(f"{self.newer}.minisig").read_bytes()
        first = good.index(b"\n") + 1  # the line before is the untrusted comment
        for number in range(flips):
            place = first + int((number + chance.random()) * (len(good) - 1 - first) / flips)
            bit = chance.randrange(7)

            def make(folder: Path, place: int = place, bit: int = bit) -> Path:
                file, data = self.copy(folder), bytearray(good)
                data[place] ^= 1 << bit
                Path(f"{file}.minisig").write_bytes(data)
                return file

            yield f"signature: bit {bit} of byte {place}", make
        for length in (0, 1, first, first + 50, len(good) - 30):

            def cut(folder: Path, length: int = length) -> Path:
                file = self.copy(folder)
                Path(f"{file}.minisig").write_bytes(good[:length])
                return file

            yield f"signature: cut off after {length}", cut
        yield (
            "signature: of an older version",
            lambda folder: self.copy(folder, None, Path(f"{self.older}.minisig")),
        )
        for name, put in _STRANGE.items():

            def strange(folder: Path, put: Callable[[Path, Path], None] = put) -> Path:
                file = self.copy(folder)
                Path(f"{file}.minisig").unlink()
                put(Path(f"{file}.minisig"), Path(f"{self.older}.minisig"))
                return file

            yield f"signature: {name}", strange
        ours = release_comment(NEWER)
        comments = (
            f"{ours} ",
            f"backline release {OLDER} linux-x86_64",
            f"backline release {NEWER} linux-arm64",
        )
        for comment in (*comments, f"backline pack reference {NEWER}", "", ours.upper()):
            yield f"signed: as {comment!r}", lambda folder, text=comment: self._signed(folder, self.key, text)
        yield "signed: by a stranger", lambda folder: self._signed(folder, self.stranger, ours)
        yield "signed: without hashing first", lambda folder: self._signed(folder, self.key, ours, "-l")

    def _signed(self, folder: Path, key: SigningKey, comment: str, *options: str) -> Path:
        file = self.copy(folder)
        words = [
            "minisign",
            "-S",
            *options,
            "-s",
            key.secret,
            "-m",
            file,
            "-x",
            f"{file}.minisig",
            "-t",
            comment,
        ]
        subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
        return file

    def whole(self) -> Iterator[tuple[str, Make]]:
        """Intact bundles with a valid signature that must not be installed: older, or a stranger's."""
        yield "older", lambda folder: self._older(folder)
        yield "all of a stranger's", lambda folder: self.bundle("9.0", folder, self.stranger)

    def _older(self, folder: Path) -> Path:
        for suffix in ("", ".minisig"):
            shutil.copy(f"{self.older}{suffix}", folder)
        return folder / self.older.name

    def trees(self) -> Iterator[tuple[str, Make]]:
        """Bundles signed with the right key, with an invalid tree."""
        for name, change in _TREES.items():
            yield (
                f"release with {name}",
                lambda folder, alter=change: self.bundle("2.0", folder, self.key, alter),
            )

    def archives(self, outside: Path) -> Iterator[tuple[str, Make]]:
        """Bundles signed with the right key, whose archive tries to write to ``outside``."""
        for name, members in _members(outside).items():

            def make(folder: Path, more: list[tuple[tarfile.TarInfo, bytes]] = members) -> Path:
                with pytest.MonkeyPatch.context() as patch:
                    patch.setattr(run_file, "write_tar_gz", lambda *words: _write_with(more, *words))
                    return self.bundle("2.0", folder, self.key)

            yield f"archive with {name}", make


_OFFSETS = ("OPENER_AT", "PROBE_AT", "RELEASE_AT")

_STRANGE: dict[str, Callable[[Path, Path], object]] = {
    "missing": lambda signature, other: None,
    "a folder": lambda signature, other: signature.mkdir(),
    "a link to another": lambda signature, other: signature.symlink_to(other),
    "a link to nothing": lambda signature, other: signature.symlink_to("nothing"),
    "a pipe": lambda signature, other: os.mkfifo(signature),
    "of nothing but zeros": lambda signature, other: signature.write_bytes(bytes(1 << 20)),
}


def _append(file: Path) -> None:
    with file.open("ab") as stream:
        stream.write(b"\n")


_TREES: dict[str, Callable[[Path], object]] = {
    "an altered file": lambda tree: _append(tree / "systemd/backline.service"),
    "a file too many": lambda tree: (tree / "more").write_text("x"),
    "a file too few": lambda tree: (tree / "status.json").unlink(),
    "other permissions": lambda tree: (tree / "status.json").chmod(0o755),
    "no list of files": lambda tree: (tree / MANIFEST_NAME).unlink(),
    "nonsense as its list": lambda tree: (tree / MANIFEST_NAME).write_text("{}"),
    "another version inside": lambda tree: (tree / MANIFEST_NAME).write_text(
        (tree / MANIFEST_NAME).read_text().replace('"version": "2.0"', '"version": "../2.0"')
    ),
    "a name that leads out": lambda tree: (tree / MANIFEST_NAME).write_text(
        (tree / MANIFEST_NAME).read_text().replace('"status.json"', '"../../../status.json"')
    ),
}


def _member(
    name: str, kind: bytes = tarfile.REGTYPE, link: str = "", data: bytes = b"evil\n"
) -> tuple[tarfile.TarInfo, bytes]:
    entry = tarfile.TarInfo(name)
    entry.type, entry.linkname, entry.mode = kind, link, 0o755
    entry.size = len(data) if kind == tarfile.REGTYPE else 0
    return entry, data


def _members(outside: Path) -> dict[str, list[tuple[tarfile.TarInfo, bytes]]]:
    up, top = "../" * 12, "backline-2.0"
    setuid = _member(f"{top}/su")
    setuid[0].mode = 0o4755
    device = _member(f"{top}/disk", tarfile.BLKTYPE)
    device[0].devmajor, device[0].devminor = 8, 0
    return {
        "a path up and out": [_member(f"{top}/{up}{outside}/evil")],
        "a path up from the top": [_member(f"{up}{outside}/evil")],
        "a link to a folder, and a file through it": [
            _member(f"{top}/link", tarfile.SYMTYPE, str(outside)), _member(f"{top}/link/evil")
        ],
        "a link up and out, and a file through it": [
            _member(f"{top}/link", tarfile.SYMTYPE, f"{up}{outside}"), _member(f"{top}/link/evil")
        ],
        "a link in place of a file": [
            _member(f"{top}/status.json", tarfile.SYMTYPE, f"{outside}/evil"), _member(f"{top}/status.json")
        ],
        "a hard link to outside": [_member(f"{top}/word", tarfile.LNKTYPE, "/etc/passwd")],
        "a hard link up": [_member(f"{top}/word", tarfile.LNKTYPE, f"{up}etc/passwd")],
        "a disk": [device],
        "a pipe": [_member(f"{top}/pipe", tarfile.FIFOTYPE)],
        "a program of root's": [setuid],
        "a file twice": [_member(f"{top}/status.json"), _member(f"{top}/status.json", data=b"worse\n")],
        "a bomb": [_member(f"{top}/bomb", data=bytes(256 << 20))],
    }  # fmt: skip


def _write_with(
    more: list[tuple[tarfile.TarInfo, bytes]], tree: Path, stream: io.BufferedWriter, time_s: int
) -> None:
    import gzip

    with gzip.GzipFile(filename="", mode="wb", compresslevel=1, fileobj=stream, mtime=0) as packed:
        plain = io.BytesIO()
        write_tar(tree, plain, time_s)
        plain.seek(0)
        with tarfile.open(fileobj=plain) as good, tarfile.open(fileobj=packed, mode="w|") as tar:
            for entry in good:
                tar.addfile(entry, good.extractfile(entry) if entry.isreg() else None)
            for entry, data in more:
                tar.addfile(entry, io.BytesIO(data) if entry.isreg() else None)
