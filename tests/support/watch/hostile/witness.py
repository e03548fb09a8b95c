"""Observes a service: opened files by strace, memory and descriptors of its processes, log lines."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

STRACE = (
    "strace",
    "-D",
    "-f",
    "-qq",
    "-y",
    "--seccomp-bpf",
    "-e",
    "trace=open,openat,openat2,creat,execve",
    "-o",
)

_OPENED = re.compile(r"\bopen(?:at2?)?\(.*?(O_[A-Z_|]+|flags=[A-Z_|]+).*\) = \d+<(.*)>$")
_STARTED = re.compile(r'\bexecve\("([^"]*)".* = 0$')
_WRITES = re.compile(r"O_WRONLY|O_RDWR|O_CREAT|O_TRUNC")


class Opened(NamedTuple):
    """A file that a process opened, by its real path; ``writing`` if it was opened for writing."""

    path: str
    writing: bool


def opened(trace: Path) -> Iterator[Opened]:
    """All files that were opened in a trace of :data:`STRACE`."""
    for line in trace.read_text(errors="surrogateescape").splitlines():
        if (match := _OPENED.search(line)) is not None:
            yield Opened(match[2], _WRITES.search(match[1]) is not None)


def started(trace: Path) -> set[str]:
    """The programs that were started."""
    lines = trace.read_text(errors="surrogateescape").splitlines()
    return {match[1] for line in lines if (match := _STARTED.search(line)) is not None}


def below(path: str, roots: Iterable[Path]) -> bool:
    """Whether a path, as strace prints it, is in one of the folders."""
    return any(path == str(root) or path.startswith(f"{root}/") for root in roots)


def controls(text: str) -> list[str]:
    """Lines with characters that control a terminal or the direction of text."""
    return [line for line in re.split("\n", text) if any(not c.isprintable() for c in line)]


def held(pid: int) -> tuple[int, int]:
    """Resident memory in kB and number of open descriptors of a process."""
    words = Path(f"/proc/{pid}/statm").read_text().split()
    return int(words[1]) * os.sysconf("SC_PAGE_SIZE") // 1024, sum(
        1 for _ in Path(f"/proc/{pid}/fd").iterdir()
    )
