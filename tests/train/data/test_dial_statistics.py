"""What songs of each style do, measured on made-up songs whose attributes are known."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from support.tiny_cache import BARS, write_tiny_cache

from appliance.music.bar_lines import BarLines
from appliance.music.chord_chart import ChordSpan
from appliance.music.dials import DIALS
from appliance.music.score import STYLES
from appliance.packs.dial_table import read_table
from train.cli import main
from train.corpus.chord_symbols import SongChord, WrittenChord
from train.data.chord_sequences import chord_arrays
from train.data.dial_statistics import spreads, statistics, written_chart
from train.data.song_cache import load_song


def tiny(folder: Path, chords: bool = True) -> Path:
    """Three songs, two of them for training, on one C major chord each."""
    roots = {"low": (48,), "high": (60,), "other": (72,)}
    cache = write_tiny_cache(folder / "cache", roots, {"low": "train", "high": "train", "other": "val"})
    if chords:
        for file in (cache / "songs").glob("*.npz"):
            with np.load(file) as arrays:
                np.savez(file, **arrays, **chord_arrays([SongChord(0.0, WrittenChord(0, "", 0))]))
    return cache


@pytest.mark.slow
def test_training_songs_are_measured_in_every_style(tmp_path: Path) -> None:
    cache = tiny(tmp_path)
    table = statistics(cache / "songs", tmp_path / "bars", workers=1)
    assert table.songs == 2 and set(table.styles) == set(STYLES)
    piano = table.styles["piano"]
    assert piano["density"].mean == -2.0 and piano["density"].sd == 0.0  # a stroke in a bar of four
    # Triads on C3 and on C4, whose mean pitch is the root and 11/3 semitones; the song's standard deviation
    # is half an octave.
    assert piano["register"].mean == pytest.approx(54 + 11 / 3, abs=1e-3)
    assert piano["register"].sd == pytest.approx(6.0, abs=1e-3)
    assert piano["register"].bar_sd == pytest.approx(6.0, abs=1e-3)
    assert piano["voices"].mean == 3.0
    assert piano["colour"].mean == 0.0
    assert piano["doubling"].mean == 0.0  # sung a quarter of a second after the stroke
    top, bottom = np.load(tmp_path / "bars" / "other.npy")[STYLES.index("piano"), DIALS.index("density")]
    assert bottom[1:].tolist() == [4.0] * BARS and top[1:].tolist() == [1.0] * BARS


def test_what_is_stored_is_not_measured_again(tmp_path: Path) -> None:
    cache, bars = tiny(tmp_path), tmp_path / "bars"
    before = statistics(cache / "songs", bars, workers=1)
    stored = np.load(bars / "low.npy")
    stored[:, DIALS.index("voices"), 0] *= 2.0
    np.save(bars / "low.npy", stored)
    after = statistics(cache / "songs", bars, workers=1)
    assert (before.styles["piano"]["voices"].mean, after.styles["piano"]["voices"].mean) == (3.0, 4.5)


def test_the_command_writes_the_table(tmp_path: Path) -> None:
    tiny(tmp_path)
    done = CliRunner().invoke(main, ["--runs", str(tmp_path), "dials", "--workers", "1"])
    assert done.exit_code == 0, done.output
    assert read_table(tmp_path / "dials.json").songs == 2
    assert "piano: density -2.00 ± 0.00" in done.output


def test_songs_without_chords_are_refused(tmp_path: Path) -> None:
    tiny(tmp_path, chords=False)
    done = CliRunner().invoke(main, ["--runs", str(tmp_path), "dials", "--workers", "1"])
    assert done.exit_code == 1
    assert "colour: it can be measured on none of the songs; build the songs again" in done.output


def test_without_songs_the_command_says_what_to_do(tmp_path: Path) -> None:
    done = CliRunner().invoke(main, ["--runs", str(tmp_path), "dials"])
    assert done.exit_code == 1 and "run `python -m train songs CORPUS` first" in done.output


def test_what_cannot_be_measured_does_not_count() -> None:
    song = np.array([[1.0] * len(DIALS), [3.0] * len(DIALS), [math.nan] * len(DIALS)])
    found = spreads(song, song[:2])["voices"]
    assert (found.mean, found.sd) == (2.0, 1.0)


def test_chords_lie_on_the_beats_of_the_song(tmp_path: Path) -> None:
    cache = tiny(tmp_path, chords=False)
    song = load_song(cache / "songs", "low", "train")
    chords = (
        SongChord(0.0, WrittenChord(9, "m", 0)),
        SongChord(4.0, None),
        SongChord(6.0, WrittenChord(2, "7", 2)),
    )
    held = type(song)(**{**{f: getattr(song, f) for f in song.__slots__}, "chords": chords})
    lines = BarLines.of(song.grid, song.duration_s)
    assert written_chart(held, lines) == [
        ChordSpan(0.0, 2.0, "Am/C"),
        ChordSpan(2.0, 3.0, "N"),
        ChordSpan(3.0, 2.0 * BARS, "D7"),
    ]
    assert written_chart(song, lines) == []
