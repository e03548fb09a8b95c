"""``release.json``: every file of a release with its hash, and what the release needs of a machine."""

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
    """The oldest GNU C library that has every symbol that any ELF file below ``tree`` asks for."""
    return max(read_elf(file).glibc for file in elf_files(tree))


def write_manifest(tree: Path, version: str, glibc: Version) -> None:
    """Write ``release.json`` into ``tree``; nothing in there may change afterwards."""
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
    """Bytes of all files below ``tree``, each rounded up to the 4 KiB that it takes on a disk."""
    return sum(-(-path.stat().st_size // 4096) * 4096 for path in tree.rglob("*") if path.is_file())
