"""CPython with everything it needs linked in: one program, and the standard library as Python files."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from bundle.compiled.archives import HOST, JOBS
from bundle.compiled.compiler import run

SETUP = Path(__file__).with_name("modules.setup")
"""The list of compiled modules, for Python's own build."""

LEFT_OUT = {
    "__pycache__",  # compiled again in the release
    "test",
    "tests",
    "idlelib",
    "idle_test",
    "tkinter",
    "turtledemo",
    "ensurepip",
    "venv",
    "lib2to3",
    "pydoc_data",
    "msilib",
    "curses",
    "dbm",
    "site-packages",
}
"""Folders of the standard library that are left out, at any depth."""

LEFT_OUT_MODULES = {"turtle.py", "crypt.py", "nturl2path.py", "_aix_support.py", "_osx_support.py"}
"""Modules that need a display, a module that is not compiled, or another system."""

EMPTY = "lib-dynload"
"""Python warns at its start if it does not find this folder."""

_OPTIONS = (
    "--prefix=/python",
    "--without-ensurepip",
    "--without-static-libpython",  # links the object files themselves
    "--disable-test-modules",
    "--with-computed-gotos",
    "--with-dbmliborder=",
)
_ANSWERS = {"ac_cv_lib_z_inflateCopy": "yes"}
"""What configure would find out from a zlib that is installed in the system."""

_LINKING = "-s"


def configure_python(source: Path, variables: dict[str, str]) -> None:
    """Configure the unpacked ``source``; takes a minute of one core and needs none of the libraries."""
    shutil.copyfile(SETUP, source / "Modules" / "Setup.local")
    options = {**variables, **_ANSWERS, "OPT": "-DNDEBUG -O3 -fwrapv", "CFLAGS": "", "LDFLAGS": _LINKING}
    run(["./configure", HOST, *_OPTIONS], source, options)


def make_python(source: Path, variables: dict[str, str], python: Path) -> None:
    """Compile the configured ``source`` and lay Python out in the empty folder ``python``."""
    run(["make", JOBS, "python"], source, variables)
    run(["make", "pybuilddir.txt"], source, variables)
    _lay_out(source, python)


def _lay_out(source: Path, python: Path) -> None:
    """The program becomes ``bin/python3``, the standard library ``lib/python3.11``."""
    (python / "bin").mkdir()
    shutil.copy(source / "python", python / "bin" / "python3")
    version = re.search(r"^VERSION=\s*(\S+)", (source / "Makefile").read_text(), re.MULTILINE)
    assert version is not None
    library = python / "lib" / f"python{version[1]}"
    shutil.copytree(source / "Lib", library, ignore=left_out)
    (record,) = (source / (source / "pybuilddir.txt").read_text().strip()).glob("_sysconfigdata*.py")
    text = record.read_text().replace(str(source), "/python")
    (library / record.name).write_text(text)
    (library / EMPTY).mkdir()
    (library / EMPTY / "README").write_text("Every compiled module is part of the program python3.\n")
    shutil.copyfile(source / "LICENSE", library / "LICENSE.txt")


def left_out(folder: str, names: list[str]) -> set[str]:
    """Those of ``names`` in ``folder`` that are left out; a callback for :func:`shutil.copytree`."""
    top = Path(folder).name == "Lib"
    return {
        name
        for name in names
        if name in LEFT_OUT or name.endswith((".exe", ".pyc")) or (top and name in LEFT_OUT_MODULES)
    }
