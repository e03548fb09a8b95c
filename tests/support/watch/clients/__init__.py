"""Real programs that copy files into an inbox.

A way to copy is a function ``(vocal, inbox, name, between)``, which returns when the program has ended and
the vocal is complete. It calls ``between`` in the middle, often several times, while part of the file is
certainly missing: there a test waits and checks that the service has not accepted the file.

- ``local``: programs of this computer; ``rsync``, ``sftp``, ``smb``: over a network
"""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path

Between = Callable[[], None]
Copy = Callable[[Path, Path, str, Between], None]

_GIVE_UP_S = 120.0


def missing(*programs: str) -> str:
    """Why these programs cannot be used; '' if they can."""
    lacking = [program for program in programs if shutil.which(program) is None]
    return f"{', '.join(lacking)} not installed" if lacking else ""


def run(*command: str | Path, env: Mapping[str, str] | None = None) -> None:
    """Run a program and check that it succeeds."""
    done = subprocess.run(command, capture_output=True, check=False, stdin=subprocess.DEVNULL, env=env)
    assert done.returncode == 0, f"{command}: {done.returncode} {done.stdout!r} {done.stderr!r}"


def fed(command: list[str], vocal: Path, between: Between, *, pieces: int = 3, share: float = 1.0) -> None:
    """Run a program that copies its standard input, and feed it the vocal slowly, piece by piece.

    With a ``share`` below 1 it is killed after that share.
    """
    data = vocal.read_bytes()
    data = data[: int(share * len(data))]
    size = -(-len(data) // pieces)
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as program:
        assert program.stdin is not None
        for start in range(0, len(data), size):
            if start:
                between()
            program.stdin.write(data[start : start + size])
            program.stdin.flush()
        if share < 1.0:
            between()
            program.kill()
            return
        program.stdin.close()
        assert program.wait(_GIVE_UP_S) == 0, command


def cut_off(command: list[str], target: Path, vocal: Path) -> bool:
    """Run a program and stop it when a third has arrived, also under a temporary name.

    Returns False if the program had finished already: a second copy would be a second vocal.
    """
    size = vocal.stat().st_size
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as program:
        give_up_s = time.monotonic() + _GIVE_UP_S
        while time.monotonic() < give_up_s and program.poll() is None:
            arrived = [target, *target.parent.glob(f".{target.name}.*")]
            if any(_size(file) >= size // 3 for file in arrived):
                break
            time.sleep(0.01)
        program.send_signal(signal.SIGTERM)  # rsync then keeps the partial file
        program.wait(_GIVE_UP_S)
        return program.returncode != 0 and _size(target) < size


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except FileNotFoundError:
        return 0


def free_port() -> int:
    """A free port on the loopback interface."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def listening(port: int, server: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until the server accepts connections."""
    give_up_s = time.monotonic() + _GIVE_UP_S
    while True:
        assert server.poll() is None, f"the server ended\n{log.read_text(errors='replace')}"
        try:
            socket.create_connection(("127.0.0.1", port), 1.0).close()
            return
        except OSError:
            assert time.monotonic() < give_up_s, f"nobody listens\n{log.read_text(errors='replace')}"
            time.sleep(0.05)
