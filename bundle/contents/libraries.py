"""Shared libraries of the system that the tree needs, copied beside the interpreter.

Only the C library itself stays the studio's: it cannot travel without the kernel's loader, and everything
else is then the same on every machine.
"""

from __future__ import annotations

import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path

from bundle.errors import BundleError
from bundle.tools.elf import Elf, elf_files, read_elf
from bundle.tools.programs import output, program

GLIBC = re.compile(
    r"ld-linux-x86-64\.so\.2|linux-vdso\.so\.1"
    r"|lib(c|m|dl|pthread|rt|util|resolv|anl|nss_\w+|mvec|BrokenLocale|thread_db)\.so\.\d"
)
"""Sonames of the GNU C library, by its own list of what it installs."""

_RESOLVED = re.compile(r"^\s*(\S+) => (/\S+) \(0x", re.MULTILINE)
_MISSING = re.compile(r"^\s*(\S+) => not found", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Library:
    """A shared library that travels: the name it is asked for by, and the system's file."""

    soname: str
    source: Path

    @property
    def of_interpreter(self) -> bool:
        """Whether it came with the interpreter and not with the system."""
        return self.source.is_relative_to(sys.base_prefix) and sys.base_prefix != "/usr"


def copy_libraries(tree: Path, python: Path) -> list[Library]:
    """Copy what ELF files below ``tree`` need from the system into ``python/lib``, and let them find it.

    Afterwards every file finds every library but the C library's inside the tree, wherever that lies.
    """
    shipped = {file.name for file in elf_files(tree)}
    found: dict[str, Path] = {}
    for file in list(elf_files(tree)):
        for soname, source in _resolved(file, shipped).items():
            found.setdefault(soname, source)
    folder = python / "lib"
    libraries = [Library(soname, source) for soname, source in sorted(found.items())]
    for library in libraries:
        output(program("strip"), "--strip-unneeded", "-o", folder / library.soname, library.source)
        (folder / library.soname).chmod(0o644)
    for file in list(elf_files(python)):
        _point(file, read_elf(file), {library.soname for library in libraries}, folder)
    return libraries


def _resolved(file: Path, shipped: set[str]) -> dict[str, Path]:
    """What the loader of this machine takes for ``file`` and for what that needs in turn, by soname."""
    text = output(program("ldd"), file) if read_elf(file).needs else ""
    found = {
        soname: Path(path).resolve()
        for soname, path in _RESOLVED.findall(text)
        if not GLIBC.fullmatch(soname) and soname not in shipped
    }
    if lost := [soname for soname in _MISSING.findall(text) if soname not in shipped]:
        raise BundleError(
            f"{file.name} needs {', '.join(lost)}, which this machine does not have; install it."
        )
    return found


def _point(file: Path, elf: Elf, libraries: set[str], folder: Path) -> None:
    """Let ``file`` find ``libraries`` in ``folder``, from inside the tree.

    What it needs is found where the executable says, so most files stay as their makers shipped them: only
    the executable is changed, and what has a path that leads outside or keeps the loader from looking there.
    """
    outside = [part for part in elf.search if not part.startswith("$ORIGIN")]
    first = file.parent.name == "bin"
    if not (first or outside or (elf.alone and libraries & set(elf.needs))):
        return
    own = "$ORIGIN/" + os.path.relpath(folder, file.parent)
    search = [part for part in elf.search if part.startswith("$ORIGIN")] + [own.removesuffix("/.")]
    # Not RUNPATH: a LD_LIBRARY_PATH that somebody has set must not lead to other libraries.
    output(program("patchelf"), "--force-rpath", "--set-rpath", ":".join(dict.fromkeys(search)), file)


def outsiders(tree: Path) -> list[str]:
    """``FILE needs SONAME`` for whatever an ELF file below ``tree/python`` needs that neither lies in its
    search path nor is the C library's; empty in a tree that stands on its own."""
    found = []
    everybody = tree / "python" / "lib"
    for file in elf_files(tree / "python"):
        elf = read_elf(file)
        folders = [Path(part.replace("$ORIGIN", str(file.parent))) for part in elf.search]
        folders += [] if elf.alone else [everybody]
        for soname in elf.needs:
            if not GLIBC.fullmatch(soname) and not any((folder / soname).is_file() for folder in folders):
                found.append(f"{file.relative_to(tree)} needs {soname}")
    return found
