"""The pinned zig as the programs ``cc``, ``ar`` and ``ranlib``.

zig is clang with the headers and symbols of every C library. The package index has it as a wheel, which
``requirements/compiler.txt`` locks by hash.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

from appliance.files.hashes import file_sha256
from bundle.compiled.cache import kept
from bundle.errors import BundleError
from bundle.tools.programs import output

LOCK = Path("requirements") / "compiler.txt"

FLAGS = ("-fomit-frame-pointer", "-fno-sanitize=undefined")
LAST_FLAGS = ("-g0", "-Wno-date-time")
"""zig's own defaults, and Python's, are for debugging. Dates in macros are that of the lock."""


@dataclass(frozen=True, slots=True)
class Compiler:
    """zig, unpacked.

    Attributes:
        zig: the program.
        cache: where it keeps what it compiled of the C library and its own library.
    """

    zig: Path
    cache: Path

    @property
    def library(self) -> Path:
        """Its folder of headers and sources, such as those of musl."""
        return self.zig.parent / "lib"

    def programs(self, folder: Path, target: str, prefix: Path) -> None:
        """Write ``cc``, ``ar`` and ``ranlib`` for ``target`` into the new folder ``folder``.

        ``cc`` also looks for headers and libraries in ``prefix/include`` and ``prefix/lib``. These paths are
        in the program and not in its arguments, because Python and OpenSSL record their compiler's arguments.
        """
        folder.mkdir(parents=True)
        zig = shlex.quote(str(self.zig))
        words = [*FLAGS, f"-ffile-prefix-map={folder.parent}=.", f"-I{prefix}/include", f"-L{prefix}/lib"]
        compiling = f"{zig} cc -target {target} {shlex.join(words)}"
        # Debian names its folders of libraries after this answer; no other system has them.
        refusing = 'case "$*" in *-print-multiarch*) exit 1 ;; esac\n'
        for name, command in (
            ("cc", f"{refusing}exec {compiling}"),
            ("ar", f"exec {zig} ar"),
            ("ranlib", f"exec {zig} ranlib"),
        ):
            last = shlex.join(LAST_FLAGS) if name == "cc" else ""
            (folder / name).write_text(f'#!/bin/sh\n{command} "$@" {last}\n')
            (folder / name).chmod(0o755)

    def variables(self, programs: Path, date_s: int) -> dict[str, str]:
        """The environment in which a source is configured and compiled with the programs in ``programs``."""
        kept_variables = {name: os.environ[name] for name in ("HOME", "TMPDIR") if name in os.environ}
        return {
            **kept_variables,
            "PATH": f"{programs}:/usr/sbin:/usr/bin:/sbin:/bin",
            "LC_ALL": "C",
            "CC": "cc",
            "AR": "ar",
            "RANLIB": "ranlib",
            "SOURCE_DATE_EPOCH": str(date_s),
            "ZIG_GLOBAL_CACHE_DIR": str(self.cache),
            "ZIG_LOCAL_CACHE_DIR": str(self.cache),
        }


def run(command: list[str | Path], folder: Path, variables: dict[str, str]) -> None:
    """Run ``command`` in ``folder`` with nothing in its environment but ``variables``.

    Raises :class:`BundleError` with the last lines of its output if it fails.
    """
    words = [str(word) for word in command]
    done = subprocess.run(
        words, cwd=folder, env=variables, stdin=subprocess.DEVNULL, capture_output=True, text=True,
        errors="replace", check=False,
    )  # fmt: skip
    if done.returncode:
        said = (done.stdout + done.stderr).strip().splitlines()[-8:]
        raise BundleError(f"{shlex.join(words[:3])} failed in {folder}: {' | '.join(said)}")


def compiler_version(checkout: Path) -> str:
    """The version of zig that ``requirements/compiler.txt`` pins."""
    pinned = re.search(r"^ziglang==(\S+)", (checkout / LOCK).read_text(), re.MULTILINE)
    if pinned is None:
        raise BundleError(f"{checkout / LOCK} does not pin ziglang; run: make lock.")
    return pinned[1]


def fetch_compiler(checkout: Path, cache: Path) -> Compiler:
    """The compiler that ``requirements/compiler.txt`` pins, downloaded and unpacked once into ``cache``."""
    lock = checkout / LOCK
    folder = cache / "zig" / file_sha256(lock)[:16]

    def unpack(made: Path) -> None:
        pip = (sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check")
        output(
            *pip, "download", "--no-deps", "--require-hashes", "--only-binary=:all:",
            f"--dest={made}", f"--requirement={lock}",
        )  # fmt: skip
        (wheel,) = made.glob("*.whl")
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(made)
        wheel.unlink()
        (made / "ziglang" / "zig").chmod(0o755)

    return Compiler(kept(folder, unpack) / "ziglang" / "zig", cache / "zig" / "objects")
