"""The copy gate among made-up songs: copies are caught in any key, tempo and spacing, other music is not."""

from __future__ import annotations

import numpy as np
import pytest
from support.made_up_songs import made_up_notes, made_up_originals, made_up_songs, score_of

from appliance.music.score import BeatGrid, Score
from appliance.novelty.copy_gate import originality
from train.data.planted_copies import EMBEDDED, Notes, planted

SONGS = 20


@pytest.fixture(scope="module")
def others() -> list[Notes]:
    random = np.random.default_rng(99)
    return [made_up_notes(random) for _ in range(10)]


def test_every_planted_copy_is_caught_and_its_song_named(others: list[Notes]) -> None:
    songs, originals = made_up_songs(SONGS), made_up_originals(SONGS)
    copies = list(planted([song.notes for song in songs], others, count=8, seed=3))
    assert len(copies) == 5 * 8
    for kind, notes in copies:
        found = originality(originals, *score_of(notes, beat_s=0.4))
        assert found.copied, kind
        if kind == EMBEDDED:
            assert found.bars == 2
            first, last = found.span_s
            assert 0.0 <= first < last <= first + 2 * 4 * 0.4


def test_other_music_is_no_copy(others: list[Notes]) -> None:
    originals = made_up_originals(SONGS)
    for notes in others:
        found = originality(originals, *score_of(notes))
        assert not found.copied and found.nearness < 0.9


def test_a_copy_in_one_part_of_a_band_is_found(others: list[Notes]) -> None:
    originals, copied = made_up_originals(SONGS), made_up_songs(SONGS)[4].notes
    keys, grid = score_of(copied)
    pad, _ = score_of(others[0], group="pad")
    together = Score.of([*keys.notes, *pad.notes], keys.duration_s)
    found = originality(originals, together, grid)
    assert found.copied and found.song == "song4" and "song4" in found.sentence


def test_a_copy_is_found_without_beats() -> None:
    score, _ = score_of(made_up_songs(SONGS)[7].notes)
    assert originality(made_up_originals(SONGS), score, BeatGrid()).song == "song7"


def test_the_receipt_says_what_was_withheld(others: list[Notes]) -> None:
    originals = made_up_originals(SONGS)
    copy = originality(originals, *score_of(made_up_songs(SONGS)[2].notes))
    fine = originality(originals, *score_of(others[0]))
    told = fine.to_json(copy)
    assert told["copy"] is False and told["withheld"]["copy"] is True
    assert told["withheld"]["nearest"] == "song2" and told["withheld"]["nearness"] > 1.0
    assert copy.to_json(None)["withheld"] is None


def test_silence_is_no_copy() -> None:
    assert not originality(made_up_originals(2), Score.of([], 8.0), BeatGrid()).copied
