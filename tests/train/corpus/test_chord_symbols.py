"""Chord symbols as numbers: spellings, reduction to the written qualities, chords of sounding pitches."""

from __future__ import annotations

import pytest

from appliance.music.chord_quality import tones_of
from train.corpus.chord_symbols import WRITTEN_QUALITIES, WrittenChord, chord_of_pitches, parse_symbol


@pytest.mark.parametrize(
    ("text", "root", "quality", "bass"),
    [
        ("Bb", 10, "", 10),
        ("F#m7b5/A", 6, "m7b5", 9),
        ("D+/C", 2, "aug", 0),
        ("A7#5", 9, "aug7", 9),
        ("G7b5", 7, "7", 7),
        ("D7#9", 2, "7", 2),
        ("B7b9", 11, "7b9", 11),
        ("Gbmaj7b5", 6, "maj7", 6),
        ("Bm7#5", 11, "m7", 11),
        ("C6/9", 0, "6", 0),
    ],
)
def test_symbols(text: str, root: int, quality: str, bass: int) -> None:
    assert parse_symbol(text) == WrittenChord(root, quality, bass)


def test_no_chord_and_no_symbol() -> None:
    assert parse_symbol("N.C.") is None
    with pytest.raises(ValueError, match="'Chorus' is not a chord symbol"):
        parse_symbol("Chorus")


AMBIGUOUS = ("6", "m6", "sus2", "dim7", "aug")


@pytest.mark.parametrize("quality", [q for q in WRITTEN_QUALITIES if q not in AMBIGUOUS])
def test_a_chord_in_root_position_is_found_again(quality: str) -> None:
    pitches = [43 + step for step in tones_of(quality)]
    assert chord_of_pitches(pitches) == WrittenChord(7, quality, 7)


def test_inversions_and_passing_notes() -> None:
    assert chord_of_pitches([52, 55, 60]) == WrittenChord(0, "", 4)
    assert chord_of_pitches([59, 62, 65, 67]) == WrittenChord(7, "7", 11)
    assert chord_of_pitches([48, 52, 55, 61]).root == 0
    with pytest.raises(ValueError, match="needs pitches"):
        chord_of_pitches([])
