"""``release.json``: the hash of every file of a release, and the platform that the release requires."""

from __future__ import annotations

import json
import platform
from pathlib import Path
from typing import Any

from appliance.files.hashes import file_sha256
from appliance.releases.contents import PLATFORM
from appliance.releases.layout import MANIFEST_NAME
from bundle.tools.archive import mode
from bundle.tools.elf import Version, elf_files, read_elf

SCHEMA = 1


def glibc_floor(tree: Path) -> Version:
    """The oldest GNU C library that provides every symbol required by the ELF files below ``tree``."""
    return max(read_elf(file).glibc for file in elf_files(tree))


def write_manifest(tree: Path, version: str, glibc: Version) -> None:
    """Write ``release.json`` into ``tree``; no file of the tree may change afterwards.

    ``glibc`` is the oldest GNU C library that the release runs on.
    """
    facts: dict[str, Any] = {
        "schema": SCHEMA,
        "version": version,
        "platform": PLATFORM,
        "python": platform.python_version(),
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


def size_bytes(tree: Path) -> int:
    """Disk space of all files below ``tree``: each is rounded up to blocks of 4 KiB."""
    return sum(-(-path.stat().st_size // 4096) * 4096 for path in tree.rglob("*") if path.is_file())
