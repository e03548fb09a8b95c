"""Puts the compiled Python into the release."""

from __future__ import annotations

import shutil
from pathlib import Path

from bundle.compiled.build import Interpreter
from bundle.errors import BundleError
from bundle.tools.programs import output


def copy_interpreter(interpreter: Interpreter, python: Path) -> None:
    """Copy it to ``bin/python3`` and ``lib/python3.X`` below the new folder ``python``."""
    shutil.copytree(interpreter.folder, python)


def site_packages(python: Path) -> Path:
    """The site-packages folder of the interpreter in ``python``, as it reports it."""
    ask = "import site; print(site.getsitepackages()[0])"
    answer = Path(output(python / "bin" / "python3", "-I", "-B", "-c", ask).strip())
    if not answer.is_relative_to(python):
        raise BundleError(f"The bundled Python looks for packages in {answer}, outside the release.")
    return answer
