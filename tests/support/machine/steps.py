"""A command in a machine that stops after each step until the test lets it continue.

A step is a program start, or a system call that changes a name. Between two steps only the contents of files
change on the disk. strace runs outside the machine and stops each process right after its step.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from support.machine.machine import Machine

CALLS = "execve,rename,renameat,renameat2,symlink,symlinkat,unlink,mkdir,rmdir,syncfs"

_CALL = re.compile(r"^(\d+) +(?:<\.\.\. )?(\w+)(?:\(| resumed>)(.*)$")
_STOPPED = re.compile(r"^(\d+) +--- stopped by SIGSTOP ---$")
_INJECTED = re.compile(r"^(\d+) +--- SIGSTOP \{")
_QUOTED = re.compile(r'"([^"]*)"')
_DRAWN = re.compile(r"(run-|install-|pack-|tmp\.|backline-self-test-)\w+|\d{3,}")
"""Random parts of names, different in each run."""

LIMIT_S = 900.0


class Stepped:
    """Runs ``command`` in ``machine``; each iteration lets it make one step."""

    def __init__(self, machine: Machine, folder: Path, *command: str) -> None:
        strace = shutil.which("strace")
        if strace is None:
            pytest.skip("strace is missing")
        folder.mkdir(exist_ok=True)
        self._log, self.said = folder / "calls", folder / "said"
        self._log.write_text("")
        # Without --seccomp-bpf, with which each process stops only at its first step.
        words = [strace, "-f", "-qq", "-s", "300", "-o", str(self._log)]
        words += ["-e", f"trace={CALLS}", "-e", f"inject={CALLS}:signal=STOP", "-e", "signal=STOP"]
        with self.said.open("w") as said:
            self.process = subprocess.Popen(
                [*words, *machine.inside(*command)], stdin=subprocess.DEVNULL, stdout=said, stderr=said
            )
        self._last: dict[str, str] = {}
        self._standing: int = 0

    def __iter__(self) -> Iterator[str]:
        """The name of each step; the process that made it is stopped meanwhile."""
        due: set[str] = set()
        for line in self._lines():
            if call := _CALL.match(line):
                self._last[call[1]] = _name(call[2], call[3]) or self._last.get(call[1], "")
            elif injected := _INJECTED.match(line):
                due.add(injected[1])
            elif (stopped := _STOPPED.match(line)) and stopped[1] in due:
                due.remove(stopped[1])
                self._standing = int(stopped[1])
                yield self._last.get(stopped[1], "?")
                with suppress(ProcessLookupError):
                    os.kill(self._standing, signal.SIGCONT)

    def _lines(self) -> Iterator[str]:
        give_up_s = time.monotonic() + LIMIT_S
        with self._log.open(errors="replace") as log:
            part = ""
            while True:
                ended = self.process.poll() is not None
                part += log.readline()
                if part.endswith("\n"):
                    yield part.rstrip("\n")
                    part = ""
                elif ended:
                    return
                else:
                    assert time.monotonic() < give_up_s, (
                        f"the command does not continue: {self.said.read_text()}"
                    )
                    time.sleep(0.002)

    def let_go(self) -> None:
        """Ends the tracer. Stopped processes stay stopped, and end with the machine.

        The nsenter that started the command is stopped too and would not collect it, so it is killed.
        """
        tracer, outside = self.process.pid, list[str]()
        with suppress(FileNotFoundError):
            outside = Path(f"/proc/{tracer}/task/{tracer}/children").read_text().split()
        self.process.kill()
        self.process.wait()
        for pid in outside:
            with suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGKILL)


def _name(call: str, rest: str) -> str:
    """The name of a step, the same in every run."""
    words = [_DRAWN.sub("*", word) for word in _QUOTED.findall(rest.split(", 0x")[0])]
    if not words:
        return "" if call != "syncfs" else call
    if call == "execve":
        words = [Path(words[0]).name, *words[2:]]
        return " ".join(["run", *words])[:120]
    return f"{call} {Path(words[-1]).name or words[-1]}"


def until(steps: Stepped, wanted: Callable[[str], bool]) -> str:
    """Continues to the first step that is ``wanted`` and stops there; '' if the command ended before."""
    for name in steps:
        if wanted(name):
            return name
    return ""
