"""Copies the Python that runs this program, without modules that the appliance never imports."""

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
    "site-packages",  # of the build machine; the release installs from the lock
    "dist-packages",
    "__pycache__",  # compiled again by ``bytecode``
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
"""Folders of the standard library that are left out, at any depth."""

LEFT_OUT_MODULES = re.compile(
    r"_?tkinter|_ctypes_test|_test.*|_?xx.*|_curses.*|readline|nis|ossaudiodev|_crypt|spwd|audioop"
    r"|_dbm|_gdbm|turtle|sitecustomize|_sysconfigdata_d_.*"
)
"""Modules that are left out: they need a display or a terminal, or test Python itself.

``ssl`` stays: the metrics library imports it, although nothing ever connects.
"""


def _unwanted(folder: str, names: list[str]) -> set[str]:
    """Those of ``names`` in ``folder`` that are left out; a callback for :func:`shutil.copytree`."""
    return {
        name
        for name in names
        if name in LEFT_OUT
        or name.startswith("config-")  # makefile and static library, for building extensions
        or name.endswith((".a", ".o", ".exe", ".pyc"))
        or (
            name.endswith((".py", ".so"))
            and Path(folder).name in ("lib-dynload", Path(sysconfig.get_path("stdlib")).name)
            and LEFT_OUT_MODULES.fullmatch(name.split(".")[0])
        )
    }


def base_executable() -> Path:
    """The interpreter that the current virtual environment is based on.

    Raises :class:`BundleError` if it is missing.
    """
    name = f"python{sys.version_info.major}.{sys.version_info.minor}"
    for candidate in (Path(sys.base_prefix) / "bin" / name, Path(getattr(sys, "_base_executable", ""))):
        if candidate.is_file():
            return candidate.resolve()
    raise BundleError(f"{sys.base_prefix} contains no interpreter {name}; build with another PYTHON=.")


def copy_interpreter(python: Path) -> None:
    """Copy the interpreter to ``bin/python3`` and ``lib/python3.X`` below ``python``, as plain files."""
    stdlib = Path(sysconfig.get_path("stdlib", vars={"installed_base": sys.base_prefix}))
    target = python / "lib" / stdlib.name
    shutil.copytree(stdlib, target, ignore=_unwanted)
    (python / "bin").mkdir()
    shutil.copy(base_executable(), python / "bin" / "python3")
    for file in elf_files(python):
        output(program("strip"), "--strip-unneeded", file)
    _remove_build_paths(target)


def _remove_build_paths(stdlib: Path) -> None:
    """Replace paths of the build machine in Python's record of its own build; nothing needs them."""
    for file in stdlib.glob("_sysconfigdata*.py"):
        file.write_text(file.read_text().replace(sys.base_prefix, "/python"))


def site_packages(python: Path) -> Path:
    """The site-packages folder of the copied interpreter, as it reports it.

    Debian's own interpreter uses another folder outside ``python``; :class:`BundleError` is raised for it.
    """
    ask = "import site; print(site.getsitepackages()[0])"
    # Its shared libraries have not been copied yet.
    home = f"{sys.base_prefix}/lib"
    answer = Path(output(python / "bin" / "python3", "-I", "-B", "-c", ask, LD_LIBRARY_PATH=home).strip())
    if not answer.is_relative_to(python):
        raise BundleError(
            f"The copied interpreter looks for packages in {answer}, outside the release; build with another "
            "PYTHON=, such as one installed by pyenv."
        )
    return answer
