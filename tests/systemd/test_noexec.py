"""``noexec.sh``, which stands in for NoExecPaths= on an older systemd, in mounts of its own."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

SCRIPT = r"""
set -e
mount --make-rshared /  # as systemd does: what is unmounted in one place goes in all that share it
mount -t tmpfs tmpfs /run
mkdir -p "$1/srv/my share"
printf '#!/bin/sh\necho ran\n' >"$1/srv/program"
chmod 755 "$1/srv/program"
mount -t tmpfs share "$1/srv/my share"
cp "$1/srv/program" "$1/srv/my share/"
mount -o remount,ro "$1/srv/my share"
export FOLDERS="$1/srv $1/missing"
sh "$2/noexec.sh" mount
tried() { "$1" 2>/dev/null || echo "refused $?"; }
echo "folder $(tried "$1/srv/program")"
echo "second $(tried "/run/backline-noexec$1/srv/program")"
echo "share $(tried "/run/backline-noexec$1/srv/my share/program")"
touch "/run/backline-noexec$1/srv/new" && echo "written $(ls "$1/srv/new" | wc -l)"
touch "/run/backline-noexec$1/srv/my share/new" 2>/dev/null || echo "share stays read-only"
echo "missing $(ls -d "/run/backline-noexec$1/missing" 2>/dev/null | wc -l)"
mkdir "$1/srv/later" && mount -t tmpfs later "$1/srv/later" && touch "$1/srv/later/file"
echo "later $(ls "/run/backline-noexec$1/srv/later")"
sh "$2/noexec.sh" mount && echo "again $(grep -c "/run/backline-noexec$1/srv " /proc/self/mountinfo)"
sh "$2/noexec.sh" unmount
echo "left $(grep -c /run/backline-noexec /proc/self/mountinfo)" \
  "$(ls -d "/run/backline-noexec$1/srv" 2>/dev/null | wc -l)"
ls "$1/srv/program" "$1/srv/my share" "$1/srv/later"
"""

FAILING = r"""
mount -t tmpfs tmpfs /run
mkdir -p "$1/srv" "$1/bin"
touch "$1/srv/vocal"
for fails in rbind remount; do
  printf '#!/bin/sh\ncase "$*" in *%s*) exit 32 ;; esac\nexec /bin/mount "$@"\n' $fails >"$1/bin/mount"
  chmod 755 "$1/bin/mount"
  PATH="$1/bin:$PATH" FOLDERS="$1/srv" sh "$2/noexec.sh" mount
  echo "$fails: status $? there $(ls "/run/backline-noexec$1/srv" 2>/dev/null)"
done
"""


@pytest.fixture
def apart() -> list[str]:
    """The start of a command that has mounts of its own."""
    if os.geteuid() != 0 or shutil.which("unshare") is None:
        pytest.skip("needs root: mounts are its subject")
    return ["unshare", "--mount", "--propagation=private"]


def said(apart: list[str], script: str, folder: Path, units: Path) -> str:
    command = [*apart, "sh", "-c", script, "sh", str(folder), str(units)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def test_nothing_runs_from_the_second_mounts(apart: list[str], root: Path, tmp_path: Path) -> None:
    text = said(apart, SCRIPT, tmp_path, root / "systemd")
    assert text.splitlines() == [
        "folder ran",
        "second refused 126",
        "share refused 126",
        "written 1",
        "share stays read-only",
        "missing 0",
        "later file",
        "again 1",
        "left 0 0",
        # The disks of others stay mounted.
        str(tmp_path / "srv/program"),
        "",
        f"{tmp_path}/srv/later:",
        "file",
        "",
        f"{tmp_path}/srv/my share:",
        "program",
    ]


def test_a_mount_that_fails_leaves_no_empty_folder(apart: list[str], root: Path, tmp_path: Path) -> None:
    """The service would take it for an empty inbox. It works with a mount from which programs could run."""
    lines = said(apart, FAILING, tmp_path, root / "systemd").splitlines()
    assert lines[:2] == ["rbind: status 32 there ", "remount: status 0 there vocal"]
    assert lines[2].endswith("/srv cannot be mounted without programs (noexec).")


def test_the_drop_in_names_the_folders_of_the_unit(root: Path) -> None:
    units = root / "systemd"
    folders = re.search(
        r'^Environment="FOLDERS=(.*)"$', (units / "backline-noexec.service").read_text(), re.M
    )
    paths = re.search(r"^NoExecPaths=(.*)$", (units / "backline.service").read_text(), re.M)
    binds = re.findall(r"^BindPaths=(\S+):(\S+)$", (units / "noexec.conf").read_text(), re.M)
    assert folders is not None and paths is not None and folders[1] == paths[1]
    assert [inside for _, inside in binds] == paths[1].split()
    base = re.search(r"^BASE=(.*)$", (units / "noexec.sh").read_text(), re.M)
    assert base is not None and [outside for outside, _ in binds] == [base[1] + p for p in paths[1].split()]
