"""``release.json``: the hash of every file of a release, and the platform that the release requires."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from appliance.files.hashes import file_sha256
from appliance.releases.contents import PLATFORM
from appliance.releases.layout import MANIFEST_NAME
from bundle.errors import BundleError
from bundle.tools.archive import mode
from bundle.tools.c_symbols import newest_c_symbol
from bundle.tools.elf import Version, elf_files, read_elf

SCHEMA = 1


def glibc_floor(tree: Path, limit: Version) -> Version:
    """The oldest GNU C library that has every function which the release in ``tree`` needs.

    It counts the symbols of ELF files and the functions that our own Python code calls by name. Raises
    :class:`BundleError` if that is newer than ``limit``.
    """
    found = [(read_elf(file).glibc, str(file)) for file in elf_files(tree)]
    for package in tree.glob("python/lib/python3*/site-packages/appliance"):
        found.append(newest_c_symbol(package))
    newest, name = max(found)
    if newest > limit:
        raise BundleError(
            f"{name} requires GNU C library {newest[0]}.{newest[1]}, and a release may require "
            f"{limit[0]}.{limit[1]} at most; replace what requires it."
        )
    return newest


def write_manifest(tree: Path, version: str, glibc: Version, python: str) -> None:
    """Write ``release.json`` into ``tree``; no file of the tree may change afterwards.

    ``glibc`` is the oldest GNU C library that the release runs on, ``python`` the version of its Python.
    """
    facts: dict[str, Any] = {
        "schema": SCHEMA,
        "version": version,
        "platform": PLATFORM,
        "python": python,
        "glibc": ".".join(map(str, glibc)),
        "files": {
            str(path.relative_to(tree)): {
                "sha256": file_sha256(path),
                "bytes": path.stat().st_size,
                "mode": f"{mode(path):04o}",
            }
            for path in sorted(tree.rglob("*"))
            if path.is_file()
        },
    }
    (tree / MANIFEST_NAME).write_text(json.dumps(facts, indent=1) + "\n")
    (tree / MANIFEST_NAME).chmod(0o644)  # whatever the umask of the build


def size_bytes(tree: Path) -> int:
    """Disk space of all files below ``tree``: each is rounded up to blocks of 4 KiB."""
    return sum(-(-path.stat().st_size // 4096) * 4096 for path in tree.rglob("*") if path.is_file())
