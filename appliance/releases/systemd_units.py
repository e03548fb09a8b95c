"""Links from the system into the installation (units, user, folders, command), and all calls of systemd.

The units are links to files of the current release, so they change with it.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from appliance.errors import ReleaseError
from appliance.files.durable import changing, link_target, remove_if_empty, remove_link, set_link
from appliance.releases.folders import make_missing
from appliance.releases.layout import Layout

SERVICE = "backline.service"
RECOVERY = "backline-recover.service"
NOEXEC = "backline-noexec.service"

KEEPS_CHANGES = 252
"""The systemd that understands ``:`` in tmpfiles.d: folders are made, and left alone afterwards."""

_CALL_LIMIT_S = 120.0
_SYSTEM_FOLDERS = "/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin"
"""Searched too: the PATH of ``su`` and of some ``sudo`` lacks them."""


def system_program(name: str) -> str | None:
    """The path of a program of the system, wherever PATH points; None without it."""
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:{_SYSTEM_FOLDERS}")


def run_in_c_locale(*command: str, limit_s: float) -> subprocess.CompletedProcess[str]:
    """Run ``command`` and keep what it prints, in English. Raises subprocess.TimeoutExpired and OSError."""
    return subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
        errors="replace", timeout=limit_s, env={**os.environ, "LC_ALL": "C"},
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class SystemdUnits:
    """The units of an installation, and the systemd that runs them."""

    layout: Layout

    @property
    def systemd_runs(self) -> bool:
        """Whether systemd runs here. It does not in a container or while a disk image is being built."""
        return (self.layout.root / "run/systemd/system").is_dir() and bool(system_program("systemctl"))

    @property
    def units(self) -> Path:
        return self.layout.root / "etc/systemd/system"

    @property
    def version(self) -> int | None:
        """The version of systemd; None if it cannot be told."""
        said = re.match(r"systemd (\d+)", self._output("systemctl", "--version"))
        return int(said[1]) if said else None

    def properties(self, unit: str, *names: str) -> dict[str, str] | None:
        """Those of the properties ``names`` of ``unit`` that this systemd knows, as it prints them.

        None if systemd does not run, or does not know the unit.
        """
        if not self.systemd_runs:
            return None
        text = self._output("systemctl", "show", f"--property={','.join(('LoadState', *names))}", unit)
        shown = dict(line.split("=", 1) for line in text.splitlines() if "=" in line)
        return shown if shown.pop("LoadState", "not-found") == "loaded" else None

    def links(self) -> dict[Path, str]:
        """The links outside of the prefix and the target of each."""
        inside = self.layout.current / "systemd"
        root = self.layout.root
        links = {self.units / unit.name: str(inside / unit.name) for unit in sorted(inside.glob("*.service"))}
        links[root / "etc/sysusers.d/backline.conf"] = str(inside / "backline.sysusers")
        if (self.version or KEEPS_CHANGES) >= KEEPS_CHANGES:
            links[root / "etc/tmpfiles.d/backline.conf"] = str(inside / "backline.tmpfiles")
        links[root / "usr/local/bin/backline"] = str(self.layout.program)
        page = self.layout.current / "share/man/man1/backline.1.gz"
        if page.exists():
            links[root / "usr/local/share/man/man1" / page.name] = str(page)
        return links

    def register(self, *, first: bool) -> None:
        """Link the units, user and folders of the current release; ``first`` also enables its service.

        Raises:
            ReleaseError: a systemd program is missing, failed or took too long.
            OutputError: a link cannot be changed.
        """
        wanted = self.links()
        for link, target in wanted.items():
            with changing(link):
                link.parent.mkdir(parents=True, exist_ok=True)
                set_link(link, target)
        self._drop_stale(wanted)
        if system_program("systemctl") is None:
            return
        self._call("systemd-sysusers", *self._root(), str(self.layout.root / "etc/sysusers.d/backline.conf"))
        make_missing(self.layout.current / "systemd/backline.tmpfiles", self.layout.root)
        self.reload()
        self._replace_noexec_paths()
        units = [unit for unit in (RECOVERY, SERVICE) if (self.units / unit).exists()]
        if units and (first or not self._is_enabled(RECOVERY)):
            self._call("systemctl", "enable", *(units if first else [RECOVERY]))
        self._follow_current()

    def reload(self) -> None:
        """Make systemd read the units again. Raises ReleaseError if that fails."""
        if self.systemd_runs:
            self._call("systemctl", "daemon-reload")

    def restart(self, limit_s: float) -> None:
        """Restart the service and wait until it is ready. Raises ReleaseError on failure or timeout."""
        self._call("systemctl", "restart", SERVICE, limit_s=limit_s)

    def unregister(self) -> None:
        """Stop the service and remove the links outside of the prefix. Raises OutputError."""
        if self.systemd_runs:
            self._call("systemctl", "stop", SERVICE, check=False)
        if system_program("systemctl") is not None:
            self._call("systemctl", "disable", SERVICE, RECOVERY, check=False)
        wanted = self.links()
        with changing(self.units):
            self._drop_stale({})
            for link in wanted:
                if link_target(link) == wanted[link]:
                    remove_link(link)
            self._remove_drop_in()
        if self.systemd_runs:
            self._call("systemctl", "daemon-reload", check=False)

    @property
    def _drop_in(self) -> Path:
        return self.units / f"{SERVICE}.d" / "noexec.conf"

    def _replace_noexec_paths(self) -> None:
        """Add ``noexec.conf`` where systemd does not know NoExecPaths=, and remove it where it does."""
        inside = self.layout.current / "systemd/noexec.conf"
        shown = self.properties(SERVICE, "NoExecPaths")
        wanted = shown is not None and "NoExecPaths" not in shown and inside.is_file()
        if wanted and link_target(self._drop_in) != str(inside):
            with changing(self._drop_in):
                self._drop_in.parent.mkdir(parents=True, exist_ok=True)
                set_link(self._drop_in, str(inside))
            self.reload()
        elif not wanted and shown is not None and link_target(self._drop_in) is not None:
            with changing(self._drop_in):
                self._remove_drop_in()
            self.reload()

    def _remove_drop_in(self) -> None:
        if link_target(self._drop_in) == str(self.layout.current / "systemd/noexec.conf"):
            remove_link(self._drop_in)
            remove_if_empty(self._drop_in.parent)

    def _follow_current(self) -> None:
        """Make enabled units follow ``current``: ``systemctl enable`` links to the folder of a release."""
        with changing(self.units):
            for link in self.units.glob("*.wants/backline*.service"):
                set_link(link, f"../{link.name}")

    def _drop_stale(self, wanted: dict[Path, str]) -> None:
        """Remove links to units that the current release no longer has."""
        for link in self.units.glob("backline*.service") if self.units.is_dir() else ():
            ours = (link_target(link) or "").startswith(f"{self.layout.current}/systemd/")
            if ours and link not in wanted:
                remove_link(link)

    def _is_enabled(self, unit: str) -> bool:
        return any(link.name == unit for link in self.units.glob("*.wants/*"))

    def _root(self) -> list[str]:
        return [] if self.layout.root == Path("/") else [f"--root={self.layout.root}"]

    def _output(self, program: str, *words: str) -> str:
        """What a program prints, in the C locale; '' if it is missing, fails or takes too long."""
        found = system_program(program)
        if found is None:
            return ""
        try:
            done = run_in_c_locale(found, *words, limit_s=_CALL_LIMIT_S)
        except (OSError, subprocess.TimeoutExpired):
            return ""
        return done.stdout if done.returncode == 0 else ""

    def _call(self, program: str, *words: str, limit_s: float = _CALL_LIMIT_S, check: bool = True) -> None:
        """Run one of systemd's programs. Raises ReleaseError with its output unless ``check`` is False."""
        found = system_program(program)
        if found is None:
            raise ReleaseError(f"{program} is missing; install systemd 239 or newer.")
        said = " ".join((program, *words))
        try:
            done = subprocess.run(
                [found, *words], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=limit_s,
                check=False, errors="replace",
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            if check:
                raise ReleaseError(f"'{said}' took longer than {limit_s:.0f} s.") from None
            return
        if check and done.returncode != 0:
            reason = " ".join((done.stderr or done.stdout).split())[-500:] or f"status {done.returncode}"
            raise ReleaseError(f"'{said}' failed: {reason}")
