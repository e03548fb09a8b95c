"""The lock of an installation: one change at a time. It ends with its process, however that ends.

A command that starts a second one to continue its work passes on the lock's file descriptor and puts the
number into ``$BACKLINE_LOCK_FD``. ``flock`` locks belong to the open file, so both processes hold the lock.
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
    """Hold the lock; yields its file descriptor, which a child process may inherit.

    Raises:
        ReleaseError: another process holds the lock.
        OutputError: the lock file cannot be created.
    """
    inherited = _inherited(layout)
    if inherited is not None:
        yield inherited
        return
    with changing(layout.prefix):
        layout.prefix.mkdir(mode=0o755, parents=True, exist_ok=True)
        descriptor = os.open(layout.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        if not _try_lock(descriptor):
            raise ReleaseError(
                f"{layout.prefix}: another installation is running there; wait until it has ended."
            )
        yield descriptor
    finally:
        os.close(descriptor)


def _inherited(layout: Layout) -> int | None:
    """The descriptor of the lock that the parent process holds and passed on; None without one."""
    number = os.environ.get(DESCRIPTOR_VARIABLE, "")
    if not number.isdecimal():
        return None
    try:
        same = os.path.samestat(os.fstat(int(number)), layout.lock.stat())
        return int(number) if same and _try_lock(int(number)) else None
    except OSError:
        return None


def _try_lock(descriptor: int) -> bool:
    """Whether the lock was free, or this open file has it already."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
