"""Ways to end a process of the service with SIGKILL: at some moment, or at the n-th of one system call.

The process dies on the way into the call (``strace`` injects the signal), so "at the second ``fsync``" is
after all that came before it and before anything it would have done.
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
"""How long a call or a process is waited for that may never come; then the daemon is killed as it is."""

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
"""System call to how often it is made for a few vocals: the one to die at is drawn from 1 to that."""

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
"""Made between the start and the first look, some only if there is something to recover."""

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
"""Calls that the decoder makes and its parent does not, as both are traced to get at the child."""


def gone(pid: int) -> bool:
    """Whether a process has ended, be it as a zombie that nobody has asked for."""
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
    """Kill a process that may have ended by itself; whether it is gone."""
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
    return ends(pid)


def engine_of(service: Service) -> int:
    """The engine's process, by the log; 0 where there is none."""
    lines = [line for line in service.log.splitlines() if "Engine starts." in line]
    pid = int(lines[-1].rpartition("pid=")[2]) if lines else 0
    return 0 if not pid or gone(pid) else pid


def awaited_engine(service: Service) -> int:
    """As :func:`engine_of`, once there is one."""
    give_up_s = time.monotonic() + LONGEST_WAIT_S
    while not (pid := engine_of(service)) and time.monotonic() < give_up_s:
        time.sleep(0.01)
    return pid


def decoder_of(engine: int) -> int:
    """The process in which the engine has a recording read; 0 where there is none."""
    with suppress(FileNotFoundError, ProcessLookupError):
        for children in Path(f"/proc/{engine}/task").glob("*/children"):
            for pid in children.read_text().split():
                if b"decode_child" in Path(f"/proc/{pid}/cmdline").read_bytes():
                    return int(pid)
    return 0


def kill_decoder(service: Service, chance: random.Random) -> bool:
    """Wait for a decoder and kill it some moments later; False if none came."""
    give_up_s = time.monotonic() + LONGEST_WAIT_S
    while time.monotonic() < give_up_s:
        if pid := decoder_of(engine_of(service)):
            time.sleep(chance.choice((0.0, chance.uniform(0.0, 0.5))))
            return not gone(pid) and kill(pid)
        time.sleep(0.01)
    return False


def drawn(calls: dict[str, int], chance: random.Random) -> tuple[str, int]:
    """One of the calls and its number, rather a small one: the others may not come."""
    call = chance.choice(sorted(calls))
    return call, min(chance.randint(1, calls[call]) for _ in range(2))


def tracer(call: str, number: int) -> tuple[str, ...]:
    """Begins a command line that dies at the call; the tracer is its grandchild and in nobody's way."""
    return (_strace(), "-D", "-qq", "-o", os.devnull, *_injected(call, number))


def died_at(pid: int, call: str, number: int, trace: Path, *, children: bool = False) -> bool:
    """Have a running process die at the ``number``-th such call from now on; False if it never came to it.

    With ``children`` those that it starts die instead, each with its own count; ``trace`` is a scratch file.
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
        strace.kill()  # it lets go of what it has traced; asked to end it may wait for that
    return "+++ killed by SIGKILL" in trace.read_text(errors="replace")


def _injected(call: str, number: int) -> tuple[str, ...]:
    return "-e", f"trace={call}", "-e", f"inject={call}:signal=KILL:when={number}"


def can_trace() -> bool:
    """Whether there is a program that has others die at a call."""
    return shutil.which("strace") is not None


def _strace() -> str:
    found = shutil.which("strace")
    assert found is not None
    return found


@contextmanager
def stopped(pid: int) -> Iterator[None]:
    """While this lasts, the process does nothing."""
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
