"""The bundle of an older release, built from its own commit or named by ``$BACKLINE_OLD_BUNDLE``."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from support.machine import base_system
from support.machine.bundles import TIME_S

OLD_BUNDLE_VARIABLE = "BACKLINE_OLD_BUNDLE"

COMMIT = "97c8755"
"""The last commit before each module moved into its room; journals and packs were of version 1."""


def older_bundle(root: Path) -> Path:
    """Its .run file, beside which its signature lies. Skips the test where the commit is not to be had."""
    named = os.environ.get(OLD_BUNDLE_VARIABLE)
    if named:
        return Path(named)
    folder = base_system.kept("older", COMMIT, lambda folder: _build(root, folder))
    (bundle,) = (folder / "dist").glob("*.run")
    return bundle


def _build(root: Path, folder: Path) -> None:
    """What ``make bundle`` does in a checkout of the commit, with the tools of this one."""
    folder.mkdir()
    files = folder / "files.tar"
    command = ["git", "-C", root, "archive", f"--output={files}", COMMIT]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"commit {COMMIT} is not in this clone: {done.stderr.strip()}")
    checkout = folder / "checkout"
    checkout.mkdir()
    subprocess.run(["tar", "-xf", files, "-C", checkout], check=True)
    wheels = base_system.CACHE / "wheels"
    wheels.mkdir(exist_ok=True)
    (checkout / "build").mkdir()
    (checkout / "build" / "wheels").symlink_to(wheels)
    environment = {name: value for name, value in os.environ.items() if name != "BACKLINE_SIGNING_KEY"}
    environment["SOURCE_DATE_EPOCH"] = str(TIME_S)  # an archive has no commit to take the date from
    command = [sys.executable, "-m", "bundle", "--out", str(folder / "dist")]
    done = subprocess.run(command, cwd=checkout, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    subprocess.run(["rm", "-rf", files, checkout], check=True)
