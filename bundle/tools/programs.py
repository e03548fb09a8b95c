"""Programs of the build machine: found, run, and their failures said in a sentence."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from bundle.errors import BundleError

DEBIAN_PACKAGE = {
    "minisign": "minisign",
    "patchelf": "patchelf",
    "strip": "binutils",
    "ldd": "libc-bin",
    "dpkg-deb": "dpkg",
    "dpkg": "dpkg",
    "qemu-x86_64-static": "qemu-user-static",
}
"""Which Debian package has each program."""


def program(name: str) -> Path:
    """Where the program ``name`` is, links resolved; :class:`BundleError` says how to get a missing one."""
    found = shutil.which(name)
    if found is None:
        raise BundleError(f"The program {name} is missing; apt install {DEBIAN_PACKAGE[name]}.")
    return Path(found).resolve()


def output(*command: str | Path, **variables: str) -> str:
    """What ``command`` prints, run in the C locale with ``variables`` added to the environment."""
    environment = {**os.environ, "LC_ALL": "C", **variables}
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, env=environment)
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines() or ["nothing said"]
        raise BundleError(f"{Path(command[0]).name} failed with status {done.returncode}: {said[-1]}")
    return done.stdout
