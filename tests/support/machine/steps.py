"""A command in a machine that stands still at each of its steps until it may go on.

A step is a program that it starts, or a system call that changes a name: between two steps nothing happens
that outlives the power but the contents of files. strace, which runs outside of the machine, stops whoever
made a step right after it.
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
"""Parts of names that are drawn anew every time."""

LIMIT_S = 900.0


class Stepped:
    """``command`` in ``machine``; iterate to let it make one step after the other."""

    def __init__(self, machine: Machine, folder: Path, *command: str) -> None:
        strace = shutil.which("strace")
        if strace is None:
            pytest.skip("strace is missing")
        folder.mkdir(exist_ok=True)
        self._log, self.said = folder / "calls", folder / "said"
        self._log.write_text("")
        # Not --seccomp-bpf: with it every process stops at its first step alone.
        words = [strace, "-f", "-qq", "-s", "300", "-o", str(self._log)]
        words += ["-e", f"trace={CALLS}", "-e", f"inject={CALLS}:signal=STOP", "-e", "signal=STOP"]
        with self.said.open("w") as said:
            self.process = subprocess.Popen(
                [*words, *machine.inside(*command)], stdin=subprocess.DEVNULL, stdout=said, stderr=said
            )
        self._last: dict[str, str] = {}
        self._standing: int = 0

    def __iter__(self) -> Iterator[str]:
        """The name of each step that was made; while the caller looks at it nobody moves."""
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
                    assert time.monotonic() < give_up_s, f"it stands still for ever: {self.said.read_text()}"
                    time.sleep(0.002)

    def let_go(self) -> None:
        """Ends the tracer. Who stands still goes on doing so, and can then be ended with the machine.

        What brought the command into the machine stands still with it and would not bury it.
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
    """What a step is called: the same for the same step in every run."""
    words = [_DRAWN.sub("*", word) for word in _QUOTED.findall(rest.split(", 0x")[0])]
    if not words:
        return "" if call != "syncfs" else call
    if call == "execve":
        words = [Path(words[0]).name, *words[2:]]
        return " ".join(["run", *words])[:120]
    return f"{call} {Path(words[-1]).name or words[-1]}"


def until(steps: Stepped, wanted: Callable[[str], bool]) -> str:
    """Lets it go on up to the first step that is ``wanted``, where it then stands; '' if it ended before."""
    for name in steps:
        if wanted(name):
            return name
    return ""
