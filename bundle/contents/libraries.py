"""Copies the shared libraries that the release needs from the build machine, beside the interpreter.

Only the C library is the target machine's own: it must match the loader, whose path is fixed
in every executable. All other libraries are then the same on every machine.
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
"""Sonames of all libraries that the GNU C library installs."""

_RESOLVED = re.compile(r"^\s*(\S+) => (/\S+) \(0x", re.MULTILINE)
_MISSING = re.compile(r"^\s*(\S+) => not found", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Library:
    """A shared library that is copied: its soname, and the file on the build machine."""

    soname: str
    source: Path

    @property
    def of_interpreter(self) -> bool:
        """Whether it belongs to the interpreter rather than to a Debian package."""
        return self.source.is_relative_to(sys.base_prefix) and sys.base_prefix != "/usr"


def copy_libraries(tree: Path, python: Path) -> list[Library]:
    """Copy the system libraries that ELF files below ``tree`` need to ``python/lib``, and set search paths.

    Afterwards every file finds all its libraries but the C library inside the tree, wherever the tree lies.
    Raises :class:`BundleError` for a library that the build machine lacks.
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
    """The libraries that this machine's loader finds for ``file`` and their dependencies, by soname."""
    text = output(program("ldd"), file) if read_elf(file).needs else ""
    found = {
        soname: Path(path).resolve()
        for soname, path in _RESOLVED.findall(text)
        if not GLIBC.fullmatch(soname) and soname not in shipped
    }
    if lost := [soname for soname in _MISSING.findall(text) if soname not in shipped]:
        raise BundleError(f"{file.name} needs {', '.join(lost)}, which this machine lacks; install it.")
    return found


def _point(file: Path, elf: Elf, libraries: set[str], folder: Path) -> None:
    """Make the loader find ``libraries`` in ``folder`` for ``file``, by a path relative to ``file``.

    The loader also searches the RPATH of the executable, so most files stay as published. Only three kinds
    are changed: executables, files with a search path outside the tree, and files with a RUNPATH, for which
    the loader ignores the executable's path.
    """
    outside = [part for part in elf.search if not part.startswith("$ORIGIN")]
    executable = file.parent.name == "bin"
    if not (executable or outside or (elf.alone and libraries & set(elf.needs))):
        return
    own = "$ORIGIN/" + os.path.relpath(folder, file.parent)
    search = [part for part in elf.search if part.startswith("$ORIGIN")] + [own.removesuffix("/.")]
    # RPATH, not RUNPATH: the user's LD_LIBRARY_PATH must not override it.
    output(program("patchelf"), "--force-rpath", "--set-rpath", ":".join(dict.fromkeys(search)), file)


def outsiders(tree: Path) -> list[str]:
    """``FILE needs SONAME`` for every library below ``tree/python`` that is not found inside the tree.

    The C library is excepted. The list is empty if the tree is self-contained.
    """
    found = []
    shared = tree / "python" / "lib"
    for file in elf_files(tree / "python"):
        elf = read_elf(file)
        folders = [Path(part.replace("$ORIGIN", str(file.parent))) for part in elf.search]
        folders += [] if elf.alone else [shared]
        for soname in elf.needs:
            if not GLIBC.fullmatch(soname) and not any((folder / soname).is_file() for folder in folders):
                found.append(f"{file.relative_to(tree)} needs {soname}")
    return found
