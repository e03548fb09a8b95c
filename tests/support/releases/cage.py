"""A root shell whose changes are discarded and listed.

It runs in its own mount namespace, on an overlay: the root file system below, and a layer in memory that
takes all writes. The files in that layer are the files that a command changed.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import NamedTuple

import pytest

_SCRIPT = r"""
mount -t tmpfs cage "$1" && cd "$1" && mkdir upper scratch merged || exit
mount -t overlay overlay -o lowerdir=/,upperdir=upper,workdir=scratch merged || exit
mount --rbind /proc merged/proc && mount -t tmpfs dev merged/dev || exit
for device in null zero full random urandom tty; do cp -a "/dev/$device" merged/dev/ || exit; done
echo ready
while read -r line; do
  if [ "$line" = forget ]; then
    (cd upper && find . ! -type d -exec chroot ../merged rm -f -- {} +)
    find merged/dev -type f -exec rm -f {} +
    continue
  fi
  timeout "$2" chroot merged sh -c "$line" </dev/null >said 2>&1
  echo "$?"
  cd upper
  find . ! -type d
  find . -type d | while read -r folder; do [ -d "/$folder" ] || echo "$folder"; done
  cd ..
  find merged/dev -type f | cut -c 7- | sed 's/^/./'
  echo .said
  cat said
  printf '\n.end\n'
done
"""
"""It lists changed files and new folders. A folder that only has new entries is not listed itself."""


LIMIT_S = 120
"""A command that takes longer is killed, with status 124."""


class Outcome(NamedTuple):
    """A command's exit status, each path that it created, changed or removed, and its output."""

    status: int
    changed: list[str]
    said: str


class Cage:
    """A context manager; ``folder`` is an empty folder to mount on, ``variables`` the environment."""

    def __init__(self, folder: Path, variables: Mapping[str, str]) -> None:
        self._folder, self._variables = folder, variables

    def __enter__(self) -> Cage:
        if os.geteuid() != 0 or shutil.which("unshare") is None:
            pytest.skip("needs root: what runs here is kept from the computer by mounts of its own")
        mounts = ["unshare", "--mount", "--propagation=private"]
        command = [*mounts, "sh", "-c", _SCRIPT, "sh", str(self._folder), str(LIMIT_S)]
        self._shell = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            errors="replace", env=dict(self._variables), cwd="/",
        )  # fmt: skip
        assert self._shell.stdout is not None
        if self._shell.stdout.readline() != "ready\n":
            self.__exit__(None, None, None)
            pytest.skip("this root may not mount")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._shell.communicate()

    def run(self, *command: str | Path) -> Outcome:
        """Run a command in the cage."""
        return self.shell(shlex.join(map(str, command)))

    def shell(self, line: str) -> Outcome:
        """Run a line of shell in the cage."""
        assert self._shell.stdin is not None and self._shell.stdout is not None
        self._shell.stdin.write(line + "\n")
        self._shell.stdin.flush()
        status = int(self._shell.stdout.readline())
        changed = [name[1:] for name in self._until(".said")]
        assert status != 125, "the cage itself does not work"
        return Outcome(status, changed, "\n".join(self._until(".end")))

    def forget(self) -> None:
        """Remove the files created so far from the list; new folders and changed files stay in it."""
        assert self._shell.stdin is not None
        self._shell.stdin.write("forget\n")
        self._shell.stdin.flush()

    def _until(self, mark: str) -> list[str]:
        assert self._shell.stdout is not None
        lines = []
        while (line := self._shell.stdout.readline().rstrip("\n")) != mark:
            assert self._shell.poll() is None, "the cage ended"
            lines.append(line)
        return lines
