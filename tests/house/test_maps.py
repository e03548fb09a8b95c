"""A package's docstring is its map: it names every module and package in it and no others."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOMS = ("appliance", "train", "export", "quantize", "bundle", "bench", "tests/support")

NAME = r"``([a-z_]\w*)/?``"
ENTRY = rf"(?:{NAME},\s+)*{NAME}(?::|  )"


def packages(root: Path) -> list[Path]:
    found = sorted(file.parent for room in ROOMS for file in (root / room).rglob("__init__.py"))
    assert len(found) > 40
    return found


def children(package: Path) -> set[str]:
    """Modules and packages that lie directly in a package; ``python -m`` names ``__main__``."""
    modules = {file.stem for file in package.glob("*.py")} - {"__init__", "__main__"}
    return modules | {file.parent.name for file in package.glob("*/__init__.py")}


def differences(package: Path) -> dict[str, list[str]]:
    """What a map lacks, and the entries on it that are not there.

    An entry is a ``name``, or several, before a colon or in a table's first column.
    """
    text = ast.get_docstring(ast.parse((package / "__init__.py").read_text())) or ""
    told = set(re.findall(NAME, text))
    entries = {name for entry in re.finditer(ENTRY, text) for name in re.findall(NAME, entry[0])}
    there = children(package)
    found = {"missing": sorted(there - told), "not there": sorted(entries - there)}
    return {kind: names for kind, names in found.items() if names}


def test_every_map_is_true(root: Path) -> None:
    wrong = {str(p.relative_to(root)): found for p in packages(root) if (found := differences(p))}
    assert wrong == {}


def test_every_folder_of_modules_is_a_package(root: Path) -> None:
    folders = {file.parent for room in ROOMS for file in (root / room).rglob("*.py")}
    assert {str(f.relative_to(root)) for f in folders if not (f / "__init__.py").is_file()} == set()


@pytest.mark.parametrize(
    ("docstring", "wrong"),
    [
        ("- ``a``: one, ``inner``: another, of ``pack.json`` and ``a = 1``, made by ``apt``", {}),
        ("``a``       one\n``inner/``  another", {}),
        ("- ``a``: one", {"missing": ["inner"]}),
        ("- ``a``: one; ``inner``, ``gone``:  two", {"not there": ["gone"]}),
        ("``a``      one\n``inner``  two\n``gone``   three", {"not there": ["gone"]}),
        ("", {"missing": ["a", "inner"]}),
    ],
)
def test_a_wrong_map_is_found(tmp_path: Path, docstring: str, wrong: dict[str, list[str]]) -> None:
    (tmp_path / "inner").mkdir()
    (tmp_path / "a.py").touch()
    (tmp_path / "inner" / "__init__.py").touch()
    (tmp_path / "__init__.py").write_text(f'"""{docstring}"""\n' if docstring else "")
    assert differences(tmp_path) == wrong
