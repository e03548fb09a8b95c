"""One change of the installation at a time: a lock that ends with the process, however that ends.

A command that starts another to go on with its work hands it the lock's open descriptor; its number is in
``$BACKLINE_LOCK_FD``. The lock belongs to the open file, so the second one holds it already.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager

from appliance.errors import ReleaseError
from appliance.files.durable import changing
from appliance.releases.layout import Layout

DESCRIPTOR_VARIABLE = "BACKLINE_LOCK_FD"


@contextmanager
def locked(layout: Layout) -> Iterator[int]:
    """Holds the lock; the descriptor is for a command that is to go on. Raises ReleaseError, OutputError."""
    handed = _handed(layout)
    if handed is not None:
        yield handed
        return
    with changing(layout.prefix):
        layout.prefix.mkdir(mode=0o755, parents=True, exist_ok=True)
        descriptor = os.open(layout.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        if not _taken(descriptor):
            raise ReleaseError(
                f"{layout.prefix}: another installation is at work there; wait until it has ended."
            )
        yield descriptor
    finally:
        os.close(descriptor)


def _handed(layout: Layout) -> int | None:
    """The lock that whoever started this command holds; None if there is none."""
    number = os.environ.get(DESCRIPTOR_VARIABLE, "")
    if not number.isdecimal():
        return None
    try:
        same = os.path.samestat(os.fstat(int(number)), layout.lock.stat())
        return int(number) if same and _taken(int(number)) else None
    except OSError:
        return None


def _taken(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
