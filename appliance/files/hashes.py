"""The files below a folder, and the hash of a file, for checking packs and releases."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path

_BLOCK_BYTES = 1 << 20


def files_below(folder: Path) -> Iterator[tuple[Path, os.stat_result]]:
    """All files, links and devices below ``folder`` with their ``lstat``; links are not followed.

    Raises OSError if a folder cannot be read.
    """

    def fail(error: OSError) -> None:
        raise error

    for place, folders, files in os.walk(folder, onerror=fail):
        for entry in sorted(folders + files):
            path = Path(place) / entry
            found = path.lstat()
            if not stat.S_ISDIR(found.st_mode):
                yield path, found


def file_sha256(path: Path) -> str:
    """SHA-256 of a file in hex, read in blocks. Raises OSError if it cannot be read."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(_BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest()
