"""A folder as a claim: whoever makes and locks it has the name, for as long as their process lives.

The lock is ``flock`` on the folder itself, which the system lifts when a process ends in whatever way. A
folder that nobody locks is therefore left over from one that was killed.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from pathlib import Path


def claim_folder(folder: Path) -> int | None:
    """Makes ``folder``, empty, and locks it; None while another process works in it.

    The descriptor holds the lock: close it when the folder has been removed. Raises OSError where the
    folder cannot be made.
    """
    if folder.is_dir():
        left_over = _lock(folder)
        if left_over is None:
            return None
        # Its owner is dead. Removing it under the lock keeps others from taking it meanwhile.
        shutil.rmtree(folder)
        os.close(left_over)
    try:
        folder.mkdir()
    except FileExistsError:
        return None
    return _lock(folder, without=True)


def _lock(folder: Path, *, without: bool = False) -> int | None:
    """A descriptor that holds the lock of ``folder``; None if another process does, or it is gone.

    Some network shares know no locks: there, ``without`` takes the folder all the same.
    """
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.fstat(descriptor).st_ino == folder.stat().st_ino:
            return descriptor
    except (BlockingIOError, FileNotFoundError):
        pass
    except OSError:
        if without:
            return descriptor
    os.close(descriptor)
    return None
