"""Checks whether the disk is at fault, before a recording or its name is.

libsndfile does not say why it could not read on, and a broken file system may answer "invalid argument" to
any name. So an error counts against a recording only after a second check that has nothing to do with sound.
"""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from pathlib import Path

from appliance.watch.disk.folders import clear, folder
from appliance.watch.engine.failures import ChangedError

_PIECE_BYTES = 4 << 20
_PLAIN_NAME = b"name-check"


def prove_readable(source: int, sha256: str, title: str) -> None:
    """Read the open recording to its end and compare its hash with ``sha256``, that of the queued one.

    ``title`` is its name in errors.

    Raises:
        OSError: the disk cannot read it, so nothing is known about the recording.
        ChangedError: it is another recording than the queued one.
    """
    digest, position, size = hashlib.sha256(), 0, os.fstat(source).st_size
    try:
        while position <= size and (piece := os.pread(source, _PIECE_BYTES, position)):
            digest.update(piece)
            position += len(piece)
    except OSError as error:
        raise OSError(error.errno, error.strerror, title) from error
    if position != size or digest.hexdigest() != sha256:
        raise ChangedError(f"{title} changed after it was queued.")


def name_is_refused(work: Path, name: str) -> bool:
    """Whether the file system of the folder ``work`` refuses ``name`` but accepts a plain name."""
    try:
        with folder(work) as place:
            _make(place, _PLAIN_NAME)
            try:
                _make(place, os.fsencode(name))
            except OSError:
                return True
    except OSError:  # it accepts no name at all
        pass
    return False


def _make(place: int, name: bytes) -> None:
    """Create the empty file ``name`` and remove it again. Raises OSError."""
    try:
        os.close(os.open(name, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600, dir_fd=place))
    finally:
        with suppress(OSError):
            clear(place, name)
