"""Claims a name by a locked folder: the process that makes and locks the folder owns the name.

The lock is ``flock`` on the folder itself. The system releases it when the process ends in any way. A folder
without a lock is therefore left over from a process that was killed.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from pathlib import Path


def claim_folder(folder: Path) -> int | None:
    """Make ``folder``, empty, and lock it; None if another process has it.

    Returns the descriptor that holds the lock: close it after removing the folder. Raises OSError if the
    folder cannot be made.
    """
    if folder.is_dir():
        left_over = _lock(folder)
        if left_over is None:
            return None
        # Its owner is dead. The lock keeps other processes out until the folder is removed.
        shutil.rmtree(folder)
        os.close(left_over)
    try:
        folder.mkdir()
    except FileExistsError:
        return None
    return _lock(folder, without=True)


def _lock(folder: Path, *, without: bool = False) -> int | None:
    """Lock ``folder``: the descriptor that holds the lock; None if another process has it, or it is gone.

    Some network shares do not support locks. There, the result is the descriptor without a lock if
    ``without`` is true, otherwise None.
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
