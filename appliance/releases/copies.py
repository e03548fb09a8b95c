"""Private copies of files from a USB stick, which no other user can change after verification."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from appliance.errors import OutputError
from appliance.signatures.minisign import opened

SPARE_BYTES = 64 << 20
"""Space that must remain free on the disk (64 MiB)."""

BLOCK_BYTES = 1 << 20
"""Bytes per read (1 MiB)."""


def private_copy(source: Path, target: Path) -> None:
    """Copy the plain file ``source`` to the new file ``target``, readable only by this user.

    Raises:
        OutputError: the disk has too little space.
        OSError: a file cannot be read or written, or ``target`` exists.
        SignatureError: ``source`` is not a plain file.
    """
    with opened(source) as stream:
        check_room(target.parent, os.fstat(stream.fileno()).st_size)
        with target.open("xb") as copy:
            os.fchmod(copy.fileno(), 0o600)
            shutil.copyfileobj(stream, copy, BLOCK_BYTES)


def check_room(folder: Path, needed_bytes: int) -> None:
    """Raise OutputError unless ``needed_bytes`` and a reserve of :data:`SPARE_BYTES` are free."""
    free = shutil.disk_usage(folder).free
    if free < needed_bytes + SPARE_BYTES:
        raise OutputError(
            f"{folder}: {(needed_bytes + SPARE_BYTES) >> 20:,} MB are needed and {free >> 20:,} MB are free; "
            "free some space and try again."
        )
