"""The functions of the C library that the appliance's own Python code calls through ctypes.

No tool that reads ELF files sees them, so a new one could raise the oldest C library unnoticed.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from bundle.errors import BundleError
from bundle.tools.elf import Version

SINCE: dict[str, Version] = {
    "malloc_trim": (2, 2),
    "mallopt": (2, 2),
    "prctl": (2, 2),
    "syncfs": (2, 14),
    "syscall": (2, 2),
}
"""The C library for x86-64 that introduced each function; its first version was 2.2.5."""


def symbols_in(text: str) -> Iterator[str]:
    """The functions that the Python module ``text`` takes from a library that ctypes opened.

    Found are ``NAME.function`` where ``NAME`` was set to ``ctypes.CDLL(...)``, ``ctypes.CDLL(...).function``,
    and ``getattr(LIBRARY, "function")``.
    """
    tree = ast.parse(text)
    opened = {
        target.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and _opens(node.value)
        for target in node.targets
        if isinstance(target, ast.Name)
    }

    def is_library(node: ast.expr) -> bool:
        return _opens(node) or (isinstance(node, ast.Name) and node.id in opened)

    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and is_library(node.value):
            yield node.attr
        elif (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id == "getattr"
            and is_library(node.args[0])
        ):
            name = node.args[1]
            if not (isinstance(name, ast.Constant) and isinstance(name.value, str)):
                raise BundleError(f"line {node.lineno} asks for a C function by a computed name.")
            yield name.value


def _opens(node: ast.expr) -> bool:
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in ("CDLL", "PyDLL", "LoadLibrary")
    )


def newest_c_symbol(package: Path) -> tuple[Version, str]:
    """The oldest C library that has every function called below ``package``, and ``FILE: function``.

    Raises :class:`BundleError` for a function whose version :data:`SINCE` does not name.
    """
    newest: tuple[Version, str] = ((2, 2), "none")
    for file in sorted(package.rglob("*.py")):
        for name in symbols_in(file.read_text(encoding="utf-8")):
            if name not in SINCE:
                raise BundleError(
                    f"{file} calls the C function {name}; add the C library that introduced it to "
                    "bundle/tools/c_symbols.py, or call the kernel by number."
                )
            newest = max(newest, (SINCE[name], f"{file}: {name}"))
    return newest
