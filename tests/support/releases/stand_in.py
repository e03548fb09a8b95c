"""An installation in a temporary prefix, with fake releases and fake systemd programs.

A fake release has a few small files, which tell its ``backline`` command what to answer. The systemd programs
are scripts. ``systemctl`` logs what it is told to change, and ``systemctl restart`` records which release
runs now. :meth:`StandIn.with_systemd` tells it which version it is and which properties it knows.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from appliance.files.durable import clear
from appliance.releases.contents import check_tree
from appliance.releases.layout import Layout, release_at
from support.signer import Signer

ROOT = Path(__file__).resolve().parents[3]
RECOVERY = ROOT / "systemd" / "recover.sh"

COMMAND = f"""#!/bin/sh
self=$(readlink -f -- "$0") || exit 1
root=${{self%/bin/backline}}
case "$*" in
"release self-test")
  [ -e "$root/fails-self-test" ] && {{ echo "backline: Self-test: it is silent." >&2; exit 1; }}
  echo "Self-test passed." ;;
"status --json") cat "$root/status.json" ;;
*) cd {ROOT} && exec {sys.executable} -m appliance "$@" ;;
esac
"""

SYSTEMCTL = """#!/bin/sh
units="$BACKLINE_PREFIX/root/etc/systemd/system"
systemd="$BACKLINE_PREFIX/root/run/systemd"
case $1 in
--version) cat "$systemd/version" 2>/dev/null; exit 0 ;;
show)  # --property=NAME,NAME UNIT
  for name in $(echo "${2#--property=}" | tr , ' '); do
    grep "^$name=" "$systemd/$3" 2>/dev/null
  done
  exit 0 ;;
esac
echo "$*" >>"$BACKLINE_PREFIX/root/asked"
if [ "$1" = enable ]; then  # the real one resolves links too
  shift && mkdir -p "$units/multi-user.target.wants"
  for unit in "$@"; do ln -sf "$(readlink -f "$units/$unit")" "$units/multi-user.target.wants/"; done
elif [ "$1" = disable ]; then
  shift && for unit in "$@"; do rm -f "$units/multi-user.target.wants/$unit"; done
fi
[ "$1" = restart ] || exit 0
readlink -f "$BACKLINE_PREFIX/current" >"$BACKLINE_PREFIX/root/running"
if [ -e "$BACKLINE_PREFIX/current/fails-restart" ]; then echo "Job for $2 failed." >&2; exit 1; fi
"""

HEALTHY = {"state": "idle", "paused": None, "pack": {"sha256": "0" * 64}, "pack_trouble": ""}


@dataclass
class StandIn:
    """An installation in ``folder``, empty at first."""

    folder: Path
    signer: Signer = field(default_factory=Signer)
    said: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.layout = Layout(self.folder / "opt")
        (self.layout.root / "run/systemd/system").mkdir(parents=True)
        programs = self.folder / "programs"
        programs.mkdir()
        for name in ("systemctl", "systemd-sysusers", "systemd-tmpfiles"):
            (programs / name).write_text(SYSTEMCTL if name == "systemctl" else "#!/bin/sh\nexit 0\n")
            (programs / name).chmod(0o755)
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("BACKLINE_")},
            "BACKLINE_PREFIX": str(self.layout.prefix),
            "PATH": f"{programs}:{os.environ['PATH']}",
        }

    def staged(self, version: str, files: Mapping[str, str] | None = None) -> Path:
        """A release as the ``.run`` file unpacks it; ``files`` adds or replaces files."""
        above = self.layout.staging / f"unpacked-{version}"
        clear(above)  # the .run file does so at its end
        tree = above / f"backline-{version}"
        return self.tree(tree, version, files)

    def tree(self, tree: Path, version: str, files: Mapping[str, str] | None = None) -> Path:
        texts = {
            "bin/backline": COMMAND,
            "status.json": json.dumps(HEALTHY),
            "keys/backline.pub": self.signer.public.text(),
            "packs/reference/pack.json": json.dumps({"of": version}),
            "systemd/backline.service": f"# {version}\n",
            "systemd/backline-recover.service": f"# {version}\n",
            "share/man/man1/backline.1.gz": version,
            "systemd/backline.sysusers": "",
            "systemd/backline.tmpfiles": "",
            **({"systemd/recover.sh": RECOVERY.read_text()} if RECOVERY.is_file() else {}),
            **(files or {}),
        }
        for name, text in texts.items():
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            (tree / name).write_text(text)
            (tree / name).chmod(0o755 if name == "bin/backline" else 0o644)
        facts = {
            "schema": 1, "version": version, "platform": "linux-x86_64", "python": "3.12.1", "glibc": "2.28",
            "files": {
                name: {
                    "sha256": hashlib.sha256(text.encode()).hexdigest(),
                    "bytes": len(text.encode()),
                    "mode": "0755" if name == "bin/backline" else "0644",
                }
                for name, text in texts.items()
            },
        }  # fmt: skip
        (tree / "release.json").write_text(json.dumps(facts))
        return tree

    def say(self, sentence: str) -> None:
        self.said.append(sentence)

    def with_systemd(self, version: int, **properties: Mapping[str, str]) -> None:
        """Make systemd say this version, and for a unit (``backline_noexec``: its name) these properties."""
        systemd = self.layout.root / "run/systemd"
        (systemd / "version").write_text(f"systemd {version} ({version}.3-7+deb11u5)\n+PAM +AUDIT\n")
        for unit, known in properties.items():
            lines = [f"{name}={value}\n" for name, value in known.items()]
            (systemd / f"{unit.replace('_', '-')}.service").write_text("".join(lines))

    @property
    def asked(self) -> list[str]:
        """The arguments of each systemctl call that changes something, in order."""
        file = self.layout.root / "asked"
        return file.read_text().splitlines() if file.exists() else []

    @property
    def running(self) -> str:
        """The release that was current at the last ``systemctl restart``."""
        return Path((self.layout.root / "running").read_text().strip()).name

    def current(self) -> str | None:
        """The current release; fails unless it is complete and unaltered."""
        version = release_at(self.layout.current)
        if version is not None:
            assert check_tree(self.layout.current).version == version
        return version

    def recovered(self) -> None:
        """Run ``recover.sh``, as at boot."""
        subprocess.run(["sh", str(RECOVERY)], env=self.environment, check=True, capture_output=True)

    def forgotten(self) -> None:
        """Empty the installation."""
        shutil.rmtree(self.layout.prefix)
        (self.layout.root / "run/systemd/system").mkdir(parents=True)
