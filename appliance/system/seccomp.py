"""A system call filter for a process that only reads, computes and writes to open descriptors: seccomp(2).

It needs no privilege beyond :func:`appliance.system.syscalls.no_new_privileges` and works since Linux 3.5, so
it also protects where Landlock (5.13) and the denial of new code (6.3) are missing. What it cannot do is tell
one file from another: names are pointers, which a filter does not see.

Sources: the manual page seccomp(2), the kernel's headers ``linux/seccomp.h``, ``linux/filter.h`` and
``asm/unistd_64.h``.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct
from collections.abc import Iterator

_libc = ctypes.CDLL(None, use_errno=True)
_libc.prctl.argtypes = [ctypes.c_int, *[ctypes.c_ulong] * 4]

_PR_GET_SECCOMP, _PR_SET_SECCOMP, _MODE_FILTER = 21, 22, 2
_ARCHITECTURE = 0xC000003E  # x86-64
_ALLOW, _DENY = 0x7FFF0000, 0x00050000 | errno.EPERM
_LOAD, _IF_EQUAL, _IF_ANY_BIT, _RETURN = 0x20, 0x15, 0x45, 0x06
_NUMBER_AT, _ARCHITECTURE_AT, _ARGUMENTS_AT = 0, 4, 16

_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND | os.O_TMPFILE
_PROT_EXEC = 4

_ALLOWED = {
    "read": 0, "write": 1, "close": 3, "stat": 4, "fstat": 5, "lstat": 6, "poll": 7, "lseek": 8, "munmap": 11,
    "brk": 12, "rt_sigaction": 13, "rt_sigprocmask": 14, "rt_sigreturn": 15, "pread64": 17, "pwrite64": 18,
    "readv": 19, "writev": 20, "select": 23, "sched_yield": 24, "mremap": 25, "madvise": 28, "dup": 32,
    "nanosleep": 35, "getpid": 39, "exit": 60, "uname": 63, "fcntl": 72, "gettimeofday": 96, "getrusage": 98,
    "times": 100, "getuid": 102, "getgid": 104, "geteuid": 107, "getegid": 108, "sigaltstack": 131,
    "arch_prctl": 158, "gettid": 186, "futex": 202, "sched_getaffinity": 204, "restart_syscall": 219,
    "clock_gettime": 228, "clock_getres": 229, "clock_nanosleep": 230, "exit_group": 231, "newfstatat": 262,
    "set_robust_list": 273, "getrandom": 318, "membarrier": 324, "statx": 332, "rseq": 334,
}  # fmt: skip
"""Calls that are allowed whatever their arguments, with their numbers on x86-64."""

_WITHOUT_BITS = {"open": (2, 1, _WRITING), "openat": (257, 2, _WRITING)} | {
    "mmap": (9, 2, _PROT_EXEC),
    "mprotect": (10, 2, _PROT_EXEC),
}
"""Calls that are allowed unless an argument has certain bits: number, argument (from 0), bits."""

_Instruction = tuple[int, int, int, int]


def is_available() -> bool:
    """Whether :func:`only_compute` works here; asking changes nothing."""
    return platform.machine() == "x86_64" and int(_libc.prctl(_PR_GET_SECCOMP, 0, 0, 0, 0)) >= 0


def only_compute() -> bool:
    """Deny every system call (EPERM) but those of a process that reads, computes, and writes to descriptors.

    Files can be opened for reading only, no memory becomes executable, and no program starts. Call
    :func:`appliance.system.syscalls.no_new_privileges` first. False if this kernel or CPU has no such filter.
    """
    if platform.machine() != "x86_64":
        return False
    program = b"".join(struct.pack("=HBBI", *each) for each in _instructions(os.getpid()))
    kept = ctypes.create_string_buffer(program, len(program))
    head = ctypes.create_string_buffer(struct.pack("@HP", len(program) // 8, ctypes.addressof(kept)))
    return bool(_libc.prctl(_PR_SET_SECCOMP, _MODE_FILTER, ctypes.addressof(head), 0, 0) == 0)


def _instructions(pid: int) -> Iterator[_Instruction]:
    """The filter as BPF: (operation, instructions to skip if true, if false, constant)."""
    yield (_LOAD, 0, 0, _ARCHITECTURE_AT)
    yield (_IF_EQUAL, 1, 0, _ARCHITECTURE)
    yield (_RETURN, 0, 0, _DENY)
    yield (_LOAD, 0, 0, _NUMBER_AT)
    for number in _ALLOWED.values():
        yield (_IF_EQUAL, 0, 1, number)
        yield (_RETURN, 0, 0, _ALLOW)
    for number, argument, bits in _WITHOUT_BITS.values():
        yield from _allowed_if(number, argument, (_IF_ANY_BIT, 0, 1, bits), (_DENY, _ALLOW))
    for number, argument, value in ((302, 0, 0), (234, 0, pid)):  # prlimit64 and tgkill, of itself
        yield from _allowed_if(number, argument, (_IF_EQUAL, 0, 1, value), (_ALLOW, _DENY))
    yield (_RETURN, 0, 0, _DENY)


def _allowed_if(
    number: int, argument: int, test: _Instruction, results: tuple[int, int]
) -> Iterator[_Instruction]:
    """Decide by a test of the low half of an argument; ``results``: if it is true, and if not."""
    yield (_IF_EQUAL, 0, 4, number)
    yield (_LOAD, 0, 0, _ARGUMENTS_AT + 8 * argument)
    yield test
    yield (_RETURN, 0, 0, results[0])
    yield (_RETURN, 0, 0, results[1])
