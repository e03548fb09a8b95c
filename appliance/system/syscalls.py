"""System calls that Python does not offer: ``renameat2``, ``prctl``, Landlock.

Sources: the manual pages renameat2(2), prctl(2) and landlock(7). The numbers are those of the kernel
headers; x86-64 and arm64 share those of Landlock.
"""

from __future__ import annotations

import ctypes
import errno
import os
import signal
import struct
from contextlib import suppress
from pathlib import Path

_libc = ctypes.CDLL(None, use_errno=True)
_libc.prctl.argtypes = [ctypes.c_int, *[ctypes.c_ulong] * 4]
_libc.syscall.restype = ctypes.c_long

_RENAMEAT2 = {"x86_64": 316, "aarch64": 276}.get(os.uname().machine)
"""Called by number: C libraries before 2.28, and musl, have no such function."""

_RENAME_NOREPLACE, _RENAME_EXCHANGE, _AT_FDCWD = 1, 2, -100
_PR_SET_PDEATHSIG, _PR_SET_NO_NEW_PRIVS, _PR_SET_MDWE, _PR_GET_MDWE = 1, 38, 65, 66
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_ABI_VERSION, _PATH_BENEATH = 1, 1
_READ_FILE = 1 << 2
_RIGHTS_BY_ABI = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1}
"""All file rights that each Landlock version knows. A ruleset denies what it handles and does not grant."""

_NOT_SUPPORTED = (errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP)


def rename_new(old_folder: int, old: bytes, new_folder: int, new: bytes) -> None:
    """Rename without ever replacing: ``old`` in ``old_folder`` becomes ``new`` in ``new_folder``.

    Both folders are open descriptors. Some network shares do not support such a rename. There, a file gets
    its new name by ``link``, which does not replace either; a folder gets it by a plain rename, which
    replaces at most an empty folder.

    Raises:
        FileExistsError: the new name is taken.
        OSError: any other failure.
    """
    if _renameat2(old_folder, old, new_folder, new, _RENAME_NOREPLACE) == 0:
        return
    number = ctypes.get_errno()
    if number not in _NOT_SUPPORTED:
        raise OSError(number, os.strerror(number), os.fsdecode(new))
    try:
        os.link(old, new, src_dir_fd=old_folder, dst_dir_fd=new_folder, follow_symlinks=False)
    except PermissionError:  # link(2) on a folder
        with suppress(FileNotFoundError):
            os.stat(new, dir_fd=new_folder, follow_symlinks=False)
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), os.fsdecode(new)) from None
        os.rename(old, new, src_dir_fd=old_folder, dst_dir_fd=new_folder)
    else:
        os.unlink(old, dir_fd=old_folder)


def exchange(one: Path, other: Path) -> None:
    """Swap the names of two files or folders of one file system in one step. Raises OSError on failure."""
    names = os.fsencode(one), os.fsencode(other)
    if _renameat2(_AT_FDCWD, names[0], _AT_FDCWD, names[1], _RENAME_EXCHANGE) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), str(other))


def die_with_parent(parent: int) -> None:
    """Have the kernel kill this process when the thread that started it ends.

    ``parent`` is the process id of the parent. If the parent died before this call took effect, this process
    kills itself.
    """
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)


def no_new_privileges() -> None:
    """From now on no program that this process starts can gain privileges."""
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)


def no_new_code() -> bool:
    """Deny executable memory that is or was writable; False if the kernel cannot (before 6.3)."""
    with suppress(OSError):
        _prctl(_PR_SET_MDWE, 1)
        return True
    return False


def can_deny_new_code() -> bool:
    """Whether :func:`no_new_code` works; asking changes nothing."""
    return int(_libc.prctl(_PR_GET_MDWE, 0, 0, 0, 0)) >= 0


def landlock_version() -> int:
    """The kernel's version of Landlock; 0 if it has none, or a filter of system calls denies asking."""
    return max(0, int(_libc.syscall(_CREATE_RULESET, None, 0, _ABI_VERSION)))


def only_read(descriptor: int) -> bool:
    """Deny this process to open files by name, except to read the file of ``descriptor`` again.

    Call :func:`no_new_privileges` first. Descriptors that are open already keep working. False if the kernel
    has no Landlock.
    """
    abi = landlock_version()
    if abi < 1:
        return False
    rights = struct.pack("=Q", _RIGHTS_BY_ABI[min(abi, 3)])
    ruleset = _libc.syscall(_CREATE_RULESET, rights, len(rights), 0)
    if ruleset < 0:
        return False
    try:
        rule = struct.pack("=Qi", _READ_FILE, descriptor)
        added = _libc.syscall(_ADD_RULE, ruleset, _PATH_BENEATH, rule, 0)
        return bool(added == 0 and _libc.syscall(_RESTRICT_SELF, ruleset, 0) == 0)
    finally:
        os.close(ruleset)


def preferred_by_oom_killer(score: int) -> None:
    """Make the kernel kill this process before others when memory runs out; ``score`` is 0 to 1000."""
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(str(score), encoding="ascii")


def _renameat2(old_folder: int, old: bytes, new_folder: int, new: bytes, flags: int) -> int:
    """renameat2(2): 0 on success, otherwise -1 and a number in ``ctypes.get_errno()``."""
    if _RENAMEAT2 is None:
        ctypes.set_errno(errno.ENOSYS)
        return -1
    number = ctypes.c_long
    return int(
        _libc.syscall(number(_RENAMEAT2), number(old_folder), old, number(new_folder), new, number(flags))
    )


def _prctl(option: int, value: int) -> None:
    if _libc.prctl(option, value, 0, 0, 0) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
