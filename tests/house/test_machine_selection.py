"""The tests in machines that CI takes: each module on one host at least, and no name that nothing has."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from support.machine.bundles import BROKEN
from support.machine.hosts import DEBIAN_11, DEBIAN_12, HOSTS, SELECTION_VARIABLE, SHORT, is_taken


@pytest.fixture(scope="module")
def modules(root: Path) -> dict[str, list[str]]:
    """The names of the tests that boot a host, by module."""
    texts = {file.name: file.read_text() for file in (root / "tests/machine").glob("test_*.py")}
    return {
        name: re.findall(r"^def (test_\w+)\(", text, re.MULTILINE)
        for name, text in texts.items()
        if re.search(r"\b(bare|studio|cut): ", text)
    }


def test_every_module_is_taken_on_a_host(modules: dict[str, list[str]]) -> None:
    assert modules.keys() == {module for chosen in SHORT.values() for module in chosen}
    assert SHORT.keys() == {host.name for host in HOSTS}


def test_every_name_is_that_of_a_test(modules: dict[str, list[str]]) -> None:
    for chosen in SHORT.values():
        for module, parts in chosen.items():
            names = [*modules[module], *BROKEN]
            assert [part for part in parts if not any(part in name for name in names)] == [], module


def test_without_the_variable_everything_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    name = f"test_it_is_small[{DEBIAN_11.name}]"
    monkeypatch.delenv(SELECTION_VARIABLE, raising=False)
    assert is_taken("test_life.py", name)
    monkeypatch.setenv(SELECTION_VARIABLE, "ci")
    assert not is_taken("test_life.py", name)
    assert is_taken("test_life.py", f"test_it_is_small[{DEBIAN_12.name}]")
    assert is_taken("test_upgrade.py", f"test_a_broken_release[{DEBIAN_11.name}-crashes at the start]")
    assert not is_taken("test_upgrade.py", f"test_a_broken_release[{DEBIAN_11.name}-has no pack]")
    assert is_taken("test_container.py", "test_podman_loads_it")
