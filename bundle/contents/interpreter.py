"""The Python that travels: the one this program runs on, moved, without what the appliance never imports."""

from __future__ import annotations

import re
import shutil
import sys
import sysconfig
from pathlib import Path

from bundle.errors import BundleError
from bundle.tools.elf import elf_files
from bundle.tools.programs import output, program

LEFT_OUT = {
    "site-packages",  # of whoever builds; ours come from the lock
    "dist-packages",
    "__pycache__",  # compiled anew, see bytecode
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
}
"""Folders of the standard library that stay at home, at any depth."""

LEFT_OUT_MODULES = re.compile(
    r"_?tkinter|_ctypes_test|_test.*|_?xx.*|_curses.*|readline|nis|ossaudiodev|_crypt|spwd|audioop"
    r"|_dbm|_gdbm|turtle|sitecustomize|_sysconfigdata_d_.*"
)
"""Modules that need a screen, a terminal, or are there to test Python. ``ssl`` stays: the metrics library
imports it, though nothing ever connects."""


def _unwanted(folder: str, names: list[str]) -> set[str]:
    """Of the ``names`` in ``folder`` those that stay at home."""
    return {
        name
        for name in names
        if name in LEFT_OUT
        or name.startswith("config-")  # what builds extensions: headers' makefile, static library
        or name.endswith((".a", ".o", ".exe", ".pyc"))
        or (
            name.endswith((".py", ".so"))
            and Path(folder).name in ("lib-dynload", Path(sysconfig.get_path("stdlib")).name)
            and LEFT_OUT_MODULES.fullmatch(name.split(".")[0])
        )
    }


def base_executable() -> Path:
    """The interpreter below the virtual environment this runs in."""
    name = f"python{sys.version_info.major}.{sys.version_info.minor}"
    for candidate in (Path(sys.base_prefix) / "bin" / name, Path(getattr(sys, "_base_executable", ""))):
        if candidate.is_file():
            return candidate.resolve()
    raise BundleError(f"No interpreter {name} lies below {sys.base_prefix}; build with another PYTHON=.")


def copy_interpreter(python: Path) -> None:
    """Fill the folder ``python`` with ``bin/python3`` and ``lib/python3.X``, no link among them."""
    stdlib = Path(sysconfig.get_path("stdlib", vars={"installed_base": sys.base_prefix}))
    target = python / "lib" / stdlib.name
    shutil.copytree(stdlib, target, ignore=_unwanted)
    (python / "bin").mkdir()
    shutil.copy(base_executable(), python / "bin" / "python3")
    for file in elf_files(python):
        output(program("strip"), "--strip-unneeded", file)
    _forget_where_it_was_built(target)


def _forget_where_it_was_built(stdlib: Path) -> None:
    """The record of how Python was built names folders of the machine that built it; nothing needs them."""
    for file in stdlib.glob("_sysconfigdata*.py"):
        file.write_text(file.read_text().replace(sys.base_prefix, "/python"))


def site_packages(python: Path) -> Path:
    """Where this interpreter looks for packages, as it says itself (Debian's own has another place)."""
    ask = "import site; print(site.getsitepackages()[0])"
    # Its libraries have not been copied yet.
    home = f"{sys.base_prefix}/lib"
    answer = Path(output(python / "bin" / "python3", "-I", "-B", "-c", ask, LD_LIBRARY_PATH=home).strip())
    if not answer.is_relative_to(python):
        raise BundleError(
            f"The moved interpreter looks for packages in {answer}; build with another PYTHON=, such as one "
            "that pyenv made."
        )
    return answer
