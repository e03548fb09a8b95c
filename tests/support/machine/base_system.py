"""The layers of files that machines are made of; the lower ones are kept between runs.

==========  ==========================================================  ==============================
base        Debian with systemd and Python                               kept (needs a Debian mirror)
bare        Debian with systemd, without Python or a compiler            kept (needs a Debian mirror)
runtime     the packages of ``requirements/runtime.txt``                 kept (needs a package index)
installed   this checkout's program and packs, as under /opt/backline    made anew, below a second
==========  ==========================================================  ==============================

They are kept in ``$BACKLINE_MACHINES``, by default /var/cache/backline-machines, which can be deleted.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from flit_core import buildapi

from support.machine.hosts import DEBIAN_12, Host

CACHE = Path(os.environ.get("BACKLINE_MACHINES") or "/var/cache/backline-machines")
BARE_PACKAGES = ("systemd", "systemd-sysv", "dbus")
PACKAGES = (*BARE_PACKAGES, "python3")
PYTHON = "3.11"
"""The Python of Debian 12."""

PREFIX = Path("opt/backline")
SITE = PREFIX / "lib" / f"python{PYTHON}" / "site-packages"


def base() -> Path:
    """The root folder of a small Debian 12 with Python. Skips the test where debootstrap fails."""
    return _debian("debian", DEBIAN_12, PACKAGES)


def bare(host: Host) -> Path:
    """The root folder of the smallest ``host`` that boots: no Python, no compiler, nothing of ours."""
    return _debian("bare", host, BARE_PACKAGES)


def _debian(name: str, host: Host, packages: tuple[str, ...]) -> Path:
    def build(folder: Path) -> None:
        include = f"--include={','.join(packages)}"
        command = ["debootstrap", "--variant=minbase", include, host.suite, str(folder), *_mirror()]
        _run(command, "debootstrap failed")

    return kept(name, " ".join((host.suite, *packages)), build)


def runtime(root: Path) -> Path:
    """The locked packages for the Python of the machine, laid out as in a virtual environment."""
    lock = root / "requirements" / "runtime.txt"

    def build(folder: Path) -> None:
        options = ["--quiet", "--no-deps", "--require-hashes", "--only-binary=:all:"]
        target = [f"--python-version={PYTHON}", f"--target={folder / SITE}", f"--requirement={lock}"]
        command = [sys.executable, "-m", "pip", "install", *options, *target]
        _run(command, "the packages of the runtime cannot be installed")

    return kept("runtime", PYTHON + lock.read_text(), build)


def installed(root: Path, packs: Mapping[str, Path], folder: Path) -> Path:
    """This checkout as ``pip install`` would put it into a virtual environment at /opt/backline."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        wheel = buildapi.build_wheel(str(folder.parent))
    with zipfile.ZipFile(folder.parent / wheel) as archive:
        archive.extractall(folder / SITE)
    programs = folder / PREFIX / "bin"
    programs.mkdir()
    (programs / "python").symlink_to("/usr/bin/python3")
    (folder / PREFIX / "pyvenv.cfg").write_text(f"home = /usr/bin\nversion = {PYTHON}\n")
    program = programs / "backline"
    program.write_text(
        "#!/opt/backline/bin/python\nimport sys\nfrom appliance.cli.main import main\nsys.exit(main())\n"
    )
    program.chmod(0o755)
    for name, pack in packs.items():
        shutil.copytree(pack, folder / PREFIX / "packs" / name)
    (folder / PREFIX / "packs" / "active").symlink_to("reference")
    shutil.copytree(root / "systemd", folder / PREFIX / "systemd")
    return folder


def kept(name: str, recipe: str, build: Callable[[Path], None]) -> Path:
    folder = CACHE / f"{name}-{hashlib.sha256(recipe.encode()).hexdigest()[:12]}"
    if not folder.is_dir():
        CACHE.mkdir(parents=True, exist_ok=True)
        part = folder.with_suffix(f".{os.getpid()}.part")
        try:
            build(part)
            part.rename(folder)
        finally:
            shutil.rmtree(part, ignore_errors=True)
    return folder


def _mirror() -> list[str]:
    """The mirror that this computer uses, if it runs Debian; otherwise the default of debootstrap."""
    files = [Path("/etc/apt/sources.list"), *sorted(Path("/etc/apt/sources.list.d").glob("*"))]
    text = "\n".join(file.read_text() for file in files if file.is_file())
    pattern = r"^(?:URIs:|deb(?: \[[^\]]*\])?) *(\S*/debian/?)(?:\s|$)"
    return re.findall(pattern, text, re.MULTILINE)[:1]


def _run(command: list[str], otherwise: str) -> None:
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"{otherwise}: {(done.stderr or done.stdout).strip()[-300:]}")
