"""The song cache: lead sheets, chords, reasons for songs left out, older caches, several corpora."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from support.small_corpus import small_corpus
from support.tiny_cache import write_tiny_cache

from appliance.music.score import STYLES
from train.commands.data import sung_sources
from train.corpus.chord_symbols import SongChord, WrittenChord
from train.corpus.ledger import LedgerError
from train.data import song_cache
from train.data.chord_sequences import beat_chords

pytest.importorskip("music21")

ABC = "X:1\nT:Test\nM:4/4\nL:1/4\nK:C\n"
TUNE = '"C" c e g e | "F" f a c\' a | "G7" g b d\' b | "C" c\' g e c |\n' * 2


def lead_sheet(folder: Path, body: str = TUNE, name: str = "song", **changes: str) -> Path:
    settings = {"id": name, "voice_part": "melody", "role": "leadsheet"} | changes
    small_corpus(folder, f"{name}.abc", (ABC + body).encode(), **settings)
    return folder


@pytest.mark.slow
def test_a_lead_sheet_is_arranged_and_keeps_its_symbols(tmp_path: Path) -> None:
    corpus = lead_sheet(tmp_path / "corpus")
    cache = tmp_path / "cache"
    assert song_cache.build(sung_sources([corpus]), cache, workers=1) == {}
    (song,) = song_cache.load_split(cache, "train")
    assert song.role == "leadsheet"
    assert song.chords_are_symbols
    assert [(c.beat, c.chord and c.chord.quality) for c in song.chords[:3]] == [(0, ""), (4, ""), (8, "7")]
    assert all(len(song.scores[style]) > 8 for style in STYLES)
    assert song.plan[:12].max() > 0.5
    assert "leadsheet: 1 songs" in song_cache.summary(cache)[0]
    stored = (cache / "song.npz").stat().st_mtime_ns
    song_cache.build(sung_sources([corpus]), cache, workers=1)
    assert (cache / "song.npz").stat().st_mtime_ns == stored  # of this version: kept


@pytest.mark.slow
def test_songs_that_cannot_be_used_are_left_out_with_the_reason(tmp_path: Path) -> None:
    short = lead_sheet(tmp_path / "short", '"C" c d | e f | g g | c2 |\n', "short")
    broken = tmp_path / "broken"
    small_corpus(broken, "broken.mxl", b"PK", id="broken", voice_part="P1")
    cache = tmp_path / "cache"
    left_out = song_cache.build(sung_sources([short, broken]), cache, workers=1)
    assert left_out["short"] == "shorter than 10 s"
    assert left_out["broken"].startswith("broken.mxl: not a MusicXML archive (")
    index = json.loads((cache / "index.json").read_text())
    assert index["songs"] == {}
    assert index["left_out"] == left_out


@pytest.mark.slow
def test_an_older_cache_is_loaded_and_read_again(tmp_path: Path) -> None:
    cache = write_tiny_cache(tmp_path / "tiny", {"song": (60,)}, {"song": "train"}) / "songs"
    (old,) = song_cache.load_split(cache, "train")
    assert (old.chords, old.chords_are_symbols, old.role) == ((), False, "")
    song_cache.build(sung_sources([lead_sheet(tmp_path / "corpus")]), cache, workers=1)
    (new,) = song_cache.load_split(cache, "train")
    assert new.role == "leadsheet"
    assert new.chords


def test_one_id_in_two_corpora_is_refused(tmp_path: Path) -> None:
    first, second = lead_sheet(tmp_path / "one"), lead_sheet(tmp_path / "two")
    with pytest.raises(LedgerError, match=r"song: in .*one and in .*two; name each corpus once"):
        sung_sources([first, second])


def test_rows_without_a_voice_are_no_songs(tmp_path: Path) -> None:
    assert sung_sources([lead_sheet(tmp_path / "drums", role="drums")]) == []


def test_chords_by_beat() -> None:
    c, g = WrittenChord(0, "", 0), WrittenChord(7, "7", 11)
    chords = [SongChord(1.0, c), SongChord(2.5, g), SongChord(4.0, None)]
    rows = beat_chords(chords, 6)
    assert rows[:, 0].tolist() == [0, 0, 0, 7, -1, -1]
    assert rows[:, 2].tolist() == [0, 0, 0, 11, -1, -1]
    assert rows.dtype == np.int16
