"""Writes a file atomically: it appears complete or not at all. Of two writers, the last one wins.

The file is written under a hidden name beside its own, then renamed. A process that is killed meanwhile
leaves the old file, and a hidden ``.XXXX.part`` with a random name.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


@contextmanager
def whole_file(path: Path, mode: int | None = None, sync: bool = False) -> Iterator[BinaryIO]:
    """Open a new file that replaces ``path`` when the block ends; if the block raises, ``path`` is unchanged.

    ``mode`` sets the exact permissions (default: those of any new file). With ``sync`` the content is on the
    disk before the file appears; the name is there only after :func:`appliance.files.durable.sync` of the
    folder. Code that writes by name may use ``file.name``. Raises OSError if the file cannot be written.
    """
    part = path.with_name(f".{os.urandom(8).hex()}.part")
    first_mode = 0o666 if mode is None else 0o600  # no other user may open it before fchmod
    try:
        with open(part, "xb", opener=lambda name, flags: os.open(name, flags, first_mode)) as file:
            if mode is not None:
                os.fchmod(file.fileno(), mode)
            yield file
            if sync:
                file.flush()
                os.fsync(file.fileno())
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def write_whole(path: Path, data: bytes, mode: int | None = None, sync: bool = False) -> None:
    """Write ``data`` to ``path`` atomically; see :func:`whole_file`."""
    with whole_file(path, mode, sync) as file:
        file.write(data)
