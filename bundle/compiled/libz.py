"""zlib as a shared library, which the Fortran library of NumPy needs."""

from __future__ import annotations

from pathlib import Path

from bundle.compiled.compiler import Compiler, run
from bundle.compiled.sources import Lock

SONAME = "libz.so.1"


def make_libz(lock: Lock, compiler: Compiler, work: Path, made: Path, zlib: Path) -> None:
    """Compile ``libz.so.1`` into the folder ``made`` from the unpacked source ``zlib``."""
    programs = work / "bin-libz"
    compiler.programs(programs, f"x86_64-linux-gnu.{lock.glibc}", work / "prefix-libz")
    variables = compiler.variables(programs, lock.date_s)
    # Its own configure script tells which functions of the system it may use.
    run(["./configure", "--static"], zlib, variables)
    run(
        [
            *("cc", "-O2", "-fPIC", "-shared", "-s", "-w", "-D_LARGEFILE64_SOURCE=1", "-DHAVE_HIDDEN"),
            *(
                f"-Wl,-soname,{SONAME}",
                "-Wl,--version-script=zlib.map",
                "-Wl,--undefined-version",
                "-o",
                str(made / SONAME),
            ),
            *sorted(file.name for file in zlib.glob("*.c")),
        ],
        zlib,
        variables,
    )
