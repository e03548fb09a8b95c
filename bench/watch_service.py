"""Runs the watched folder as a process to measure: its folders, its settings, and its processes'
resources."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from appliance.watch.service.control import ask

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("inbox", "outbox", "archive", "rejected", "state")

TICKS_PER_S = os.sysconf("SC_CLK_TCK")
PAGE_KB = os.sysconf("SC_PAGE_SIZE") // 1024


class Usage(NamedTuple):
    """A process's resident memory, open descriptors, threads and CPU seconds so far."""

    rss_kb: int
    descriptors: int
    threads: int
    cpu_s: float


def usage_of(pid: int) -> Usage | None:
    """The process's usage now; None if it has ended."""
    place = Path("/proc") / str(pid)
    try:
        words = (place / "stat").read_text().rpartition(")")[2].split()
        descriptors = sum(1 for _ in (place / "fd").iterdir())
    except OSError:
        return None
    cpu_s = (int(words[11]) + int(words[12])) / TICKS_PER_S
    return Usage(int(words[21]) * PAGE_KB, descriptors, int(words[17]), cpu_s)


def children(pid: int) -> list[int]:
    """Process ids of the running children of all threads of ``pid``."""
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            found += map(int, task.read_text().split())
        except OSError:
            continue
    return found


class Watched:
    """Folders below ``root`` and a daemon that watches them; :meth:`running` starts it."""

    def __init__(self, root: Path, pack: Path, settings: Mapping[str, Mapping[str, Any]]) -> None:
        self.root, self.pid = root, 0
        for name in FOLDERS:
            (root / name).mkdir(parents=True, exist_ok=True)
        (root / "inbox" / ".backline").touch()
        sections: dict[str, dict[str, Any]] = {
            "folders": {name: str(root / name) for name in FOLDERS},
            "work": {"pack": str(pack.resolve())},
        }
        for section, values in settings.items():
            sections.setdefault(section, {}).update(values)
        # JSON strings, numbers and booleans are valid TOML.
        lines = [
            line
            for section, values in sections.items()
            for line in (f"[{section}]", *(f"{key} = {json.dumps(value)}" for key, value in values.items()))
        ]
        (root / "backline.toml").write_text("\n".join(lines) + "\n")

    @contextmanager
    def running(self, environment: Mapping[str, str] | None = None) -> Iterator[Watched]:
        """Start the daemon, wait until it is ready, and stop it after the block. It logs to ``root/log``."""
        command = [sys.executable, "-m", "appliance", "watch", "--config", self.root / "backline.toml"]
        with (self.root / "log").open("ab") as log:
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stderr=log, env={**os.environ, **(environment or {})}
            )
        self.pid = process.pid
        try:
            self.until(lambda: self.status().get("state") not in (None, "starting"), process.poll)
            yield self
        finally:
            process.terminate()
            process.wait()

    def status(self) -> dict[str, Any]:
        """The daemon's status; empty while it does not answer."""
        try:
            reply = ask(self.root / "state", {"ask": "status"}, timeout_s=60.0)
        except OSError:
            return {}
        return dict(reply["status"]) if reply else {}

    def until(self, what: Callable[[], object], ended: Callable[[], object] = lambda: None) -> None:
        """Wait until ``what`` is true; exit if the daemon has ended."""
        while not what():
            if ended() is not None:
                sys.exit(f"The service has ended; {self.root / 'log'} says why.")
            time.sleep(0.02)
