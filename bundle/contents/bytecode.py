"""Every module compiled beforehand: a read-only tree starts quickly, and nothing is ever written into it."""

from __future__ import annotations

from pathlib import Path

from bundle.tools.programs import output


def compile_all(tree: Path, python: Path) -> None:
    """Compile what lies below ``python``, with the interpreter there, as Python of the folder ``tree``.

    ``unchecked-hash``: the source is never looked at, neither its time nor its bytes; the hash of every
    file is in ``release.json``. One process in one order with one seed, so that twice gives the same bytes.
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
