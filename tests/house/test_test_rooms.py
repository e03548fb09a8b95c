"""The tests mirror the rooms, and share code through ``tests/support`` alone."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

WITHOUT_A_ROOM = {
    "house": "the rules and pages of the whole project",
    "machine": "the installed release, in machines of its own",
}
"""Folders of tests that belong to no single room, and what they test."""


def modules(root: Path) -> list[Path]:
    found = sorted((root / "tests").rglob("test_*.py"))
    assert len(found) > 100
    return found


@cache
def nodes(file: Path) -> list[ast.AST]:
    return list(ast.walk(ast.parse(file.read_text())))


def imported(file: Path) -> set[str]:
    """Names of the modules that a file imports, wherever it does; a relative one begins with a dot."""
    names: set[str] = set()
    for node in nodes(file):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            names.update({module, *(f"{module}.{alias.name}" for alias in node.names)})
    return names


def marks(file: Path) -> set[str]:
    """Marks that a file puts on tests, as ``pytest.mark.NAME``."""
    return {
        text
        for node in nodes(file)
        if isinstance(node, ast.Attribute) and (text := ast.unparse(node)).startswith("pytest.mark.")
    }


def own(name: str) -> bool:
    """Whether an import reaches a test module or a conftest."""
    parts = name.split(".")
    return (
        name.startswith(".") or parts[0] == "tests" or any(p.startswith(("test_", "conftest")) for p in parts)
    )


def test_no_test_module_imports_another(root: Path) -> None:
    files = sorted((root / "tests").rglob("*.py"))
    assert {str(f.relative_to(root)): names for f in files if (names := set(filter(own, imported(f))))} == {}


@pytest.mark.parametrize(
    "code", ["import test_scan", "def f():\n    from tests.support import pages", "from . import conftest"]
)
def test_an_import_of_a_test_module_is_found(tmp_path: Path, code: str) -> None:
    (tmp_path / "test_made_up.py").write_text(code)
    assert any(map(own, imported(tmp_path / "test_made_up.py")))


def test_every_folder_of_tests_has_its_room(root: Path) -> None:
    folders = {file.parent.relative_to(root / "tests") for file in modules(root)}
    roomless = [folder for folder in folders if not (root / folder).is_dir()]
    assert {str(folder) for folder in roomless} == set(WITHOUT_A_ROOM)
    assert Path() not in folders, "a test module lies outside of the rooms"


def test_what_starts_a_service_says_so(root: Path) -> None:
    """``make quick`` leaves out what is marked, so that it needs no service and no program of others."""
    starters = ("support.watch.service", "support.watch.clients", "support.machine")
    plain = ("support.machine.hosts", "support.machine.bundles")  # they boot nothing
    unmarked = [
        str(file.relative_to(root))
        for file in modules(root)
        if any(name.startswith(starters) and not name.startswith(plain) for name in imported(file))
        and not {"pytest.mark.service", "pytest.mark.privileged"} & marks(file)
    ]
    assert unmarked == []


def test_only_support_is_a_package(root: Path) -> None:
    """pytest imports each test module by its file, so two may have one name (--import-mode=importlib)."""
    packages = {file.relative_to(root / "tests").parts[0] for file in (root / "tests").rglob("__init__.py")}
    assert packages == {"support"}
