"""The examples (``>>>``) in docstrings of the appliance are true."""

from __future__ import annotations

import doctest
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILES = sorted(file for file in (ROOT / "appliance").rglob("*.py") if " >>> " in file.read_text())
MODULES = [".".join(file.relative_to(ROOT).with_suffix("").parts) for file in FILES]


def test_there_are_examples() -> None:
    assert {"appliance.music.keys", "appliance.music.chord_names", "appliance.vocal.features"} <= {*MODULES}


@pytest.mark.parametrize("name", MODULES)
def test_examples_are_true(name: str) -> None:
    failed, tried = doctest.testmod(import_module(name))
    assert tried > 0
    assert failed == 0, "the output above compares the examples with what they gave"
