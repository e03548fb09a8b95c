"""Compiles every module in advance: a read-only tree starts quickly and never needs to be written to."""

from __future__ import annotations

from pathlib import Path

from bundle.tools.programs import output


def compile_all(tree: Path, python: Path) -> None:
    """Compile all modules below ``python`` with the interpreter there; recorded paths start at ``tree``.

    ``unchecked-hash``: Python never compares a compiled file with its source, since ``release.json`` holds
    the hash of both. One process, a fixed order and a fixed hash seed make the result reproducible.
    """
    output(
        python / "bin" / "python3",
        "-m",
        "compileall",
        "-q",
        "-f",
        "--invalidation-mode",
        "unchecked-hash",
        "-s",
        tree,
        python,
        PYTHONHASHSEED="0",
        PYTHONNOUSERSITE="1",
        PYTHONDONTWRITEBYTECODE="1",
    )
