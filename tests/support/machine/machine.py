"""A throwaway machine: real systemd as process 1 in namespaces of its own (systemd-nspawn), no network.

Its root is an overlay over kept layers (:mod:`base_system`), its /srv a plain folder of this computer's own
file system; what it writes outlives a power cut, but not the test. With a disk of its own (``disk_mb``) what
it had not written to that disk is lost in a power cut, as it is in any computer. Mounts are made in a mount
namespace that ends with the machine, so nothing can be left behind. From outside its files are seen through
``/proc/PID/root``.
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
"""Mounts of its own, and no life of its own: it ends with the test, however that ends."""

_NSPAWN = (
    *("systemd-nspawn", "--quiet", "--boot", "--register=no", "--keep-unit", "--private-network"),
    *("--link-journal=no", "--resolv-conf=off", "--timezone=off", "--console=pipe", "--notify-ready=yes"),
    # Calls of the decoding child that nspawn of this age does not know, but a real machine has.
    "--system-call-filter=landlock_create_ruleset landlock_add_rule landlock_restrict_self",
)


def needed() -> None:
    """Skips where no machine can be booted."""
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
    """``layers`` of files, the lowest first, and ``folder`` for what the machine writes."""

    layers: Sequence[Path]
    folder: Path
    leader: int = 0
    """Its process 1, seen from here; 0 while it is off."""
    disk_mb: int = 0
    """Size of a disk of its own, an ext4 in a file; 0: it writes to ``folder``, and nothing is ever lost."""
    _boots: int = field(default=0, repr=False)
    _process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def root(self) -> Path:
        """Its files, as it sees them."""
        return Path(f"/proc/{self.leader}/root")

    @property
    def console(self) -> str:
        return (self.folder / "console").read_text(errors="replace")

    def boot(self) -> float:
        """Switches it on and waits until systemd has started everything; seconds that took."""
        # A name of its own for each boot: what is left of the one before may take a while to end.
        self._boots += 1
        merged, kept = self.folder / f"merged{self._boots}", self.folder
        mounts = []
        if self.disk_mb:
            kept = self.folder / "disk"
            kept.mkdir(exist_ok=True)
            if not self.image.exists():
                self._format()
            # Nothing is written but what somebody asks to be: the clock does not save what a program forgot.
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
        """The words that run a command in it, as root or as ``user``, where they are run here."""
        as_user = ["setpriv", f"--reuid={user}", f"--regid={user}", "--init-groups"] if user else []
        path = "PATH=/usr/sbin:/usr/bin:/sbin:/bin"
        return ["nsenter", f"--target={self.leader}", "--all", "env", "-i", path, *as_user, *command]

    def run(self, *command: str, check: bool = True, user: str | None = None) -> str:
        """What a command prints that runs in it, as root or as ``user``."""
        done = self.tried(*command, user=user)
        assert done.returncode == 0 or not check, f"{shlex.join(command)}: {done.stderr}{done.stdout}"
        return done.stdout

    def tried(self, *command: str, user: str | None = None) -> subprocess.CompletedProcess[str]:
        """How a command ends that runs in it, and what it says."""
        words = self.inside(*command, user=user)
        return subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)

    @property
    def image(self) -> Path:
        """Its disk, if it has one of its own."""
        return self.folder / "disk.img"

    def _format(self) -> None:
        with self.image.open("wb") as image:
            image.truncate(self.disk_mb << 20)
        done = subprocess.run(["mkfs.ext4", "-q", "-F", self.image], capture_output=True, check=False)
        if done.returncode:
            pytest.skip(f"no disk can be made here: {done.stderr.decode()[-200:]}")

    def _lose_what_is_not_written(self) -> None:
        """The next boot is from what the disk holds at this moment; what is still to be written, goes."""
        copy = self.image.with_name("disk.cut")
        subprocess.run(["cp", "--sparse=always", self.image, copy], check=True)
        copy.replace(self.image)

    def cut_power(self) -> None:
        """Ends it at once: every process is killed, nobody is asked."""
        # Mounts last as long as somebody holds them; to end them is to write to the disk.
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
