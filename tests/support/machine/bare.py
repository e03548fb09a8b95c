"""A machine without anything of ours, and what an administrator does there with a USB stick."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from support.machine.machine import Machine
from support.machine.studio import Studio
from support.watch.invariants import results

STICK = "/mnt/stick"
PROGRAM = "/usr/local/bin/backline"
PREFIX = "/opt/backline"
WORK: Mapping[str, Any] = {"pack": f"{PREFIX}/packs/active"}
"""Names the installed pack again, because the settings of the tests name another one."""


class Bare(Studio):
    """A machine whose only Python comes from the bundle."""

    def __init__(self, machine: Machine) -> None:
        super().__init__(machine, (f"{PREFIX}/current/python/bin/python3", "-I", "-B"))

    def carry(self, file: Path) -> str:
        """Copies a file and its signature to the stick; returns its path inside."""
        stick = self.path(STICK)
        shutil.rmtree(stick, ignore_errors=True)  # one at a time: they are large
        stick.mkdir()
        for source in (file, file.with_name(f"{file.name}.minisig")):
            if source.exists():
                shutil.copyfile(source, stick / source.name)
        return f"{STICK}/{file.name}"

    def install(self, file: Path, *options: str) -> subprocess.CompletedProcess[str]:
        """Runs the one command of the administrator's page."""
        return self.machine.tried("sh", self.carry(file), "--yes", *options)

    def installed(self, file: Path, *options: str) -> str:
        """The same where it must succeed; returns what it prints."""
        done = self.install(file, *options)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def backline(self, *words: str) -> str:
        return self.machine.run(PROGRAM, *words)

    def refused(self, *words: str) -> str:
        """Runs a command that must fail; returns its message."""
        done = self.machine.tried(PROGRAM, *words)
        assert done.returncode != 0, done.stdout
        return done.stderr

    def link(self, name: str) -> str:
        """The target of a link of the installation; '' without the link."""
        place = self.path(PREFIX) / name
        return str(place.readlink()) if place.is_symlink() else ""

    @property
    def release(self) -> str:
        return self.link("current").removeprefix("releases/")

    def set_up(self) -> None:
        """Adds the singer, and short times to the settings."""
        self.machine.run("useradd", "--create-home", "--groups", "backline", "singer")
        self.configure(work=WORK)
        self.systemctl("reload", "backline")

    def works(self, vocal: Path, name: str) -> dict[str, Any]:
        """Waits for the service, has a vocal rendered, and returns the receipt."""
        self.until(lambda: self.status().get("state") == "idle", "for the service to answer")
        self.drop(vocal, name)
        self.finished_once(name)
        return self.receipt(name)

    def receipt(self, name: str) -> dict[str, Any]:
        """The receipt of the only result of a vocal."""
        found = [
            facts
            for result in results(self.folders.outbox)
            for file in result.glob("*.receipt.json")
            if (facts := json.loads(file.read_text()))["vocal"]["name"] == name
        ]
        assert len(found) == 1
        return dict(found[0])

    def leftovers(self) -> list[str]:
        """Files that an installation must not contain when nothing is being installed."""
        place = self.path(PREFIX)
        known = {self.link("current"), self.link("previous")}
        left = [f"releases/{path.name}" for path in (place / "releases").iterdir()]
        left = [name for name in left if name not in known]
        halves = [
            str(half.relative_to(place)) for pattern in (".*.new", "*/.*.new") for half in place.glob(pattern)
        ]
        return (
            left
            + halves
            + [
                name
                for name in ("staging", "unconfirmed")
                if (place / name).is_symlink() or (place / name).exists()
            ]
        )
