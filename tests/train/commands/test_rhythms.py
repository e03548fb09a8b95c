"""`python -m train rhythms` writes the bank of the training songs, in the form that packs carry."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner
from support.tiny_cache import write_tiny_cache

pytest.importorskip("torch")

from appliance.music.rhythm_plan import BarRhythm
from appliance.music.score import STYLES, BeatGrid
from appliance.packs.rhythm_bank import RHYTHMS_NAME, read_bank
from train.cli import main
from train.data.rhythm_phrases import BARS, FEWEST

GRID = BeatGrid((0.0, 0.5), (0,), 1.0, 4)


def runs_with(folder: Path, training: int) -> Path:
    """A folder of runs with so many training songs, of triads on C3 and C5 in turn, and one of the others."""
    roots = {f"song{k}": (48, 72) for k in range(training + 1)}
    splits = dict.fromkeys(roots, "train") | {"song0": "val"}
    write_tiny_cache(folder / "cache", roots, splits)
    return folder


def test_the_bank_has_what_the_songs_play(tmp_path: Path) -> None:
    runs = runs_with(tmp_path, FEWEST)
    told = CliRunner().invoke(main, ["--runs", str(runs), "rhythms"])
    assert told.exit_code == 0, told.output
    file = runs / RHYTHMS_NAME
    assert f"{file}: {len(STYLES)} phrases of {FEWEST} songs" in told.output.replace("\n", " ").strip()
    assert "piano: 1 phrases of 4 beats" in told.output
    bank = read_bank(file, file.read_bytes())
    for style in STYLES:
        (phrase,) = bank.of(style, GRID)  # equal phrases count once
        assert phrase.bpm == 120.0 and len(phrase.bars) == BARS
        # C3 is low, E3 and G3 are of the middle, a triad on C5 is high.
        assert phrase.bars[:2] == (BarRhythm(((0,), (0,), ())), BarRhythm(((), (), (0,))))


def test_styles_with_few_songs_have_no_phrases(tmp_path: Path) -> None:
    runs, out = runs_with(tmp_path, FEWEST - 1), tmp_path / "else.json"
    told = CliRunner().invoke(main, ["--runs", str(runs), "rhythms", "--out", str(out)])
    assert told.exit_code == 0, told.output
    assert read_bank(out, out.read_bytes()).phrases == ()
    assert not (runs / RHYTHMS_NAME).exists()


def test_missing_songs_are_named_with_the_command_that_makes_them(tmp_path: Path) -> None:
    told = CliRunner().invoke(main, ["--runs", str(tmp_path), "rhythms"])
    assert told.exit_code == 1
    assert "missing; run `python -m train songs` first." in told.output.replace("\n", " ")
