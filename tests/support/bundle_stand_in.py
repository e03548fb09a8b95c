"""A tiny release with the layout of a real one, for tests of installer and signatures."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from bundle.carriers.run_file import write_run_file
from bundle.compiled import build
from bundle.compiled.cache import cache_folder
from bundle.compiled.opener import PROBE
from bundle.contents.opener import FOLDER, copy_opener
from bundle.errors import BundleError
from bundle.papers.manifest import size_bytes, write_manifest
from bundle.release import Release
from bundle.tools.signing import SigningKey

TIME_S = 1_700_000_000

ACTIVATE = """\
#!/bin/sh
# Stands in for `backline release activate STAGED`.
set -e
PATH=/usr/sbin:/usr/bin:/sbin:/bin
[ "$1 $2" = "release activate" ]
echo "$*" >>"$BACKLINE_PREFIX.log"
[ ! -e "$BACKLINE_PREFIX.breaks" ] || { echo "self-test failed" >&2; exit 1; }
version=$(basename "$3" | sed 's/backline-//')
mkdir -p "$BACKLINE_PREFIX/releases" "$BACKLINE_PREFIX/keys"
rm -rf "$BACKLINE_PREFIX/releases/$version"
mv "$3" "$BACKLINE_PREFIX/releases/$version"
ln -sfn "releases/$version" "$BACKLINE_PREFIX/current"
cp "$BACKLINE_PREFIX/current/keys/backline.pub" "$BACKLINE_PREFIX/keys/"
"""


def need(*programs: str) -> None:
    """Skip the test on a machine without one of ``programs``."""
    for program in programs:
        if shutil.which(program) is None:
            pytest.skip(f"no {program} here; CONTRIBUTING.md lists what to install")


def opener() -> build.Opener:
    """The opener, compiled once; skips the test where compiler or sources cannot be fetched."""
    root = Path(__file__).parents[2]
    try:
        return build.opener(root, cache_folder(root / "build"), print)
    except BundleError as error:
        pytest.skip(f"the opener cannot be compiled here: {error}")


def new_key(folder: Path) -> SigningKey:
    """A key pair made for the test, without the code under test."""
    folder.mkdir(parents=True)
    secret, public = folder / "key", folder / "key.pub"
    subprocess.run(
        ["minisign", "-G", "-W", "-p", public, "-s", secret], check=True, stdout=subprocess.DEVNULL
    )
    return SigningKey(secret, public.read_text())


def stand_in(
    folder: Path, key: SigningKey, version: str = "1.2.0", glibc: tuple[int, int] = (2, 28)
) -> Release:
    """A tree with the real opener; its ``backline`` only moves the tree to its place."""
    tree = folder / f"backline-{version}"
    (tree / "bin").mkdir(parents=True)
    (tree / "bin" / "backline").write_text(ACTIVATE)
    (tree / "bin" / "backline").chmod(0o755)
    (tree / "keys").mkdir()
    (tree / "keys" / "backline.pub").write_text(key.public)
    (tree / "share").mkdir()
    (tree / "share" / "text").write_bytes(os.urandom(3000))
    copy_opener(opener(), tree)
    write_manifest(tree, version, glibc, "3.11.2")
    return Release(tree, version, glibc, size_bytes(tree))


def run_file(folder: Path, key: SigningKey, version: str = "1.2.0", probe: str = "") -> Path:
    """The signed ``.run`` of a stand-in release, in ``folder/dist``.

    ``probe`` is a line of shell that runs instead of the program that tells the C library's version.
    """
    release = stand_in(folder / version, key, version)
    if probe:
        (release.tree / FOLDER / PROBE).write_text(f"#!/bin/sh\n{probe}\n")
    return write_run_file(release, folder / "dist", key, TIME_S)


@dataclass
class Computer:
    """A computer to install on: its own prefix, and programs whose output a test may replace."""

    folder: Path
    shell: tuple[str, ...] = ("sh",)
    answers: dict[str, str] = field(default_factory=lambda: {"id": "echo 0"})
    """Replaced programs: the line of shell that runs instead, by program name."""
    path: str = os.environ["PATH"]
    """Where the other programs are."""
    before: str = ""
    """A line of shell that is run before the installer, in a mount namespace of its own."""

    @property
    def prefix(self) -> Path:
        return self.folder / "opt"

    def install(self, file: Path, *options: str, typed: str = "") -> subprocess.CompletedProcess[str]:
        """Run the installer ``file``; its input is a terminal only if something is ``typed``."""
        programs = self.folder / "programs"
        shutil.rmtree(programs, ignore_errors=True)
        programs.mkdir(parents=True)
        for name, line in self.answers.items():
            (programs / name).write_text(f"#!/bin/sh\n{line}\n")
            (programs / name).chmod(0o755)
        environment = {
            "PATH": f"{programs}:{self.path}",
            "LANG": "C",
            "BACKLINE_PREFIX": str(self.prefix),
            "HOME": str(self.folder),
        }
        keyboard, terminal = os.openpty()
        os.write(keyboard, typed.encode())
        command = [shutil.which(self.shell[0]) or self.shell[0], *self.shell[1:], file, *options]
        if self.before:
            line = f'(PATH=/usr/sbin:/usr/bin:/sbin:/bin; {self.before}) && exec "$@"'
            command = ["/usr/bin/unshare", "--mount", "/bin/sh", "-c", line, "sh", *command]
        try:
            return subprocess.run(
                command,
                env=environment,
                stdin=terminal if typed else subprocess.DEVNULL,
                capture_output=True,
                text=True,
            )
        finally:
            os.close(keyboard)
            os.close(terminal)

    @property
    def untouched(self) -> bool:
        """Nothing was installed, not even partly, and no program of the release ran."""
        return not self.prefix.exists() and not Path(f"{self.prefix}.log").exists()
