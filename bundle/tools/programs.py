"""Finds and runs programs of the build machine; a failure becomes a one-sentence error."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from bundle.errors import BundleError

DEBIAN_PACKAGE = {
    "minisign": "minisign",
    "patchelf": "patchelf",
    "apt-get": "apt",
    "patch": "patch",
    "make": "make",
    "perl": "perl",
    "tclsh": "tcl",
    "dpkg-deb": "dpkg",
    "dpkg": "dpkg",
    "qemu-x86_64-static": "qemu-user-static",
}
"""The Debian package that each program belongs to."""


def program(name: str) -> Path:
    """The path of the program ``name``, with links resolved.

    Raises :class:`BundleError` that names the Debian package if the program is missing.
    """
    found = shutil.which(name)
    if found is None:
        raise BundleError(f"The program {name} is missing; run: apt install {DEBIAN_PACKAGE[name]}.")
    return Path(found).resolve()


def output(*command: str | Path, **variables: str) -> str:
    """The standard output of ``command``, run in the C locale with ``variables`` added to the environment.

    Raises :class:`BundleError` with the program's last line of output if it fails.
    """
    environment = {**os.environ, "LC_ALL": "C", **variables}
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, env=environment)
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines() or ["no output"]
        raise BundleError(f"{Path(command[0]).name} failed with status {done.returncode}: {said[-1]}")
    return done.stdout
