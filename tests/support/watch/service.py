"""The whole service for tests: folders, settings and the daemon as a real process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from appliance.watch.service.control import ask
from appliance.watch.settings.config import Config

PATIENCE_S = float(os.environ.get("BACKLINE_PATIENCE_S", "240"))
"""A test fails if it waits longer than this for the service."""


@dataclass
class Service:
    """Folders below ``root`` and the daemon's process; a context manager that kills it at the end."""

    root: Path
    pack: Path
    settings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None

    def __post_init__(self) -> None:
        for name in ("inbox", "outbox", "archive", "rejected", "state"):
            (self.root / name).mkdir(parents=True, exist_ok=True)
        (self.root / "inbox" / ".backline").touch()
        self.configure(self.settings)

    @property
    def file(self) -> Path:
        return self.root / "backline.toml"

    @property
    def log(self) -> str:
        path = self.root / "log"
        return path.read_text(errors="surrogateescape") if path.exists() else ""

    def configure(self, settings: Mapping[str, Mapping[str, Any]]) -> Config:
        """Write the settings file: ``settings``, and short times by default."""
        sections: dict[str, dict[str, Any]] = {
            "folders": {
                name: str(self.root / name) for name in ("inbox", "outbox", "archive", "rejected", "state")
            },
            "intake": {"settle_s": 0.2, "scan_s": 0.1, "patience_s": 0.5, "silent_tail_s": 0.2},
            "work": {
                "pack": str(self.pack),
                "retry_base_s": 0.1,
                "retry_most_s": 0.5,
                "threads": 1,
                "tune": False,
            },
            "space": {"least_free_mb": 1, "resume_free_mb": 1},
        }
        for section, values in settings.items():
            sections.setdefault(section, {}).update(values)
        lines = []
        for section, values in sections.items():
            lines += [f"[{section}]", *(f"{key} = {_toml(value)}" for key, value in values.items())]
        self.file.write_text("\n".join(lines) + "\n")
        self.config = Config.read(self.file)
        return self.config

    def start(self, wrapper: tuple[str, ...] = ()) -> None:
        assert self.process is None or self.process.poll() is not None
        with (self.root / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [*wrapper, sys.executable, "-m", "appliance", "watch", "--config", str(self.file)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                # Cached bytecode saves a third of the time of each start.
                env={
                    **os.environ,
                    "OMP_NUM_THREADS": "1",
                    "PYTHONDONTWRITEBYTECODE": "",
                    **self.environment,
                },
            )

    def send(self, number: int) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    def stop(self, number: int = signal.SIGTERM) -> int:
        self.send(number)
        return self.ended()

    def ended(self) -> int:
        assert self.process is not None
        return self.process.wait(PATIENCE_S)

    def status(self) -> dict[str, Any]:
        try:
            reply = ask(self.root / "state", {"ask": "status"}, timeout_s=PATIENCE_S)
        except OSError:
            reply = None
        return {} if reply is None else reply["status"]

    def asked(self, **request: Any) -> dict[str, Any]:
        reply = ask(self.root / "state", request, timeout_s=PATIENCE_S)
        assert reply is not None, "no daemon listens"
        return reply

    def until(self, what: Callable[[], Any], sentence: str = "") -> Any:
        """Wait until ``what`` returns something true, and return that; fail with the log after PATIENCE_S."""
        give_up_s = time.monotonic() + PATIENCE_S
        while not (found := what()):
            assert self.process is None or self.process.poll() is None, f"the service ended\n{self.log}"
            assert time.monotonic() < give_up_s, f"waited in vain {sentence}\n{self.log}\n{self.status()}"
            time.sleep(0.05)
        return found

    def until_quiet(self) -> None:
        """Wait until every vocal in the inbox was rendered or rejected."""
        self.until(self._quiet, "for all work to be done")

    def _quiet(self) -> bool:
        status = self.status()
        if not status or any(self.vocals()):
            return False
        busy = ("waiting", "working", "published", "rejecting")
        return not any(status["counts"].get(state) for state in busy) and status["running"] is None

    def vocals(self) -> list[Path]:
        """The files in the inbox without the sentinel."""
        inbox = self.root / "inbox"
        return [file for file in inbox.rglob("*") if file.is_file() and file.name != ".backline"]

    def drop(self, vocal: Path | bytes, name: str) -> Path:
        """Copy a vocal into the inbox under a temporary name and rename it."""
        target = self.root / "inbox" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        part = target.with_name(target.name + ".part")
        part.write_bytes(vocal if isinstance(vocal, bytes) else vocal.read_bytes())
        part.rename(target)
        return target

    def __enter__(self) -> Service:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) else str(value)
