"""The sources that ``sources.toml`` lists: fetched once, verified, unpacked and patched."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from appliance.files.hashes import file_sha256
from bundle.errors import BundleError
from bundle.tools.programs import output, program

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

LOCK = Path(__file__).with_name("sources.toml")

_CHANGES = ".debian.tar."
"""Part of the name of the file that holds Debian's patches."""


@dataclass(frozen=True, slots=True)
class Source:
    """One source.

    Attributes:
        name, version: as its makers publish it.
        package, revision: name and version of the Debian source package.
        licence: an SPDX expression.
        text: the file in the source that holds the licence.
        files: the SHA-256 of each file, by its name; the first is the upstream archive.
        first_patch: the first of Debian's patches that is applied; empty for all of them.
    """

    name: str
    version: str
    package: str
    revision: str
    licence: str
    text: str
    files: Mapping[str, str]
    first_patch: str = ""


@dataclass(frozen=True, slots=True)
class Lock:
    """The content of ``sources.toml``.

    Attributes:
        date_s: dates what is compiled, in seconds since 1970.
        glibc: the C library that it is compiled for, such as ``2.28``.
        sources: every source by its name.
    """

    date_s: int
    glibc: str
    sources: Mapping[str, Source] = field(default_factory=dict)


def read_lock(file: Path = LOCK) -> Lock:
    """The sources in ``file``."""
    content = tomllib.loads(file.read_text(encoding="utf-8"))
    sources = [Source(**each) for each in content["source"]]
    return Lock(content["date_s"], content["glibc"], {each.name: each for each in sources})


def fetch(source: Source, cache: Path) -> list[Path]:
    """The files of ``source``, downloaded into ``cache`` unless they are there.

    Raises :class:`BundleError` if a file cannot be fetched or has another hash.
    """
    found = []
    for name, sha256 in source.files.items():
        file = cache / "files" / sha256 / name
        if not file.exists():
            file.parent.mkdir(parents=True, exist_ok=True)
            _download(source, name, file)
        if file_sha256(file) != sha256:
            raise BundleError(f"{file} has not the hash that {LOCK.name} lists; delete it and build again.")
        found.append(file)
    return found


def unpack(source: Source, cache: Path, folder: Path) -> Path:
    """Unpack ``source`` below the new folder ``folder``, apply Debian's patches, and return its root."""
    archive, *changes = fetch(source, cache)
    folder.mkdir(parents=True)
    output("tar", "--no-same-owner", "-xf", archive, "-C", folder)
    (root,) = folder.iterdir()
    for change in changes:
        assert _CHANGES in change.name
        aside = folder / "changes"
        aside.mkdir()
        output("tar", "--no-same-owner", "-xf", change, "-C", aside)
        patches = aside / "debian" / "patches"
        for name in _series(patches / "series", source.first_patch):
            output(program("patch"), "-p1", "-s", "-f", "-d", root, "-i", patches / name)
    return root


def _series(file: Path, first: str) -> list[str]:
    """The patches that ``file`` lists, from ``first`` on."""
    lines = [line.split("#")[0].strip() for line in file.read_text(encoding="utf-8").splitlines()]
    names = [line.split()[0] for line in lines if line]
    return names[names.index(first) :] if first else names


def _download(source: Source, name: str, file: Path) -> None:
    """Fetch ``file`` from the mirror of this machine, with apt's own downloader and settings."""
    letters = source.package[: 4 if source.package.startswith("lib") else 1]
    place = f"pool/main/{letters}/{source.package}/{name}"
    mirrors = list(dict.fromkeys(output(program("apt-get"), "indextargets", *_MIRRORS).split()))
    for mirror in mirrors:
        try:
            output(_APT_HELPER, "download-file", f"{mirror.rstrip('/')}/{place}", file)
            return
        except BundleError:
            file.unlink(missing_ok=True)
    raise BundleError(
        f"{name} cannot be fetched from {', '.join(mirrors) or 'any Debian mirror'}; copy it from another "
        f"mirror of Debian 12 to {file}."
    )


_MIRRORS = ("--format", "$(REPO_URI)", "Created-By: Packages", "Component: main")
_APT_HELPER = "/usr/lib/apt/apt-helper"
