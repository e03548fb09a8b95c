"""The shared libraries beside the interpreter: those of GCC and zlib for the packages, and mathematics.

The checkout holds those of GCC as Debian 11 published them: they are new enough for every package, run with
every C library from 2.18 on, and Debian's mirrors will not keep them. The loader and the C library are the
target machine's own: they must match each other, and the loader's path is fixed in every program.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from appliance.files.hashes import file_sha256
from bundle.compiled.build import SharedLibraries
from bundle.compiled.libm import SONAME, VECTORS_SONAME
from bundle.errors import BundleError
from bundle.tools.elf import Elf, elf_files, offered_symbols, read_elf, wanted_symbols
from bundle.tools.programs import output, program

PINNED = Path(__file__).with_name("pinned")
COPYRIGHT = PINNED / "gcc-10-copyright.txt"

GLIBC = re.compile(
    r"ld-linux-x86-64\.so\.2|linux-vdso\.so\.1"
    r"|lib(c|m|dl|pthread|rt|util|resolv|anl|nss_\w+|mvec|BrokenLocale|thread_db)\.so\.\d"
)
"""Sonames of all libraries that the GNU C library installs."""


@dataclass(frozen=True, slots=True)
class Library:
    """A shared library in a Debian package of ``pinned/``.

    Attributes:
        soname: its name in the release.
        package, version: the Debian package.
        path: where the package holds it.
        sha256: of the package.
    """

    soname: str
    package: str
    version: str
    path: str
    sha256: str

    @property
    def file(self) -> Path:
        """The package."""
        return PINNED / f"{self.package}_{self.version}_amd64.deb"


LIBRARIES = (
    Library(
        "libstdc++.so.6",
        "libstdc++6",
        "10.2.1-6",
        "usr/lib/x86_64-linux-gnu/libstdc++.so.6.0.28",
        "5c155c58935870bf3b4bfe769116841c0d286a74f59eccfd5645693ac23f06b1",
    ),
    Library(
        "libgcc_s.so.1",
        "libgcc-s1",
        "10.2.1-6",
        "lib/x86_64-linux-gnu/libgcc_s.so.1",
        "e478f2709d8474165bb664de42e16950c391f30eaa55bc9b3573281d83a29daf",
    ),
)


def copy_libraries(compiled: SharedLibraries, python: Path) -> None:
    """Copy the libraries to ``python/lib``, and make every file below ``python`` find them there.

    Raises :class:`BundleError` if a package in the checkout was altered, or if a file needs a mathematical
    function that ours lacks.
    """
    folder = python / "lib"
    for library in LIBRARIES:
        if file_sha256(library.file) != library.sha256:
            raise BundleError(f"{library.file} was altered; restore it: git checkout {library.file}.")
        with tempfile.TemporaryDirectory(dir=python) as aside:
            output(program("dpkg-deb"), "--extract", library.file, aside)
            (Path(aside) / library.path).rename(folder / library.soname)
        (folder / library.soname).chmod(0o644)
    for file in compiled.folder.iterdir():
        shutil.copyfile(file, folder / file.name)
    files = list(elf_files(python))
    for soname in (SONAME, VECTORS_SONAME):
        offered = offered_symbols(folder / soname)
        for file in files:
            if lacking := wanted_symbols(file, soname) - offered:
                names = ", ".join(sorted("@".join(each) for each in lacking))
                raise BundleError(f"{file} needs {names}; add it to the {soname} of bundle/compiled/libm.py.")
    for file in files:
        _point(file, read_elf(file), {library.soname for library in LIBRARIES}, folder)


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
