"""The examples (``>>>``) in docstrings of the appliance are true."""

from __future__ import annotations

import doctest
from importlib import import_module
from pathlib import Path

import pytest

MODULES = (
    "appliance.audio.blocks",
    "appliance.audio.loudness",
    "appliance.music.beat_grid",
    "appliance.music.chord_chart",
    "appliance.music.keys",
    "appliance.music.midi",
    "appliance.music.score",
)


@pytest.mark.parametrize("name", MODULES)
def test_examples_are_true(name: str) -> None:
    failed, tried = doctest.testmod(import_module(name))
    assert tried > 0
    assert failed == 0, "pytest shows above what the examples gave"


def test_no_example_is_left_out(root: Path) -> None:
    files = [file for file in (root / "appliance").rglob("*.py") if "    >>> " in file.read_text()]
    assert {".".join(file.relative_to(root).with_suffix("").parts) for file in files} == set(MODULES)
