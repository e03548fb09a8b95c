"""A private copy of a file from a USB stick, so that nobody changes it while it is verified."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from appliance.errors import OutputError
from appliance.signatures.minisign import opened

SPARE_BYTES = 64 << 20
"""Bytes that stay free on the disk."""

BLOCK_BYTES = 1 << 20
"""Bytes copied at a time."""


def private_copy(source: Path, target: Path) -> None:
    """Copies a plain file, so that what is verified is what is used. Raises OutputError, OSError."""
    with opened(source) as stream:
        check_room(target.parent, os.fstat(stream.fileno()).st_size)
        with target.open("xb") as copy:
            os.fchmod(copy.fileno(), 0o600)
            shutil.copyfileobj(stream, copy, BLOCK_BYTES)


def check_room(folder: Path, needed_bytes: int) -> None:
    """Raises OutputError where the disk has not the room."""
    free = shutil.disk_usage(folder).free
    if free < needed_bytes + SPARE_BYTES:
        raise OutputError(
            f"{folder}: {(needed_bytes + SPARE_BYTES) >> 20:,} MB are needed and {free >> 20:,} MB are free; "
            "free some space and do it again."
        )
