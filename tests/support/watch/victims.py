"""Kill a process of the service with SIGKILL, at a given moment or at the n-th call of a system call.

``strace`` injects the signal at the entry of the call, so the call itself has no effect.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from support.watch.service import Service

LONGEST_WAIT_S = 15.0
"""Time to wait for a call or process, which may never come; after it the daemon is killed instead."""

DAEMON_CALLS = {
    "fsync": 8,
    "fdatasync": 9,
    "pwrite64": 40,
    "renameat2": 3,
    "unlinkat": 8,
    "unlink": 3,
    "mkdirat": 6,
    "openat": 80,
    "close": 80,
    "write": 8,
    "sendto": 2,
    "fchmod": 5,
    "newfstatat": 80,
    "getdents64": 20,
    "lseek": 12,
    "pread64": 12,
    "wait4": 20,
    "epoll_wait": 20,
}
"""Number of calls of each system call for a few vocals: the call to die at is drawn from 1 to this."""

START_CALLS = {
    "openat": 600,
    "flock": 1,
    "fdatasync": 2,
    "pwrite64": 4,
    "unlink": 1,
    "unlinkat": 2,
    "fsync": 1,
    "bind": 1,
    "listen": 1,
    "socketpair": 1,
    "epoll_ctl": 4,
    "getdents64": 20,
    "vfork": 1,
}
"""Calls between the start and the first scan, some of them only during recovery."""

ENGINE_CALLS = {
    "openat": 60,
    "write": 60,
    "fsync": 20,
    "close": 60,
    "sendto": 4,
    "mkdir": 4,
    "fchmod": 6,
    "rename": 4,
    "unlinkat": 2,
    "vfork": 2,
    "pwrite64": 1,
    "lseek": 80,
}
DECODER_CALLS = {"prctl": 3, "prlimit64": 6, "landlock_restrict_self": 1}
"""Calls that only the decoder makes, and not its parent, because strace traces both."""


def gone(pid: int) -> bool:
    """Whether a process has ended; a zombie counts as ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


def ends(pid: int) -> bool:
    """Whether the process ends soon."""
    give_up_s = time.monotonic() + LONGEST_WAIT_S
    while not gone(pid):
        if time.monotonic() > give_up_s:
            return False
        time.sleep(0.01)
    return True


def kill(pid: int) -> bool:
    """Kill a process, which may have ended by itself; returns whether it has ended."""
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
    return ends(pid)


def engine_of(service: Service) -> int:
    """The engine's process id from the log; 0 if no engine runs."""
    lines = [line for line in service.log.splitlines() if "Engine starts." in line]
    pid = int(lines[-1].rpartition("pid=")[2]) if lines else 0
    return 0 if not pid or gone(pid) else pid


def awaited_engine(service: Service) -> int:
    """As :func:`engine_of`, but waits for an engine."""
    give_up_s = time.monotonic() + LONGEST_WAIT_S
    while not (pid := engine_of(service)) and time.monotonic() < give_up_s:
        time.sleep(0.01)
    return pid


def decoder_of(engine: int) -> int:
    """The decoder's process id; 0 if none runs."""
    with suppress(FileNotFoundError, ProcessLookupError):
        for children in Path(f"/proc/{engine}/task").glob("*/children"):
            for pid in children.read_text().split():
                if b"decode_child" in Path(f"/proc/{pid}/cmdline").read_bytes():
                    return int(pid)
    return 0


def kill_decoder(service: Service, chance: random.Random) -> bool:
    """Wait for a decoder and kill it a random moment later; returns False if there was none to kill."""
    give_up_s = time.monotonic() + LONGEST_WAIT_S
    while time.monotonic() < give_up_s:
        if pid := decoder_of(engine_of(service)):
            time.sleep(chance.choice((0.0, chance.uniform(0.0, 0.5))))
            return not gone(pid) and kill(pid)
        time.sleep(0.01)
    return False


def drawn(calls: dict[str, int], chance: random.Random) -> tuple[str, int]:
    """Draw a call and its number; small numbers are likelier, because high ones may never come."""
    call = chance.choice(sorted(calls))
    return call, min(chance.randint(1, calls[call]) for _ in range(2))


def tracer(call: str, number: int) -> tuple[str, ...]:
    """The start of a command line that dies at the call; the tracer is a detached grandchild (-D)."""
    return (_strace(), "-D", "-qq", "-o", os.devnull, *_injected(call, number))


def died_at(pid: int, call: str, number: int, trace: Path, *, children: bool = False) -> bool:
    """Make a running process die at the ``number``-th such call from now on; returns whether it died.

    With ``children``, its child processes die instead, each with its own count. ``trace`` is a scratch file.
    """
    trace.write_text("")
    follow = ("-f",) if children else ()
    command = (_strace(), *follow, "-q", "-o", str(trace), *_injected(call, number), "-p", str(pid))
    give_up_s = time.monotonic() + LONGEST_WAIT_S
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as strace:
        while strace.poll() is None and time.monotonic() < give_up_s:
            if "+++ killed by SIGKILL" in trace.read_text(errors="replace"):
                break
            time.sleep(0.01)
        strace.kill()  # detaches at once; SIGTERM might wait for the traced process
    return "+++ killed by SIGKILL" in trace.read_text(errors="replace")


def _injected(call: str, number: int) -> tuple[str, ...]:
    return "-e", f"trace={call}", "-e", f"inject={call}:signal=KILL:when={number}"


def can_trace() -> bool:
    """Whether strace is installed."""
    return shutil.which("strace") is not None


def _strace() -> str:
    found = shutil.which("strace")
    assert found is not None
    return found


@contextmanager
def stopped(pid: int) -> Iterator[None]:
    """Stop the process with SIGSTOP for the duration of the block."""
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGSTOP)
    give_up_s = time.monotonic() + LONGEST_WAIT_S
    while not gone(pid) and time.monotonic() < give_up_s:
        if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in "tT":
            break
        time.sleep(0.005)
    try:
        yield
    finally:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)
