"""A throwaway machine: real systemd as process 1 in its own namespaces (systemd-nspawn), without a network.

Its root is an overlay over kept layers (:mod:`base_system`); its /srv is a folder of this computer's file
system. What it writes survives a power cut, but not the test. With a disk of its own (``disk_mb``) it loses
in a power cut what it had not synced, as a real computer does. All mounts are in a mount namespace that ends
with the machine, so none is left behind. From outside its files are under ``/proc/PID/root``.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

PROGRAMS = ("debootstrap", "systemd-nspawn", "nsenter", "unshare")
BOOT_LIMIT_S = 120.0

_APART = ("setpriv", "--pdeathsig=KILL", "unshare", "--mount", "--propagation=private")
"""Its own mount namespace, and a kill when the test ends, however it ends."""

_NSPAWN = (
    *("systemd-nspawn", "--quiet", "--boot", "--register=no", "--keep-unit", "--private-network"),
    *("--link-journal=no", "--resolv-conf=off", "--timezone=off", "--console=pipe", "--notify-ready=yes"),
    # The decoding child makes these calls; a real machine has them, this version of nspawn blocks them.
    "--system-call-filter=landlock_create_ruleset landlock_add_rule landlock_restrict_self",
)


def needed() -> None:
    """Skips the test where this computer cannot boot a machine."""
    if os.geteuid() != 0:
        pytest.skip("booting a machine needs root")
    if missing := [program for program in PROGRAMS if shutil.which(program) is None]:
        pytest.skip(
            f"not installed: {', '.join(missing)} (Debian: apt install debootstrap systemd-container)"
        )
    if subprocess.run(["unshare", "--mount", "true"], capture_output=True, check=False).returncode:
        pytest.skip("this root may not make namespaces")


@dataclass
class Machine:
    """A machine made of ``layers``, the lowest first; it writes to ``folder``."""

    layers: Sequence[Path]
    folder: Path
    leader: int = 0
    """Process number of its process 1, seen from outside; 0 while it is off."""
    disk_mb: int = 0
    """Size of its own disk, an ext4 in a file; 0: it writes to ``folder`` and never loses anything."""
    _boots: int = field(default=0, repr=False)
    _process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def root(self) -> Path:
        """Its root folder, seen from outside."""
        return Path(f"/proc/{self.leader}/root")

    @property
    def console(self) -> str:
        return (self.folder / "console").read_text(errors="replace")

    def boot(self) -> float:
        """Switches it on, waits until systemd has started everything, and returns the seconds that took."""
        # Each boot has its own name, because the previous one may take a while to end.
        self._boots += 1
        merged, kept = self.folder / f"merged{self._boots}", self.folder
        mounts = []
        if self.disk_mb:
            kept = self.folder / "disk"
            kept.mkdir(exist_ok=True)
            if not self.image.exists():
                self._format()
            # Only a sync writes to the disk: no timer saves what a program forgot to sync.
            options = "loop,commit=3600,data=ordered"
            mounts.append(shlex.join(["mount", "-o", options, str(self.image), str(kept)]))
        upper, scratch, srv = (kept / name for name in ("upper", "scratch", "srv"))
        mounts.append(shlex.join(["mkdir", "-p", *map(str, (merged, upper, scratch, srv))]))
        lower = ":".join(str(layer) for layer in reversed(self.layers))
        options = f"lowerdir={lower},upperdir={upper},workdir={scratch}"
        mounts.append(shlex.join(["mount", "-t", "overlay", "overlay", "-o", options, str(merged)]))
        nspawn = shlex.join([*_NSPAWN, f"--directory={merged}", f"--bind={srv}:/srv"])
        begun_s = time.monotonic()
        address = self.folder / "notify"
        address.unlink(missing_ok=True)
        with (
            socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as told,
            (self.folder / "console").open("ab") as console,
        ):
            told.bind(str(address))
            told.settimeout(1.0)
            self._process = subprocess.Popen(
                [*_APART, "sh", "-c", f"{' && '.join(mounts)} && exec {nspawn}"],
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=console,
                env={**os.environ, "NOTIFY_SOCKET": str(address)},
            )
            self._await_ready(told, begun_s + BOOT_LIMIT_S)
        return time.monotonic() - begun_s

    def _await_ready(self, told: socket.socket, give_up_s: float) -> None:
        assert self._process is not None
        ready = False
        while not (ready and self.leader):
            assert self._process.poll() is None, f"the machine ended:\n{self.console[-3000:]}"
            assert time.monotonic() < give_up_s, f"the machine does not come up:\n{self.console[-3000:]}"
            with suppress(TimeoutError):
                message = told.recv(4096).decode()
                ready = ready or "READY=1" in message.split("\n")
                if leader := re.search(r"^X_NSPAWN_LEADER_PID=(\d+)$", message, re.MULTILINE):
                    self.leader = int(leader[1])

    def inside(self, *command: str, user: str | None = None) -> list[str]:
        """The command line that runs a command in it from outside, as root or as ``user``."""
        as_user = ["setpriv", f"--reuid={user}", f"--regid={user}", "--init-groups"] if user else []
        path = "PATH=/usr/sbin:/usr/bin:/sbin:/bin"
        return ["nsenter", f"--target={self.leader}", "--all", "env", "-i", path, *as_user, *command]

    def run(self, *command: str, check: bool = True, user: str | None = None) -> str:
        """Runs a command in it, as root or as ``user``, and returns what it prints."""
        done = self.tried(*command, user=user)
        assert done.returncode == 0 or not check, f"{shlex.join(command)}: {done.stderr}{done.stdout}"
        return done.stdout

    def tried(self, *command: str, user: str | None = None) -> subprocess.CompletedProcess[str]:
        """Runs a command in it that may fail."""
        words = self.inside(*command, user=user)
        return subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)

    @property
    def image(self) -> Path:
        """The file with its own disk, if it has one."""
        return self.folder / "disk.img"

    def _format(self) -> None:
        with self.image.open("wb") as image:
            image.truncate(self.disk_mb << 20)
        done = subprocess.run(["mkfs.ext4", "-q", "-F", self.image], capture_output=True, check=False)
        if done.returncode:
            pytest.skip(f"no disk can be made here: {done.stderr.decode()[-200:]}")

    def _lose_what_is_not_written(self) -> None:
        """The next boot sees what the disk holds now; what was not synced is lost."""
        copy = self.image.with_name("disk.cut")
        subprocess.run(["cp", "--sparse=always", self.image, copy], check=True)
        copy.replace(self.image)

    def cut_power(self) -> None:
        """Kills all its processes at once."""
        # An unmount would write to the disk, so keep the mounts in use until the disk is copied.
        held = os.open(f"/proc/{self.leader}/root", os.O_PATH) if self.leader and self.disk_mb else -1
        if self.leader:
            with suppress(ProcessLookupError):
                os.kill(self.leader, signal.SIGKILL)
        if self._process is not None:
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(30)
            if self._process.poll() is None:
                self._process.kill()
                self._process.wait()
        if held >= 0:
            self._lose_what_is_not_written()
            os.close(held)
        self.leader, self._process = 0, None
