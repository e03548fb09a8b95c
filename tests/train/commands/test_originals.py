"""`python -m train originals` writes what the training songs play, and says how often it is mistaken."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner
from support.tiny_cache import BARS, write_tiny_cache

pytest.importorskip("torch")

from appliance.packs.originals import ORIGINALS_NAME, read_originals
from train.cli import main

ROOTS = {"first": (48, 55, 53), "second": (50, 47), "held": (48, 53)}
SPLITS = {"first": "train", "second": "train", "held": "val"}


def test_the_file_holds_the_training_songs(tmp_path: Path) -> None:
    write_tiny_cache(tmp_path / "cache", ROOTS, SPLITS)
    told = CliRunner().invoke(main, ["--runs", str(tmp_path), "originals"])
    assert told.exit_code == 0, told.output
    found = read_originals(tmp_path / ORIGINALS_NAME, (tmp_path / ORIGINALS_NAME).read_bytes())
    assert found.names == ("first", "second") and found.limits.songs == 1
    assert found.songs.tolist() == [0, BARS, 2 * BARS]  # a triad a bar
    major = {sum(1 << (root + step) % 12 for step in (0, 4, 7)) for root in ROOTS["first"]}
    assert set((found.onsets[:BARS] & 4095).tolist()) == major
    assert "false alarms: 0 of 1 held-out songs" in told.output


def test_too_little_to_plant_is_said(tmp_path: Path) -> None:
    write_tiny_cache(tmp_path / "cache", ROOTS, SPLITS)
    told = CliRunner().invoke(main, ["--runs", str(tmp_path), "originals", "--plant", "2"])
    assert told.exit_code == 1 and "to plant" in told.output


def test_a_missing_cache_is_named(tmp_path: Path) -> None:
    told = CliRunner().invoke(main, ["--runs", str(tmp_path), "originals"])
    assert told.exit_code == 1 and "run `python -m train songs` first" in told.output
