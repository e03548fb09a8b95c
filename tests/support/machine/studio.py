"""Backline in a machine, as a test sees it: folders, settings, unit, and the singer who drops vocals."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from appliance.errors import OutputError
from appliance.watch.service.control import ask
from appliance.watch.settings.config import Config, Folders
from support.machine.machine import Machine
from support.watch.invariants import sha256

PATIENCE_S = float(os.environ.get("BACKLINE_PATIENCE_S", "240"))
"""A test that waits longer than this fails; a slow computer can be given more."""

INVARIANTS = Path(__file__).parents[1] / "watch" / "invariants.py"
UNIT = "backline.service"
SETTINGS: Mapping[str, Mapping[str, Any]] = {
    "intake": {"settle_s": 0.3, "scan_s": 0.2, "patience_s": 1.0, "silent_tail_s": 0.3},
    "work": {
        "pack": "/opt/backline/packs/fake",
        "retry_base_s": 0.1,
        "retry_most_s": 0.5,
        "threads": 1,
        "drain_s": 0.0,
    },
    "space": {"least_free_mb": 1, "resume_free_mb": 1},
}
"""Short times, and a stop does not wait for a job. The folders are the default ones."""


@dataclass
class Studio:
    machine: Machine
    python: Sequence[str] = ("/opt/backline/bin/python", "-B")
    """The command inside that runs a Python with the appliance."""
    dropped: dict[str, str] = field(default_factory=dict)
    """SHA-256 of every vocal so far, by its name in the inbox."""

    def path(self, inside: Path | str) -> Path:
        """A file of the machine, seen from outside."""
        return self.machine.root / str(inside).lstrip("/")

    @property
    def folders(self) -> Folders:
        inside = Folders()
        return Folders.model_construct(
            **{name: self.path(getattr(inside, name)) for name in Folders.model_fields}
        )

    def configure(self, text: str = "", **changes: Mapping[str, Any]) -> None:
        """Writes /etc/backline/backline.toml: :data:`SETTINGS` with ``changes``, then ``text``."""
        sections = {
            name: {**SETTINGS.get(name, {}), **changes.get(name, {})} for name in (*SETTINGS, *changes)
        }
        lines = [text]
        for name, values in sections.items():
            lines += [f"[{name}]", *(f"{key} = {json.dumps(value)}" for key, value in values.items())]
        self.path("/etc/backline/backline.toml").write_text("\n".join(lines) + "\n")
        if not text:
            Config.read(self.path("/etc/backline/backline.toml"))

    def systemctl(self, *words: str, check: bool = True) -> str:
        return self.machine.run("systemctl", *words, check=check).strip()

    def shown(self, *names: str, unit: str = UNIT) -> dict[str, str]:
        """Properties of a unit."""
        text = self.systemctl("show", f"--property={','.join(names)}", unit)
        return dict(line.split("=", 1) for line in text.splitlines())

    def log(self, *words: str) -> str:
        """Lines of the system journal."""
        return self.machine.run("journalctl", "--quiet", "--output=cat", *words, check=False)

    def status(self) -> dict[str, Any]:
        """The status that the daemon reports; empty if it does not answer."""
        try:
            reply = ask(self.folders.state, {"ask": "status"}, timeout_s=PATIENCE_S)
        except OutputError:
            reply = None
        return {} if reply is None else reply["status"]

    def until(self, what: Callable[[], Any], sentence: str) -> Any:
        """Waits until ``what`` is true; fails with the log after :data:`PATIENCE_S`."""
        give_up_s = time.monotonic() + PATIENCE_S
        while not (found := what()):
            if time.monotonic() > give_up_s:
                log = self.log("--lines=60", "--unit", UNIT)
                raise AssertionError(f"waited in vain {sentence}\n{self.status()}\n{log}")
            time.sleep(0.03)
        return found

    def until_rendering(self, name: str) -> int:
        """Waits until a vocal is being rendered; returns the process number of the engine, as seen inside."""

        def pid() -> int:
            status = self.status()
            running = status.get("running") or {}
            middle = running.get("name") == name and 0.0 < running["progress"] < 0.9
            return int(status["engine_pid"]) if middle else 0

        return int(self.until(pid, f"for {name} to be rendered"))

    def until_quiet(self) -> None:
        """Waits until every vocal is done or rejected and the daemon is idle."""
        self.until(self._quiet, "for all work to be done")

    def _quiet(self) -> bool:
        status = self.status()
        busy = ("waiting", "working", "published", "rejecting")
        return (
            status.get("state") == "idle"
            and not any(status["counts"].get(state) for state in busy)
            and [file.name for file in self.folders.inbox.rglob("*") if file.is_file()] == [".backline"]
        )

    def until_up_again(self, restarts: int) -> None:
        """Waits until systemd has restarted the service more than ``restarts`` times and it is ready."""

        def up() -> bool:
            shown = self.shown("ActiveState", "NRestarts")
            return shown["ActiveState"] == "active" and int(shown["NRestarts"]) > restarts

        self.until(up, "for systemd to start the service again")

    def wrong(self, *, quiet: bool = True) -> list[str]:
        """Violated :mod:`invariants`. Checked from inside, because SQLite resolves paths."""
        check = "when_quiet" if quiet else "at_any_moment"
        script = (
            "import json, pathlib, sys, types; sys.path.insert(0, '/var/tmp')\n"
            f"from invariants import {check} as check\n"
            "folders, dropped = json.loads(sys.argv[1])\n"
            "folders = {name: pathlib.Path(path) for name, path in folders.items()}\n"
            "print(json.dumps(check(types.SimpleNamespace(**folders), dropped)))"
        )
        self.path("/var/tmp/invariants.py").write_bytes(INVARIANTS.read_bytes())
        told = self.machine.run(
            *self.python, "-c", script, json.dumps([Folders().model_dump(mode="json"), self.dropped])
        )
        found: list[str] = json.loads(told)
        return found

    def finished_once(self, name: str) -> None:
        """Waits until all is done; every invariant holds, and ``name`` was published once."""
        self.until_quiet()
        wrong = self.wrong()
        assert wrong == [], wrong
        lines = self.log("--unit", UNIT).splitlines()
        published = [line for line in lines if line.startswith("Published.") and f"name={name} " in line]
        assert len(published) == 1

    def kill(self, signal: str, pid: int | str) -> None:
        """Sends a signal inside; on a small system ``kill`` is only a shell builtin."""
        self.machine.run("sh", "-c", f"kill -{signal} {pid}")

    @property
    def restarts(self) -> int:
        return int(self.shown("NRestarts")["NRestarts"])

    @property
    def main_pid(self) -> str:
        return self.shown("MainPID")["MainPID"]

    def drop(self, vocal: Path, name: str) -> None:
        """The singer, an ordinary user of the service's group, copies a vocal into the inbox."""
        self.path("/tmp/vocal").write_bytes(vocal.read_bytes())
        target = f"/srv/backline/inbox/{name}"
        script = 'umask 002 && cp /tmp/vocal "$1.part" && mv "$1.part" "$1"'
        self.machine.run("sh", "-c", script, "sh", target, user="singer")
        self.dropped[name] = sha256(vocal)
