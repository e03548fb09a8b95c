"""A file that appears whole or not at all, and of two writers the last one's stays.

It is written under a hidden name beside its own and renamed. A process that is killed meanwhile leaves the
old file, and ``.XXXX.part`` with a random name.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


@contextmanager
def whole_file(path: Path, mode: int | None = None, sync: bool = False) -> Iterator[BinaryIO]:
    """The file that becomes ``path`` when the block ends; when the block raises, ``path`` stays as it was.

    With ``mode`` it has exactly these permissions, else those of any new file. With ``sync`` its bytes are on
    the disk before it appears; its name is once :func:`appliance.files.durable.sync` returns. What
    writes by name may use ``file.name``. Raises OSError.
    """
    part = path.with_name(f".{os.urandom(8).hex()}.part")
    first_mode = 0o666 if mode is None else 0o600  # nobody else may open it before it has its own
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
    """Makes ``data`` the content of ``path``; see :func:`whole_file`."""
    with whole_file(path, mode, sync) as file:
        file.write(data)
