"""Files below a folder, and the hash of a file: what packs and releases are checked by."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path

_BLOCK_BYTES = 1 << 20


def files_below(folder: Path) -> Iterator[tuple[Path, os.stat_result]]:
    """Everything below ``folder`` that is no folder, and what it is; no link is followed. Raises OSError."""

    def fail(error: OSError) -> None:
        raise error

    for place, folders, files in os.walk(folder, onerror=fail):
        for entry in sorted(folders + files):
            path = Path(place) / entry
            found = path.lstat()
            if not stat.S_ISDIR(found.st_mode):
                yield path, found


def file_sha256(path: Path) -> str:
    """SHA-256 of a file's bytes in hex, read block by block. Raises OSError."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(_BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest()
