"""Keys and charts in another key, against names written by hand."""

from __future__ import annotations

import pytest

from appliance.music.chord_chart import ChordSpan
from appliance.music.chord_names import parse_chord
from appliance.music.keys import Key
from appliance.music.transposition import transposed_chart


@pytest.mark.parametrize(
    ("key", "semitones", "expected"),
    [("C", -2, "Bb major"), ("A minor", 3, "C minor"), ("F#", 1, "G major"), ("Eb", 12, "Eb major")],
)
def test_keys_move(key: str, semitones: int, expected: str) -> None:
    assert Key.parse(key).transposed(semitones).name == expected


@pytest.mark.parametrize(
    ("key", "semitones", "labels", "expected"),
    [
        ("C", -2, ["C", "Am7", "G7/B", "N", "F"], ["Bb", "Gm7", "F7/A", "N", "Eb"]),
        ("A minor", 2, ["Am", "E7/G#", "Bm7b5"], ["Bm", "F#7/A#", "C#m7b5"]),
        ("Gb", 12, ["Gb", "Cb/Eb"], ["Gb", "Cb/Eb"]),
    ],
)
def test_chords_move_and_are_spelled_as_usual_there(
    key: str, semitones: int, labels: list[str], expected: list[str]
) -> None:
    chart = [ChordSpan(float(k), k + 1.0, label) for k, label in enumerate(labels)]
    moved = transposed_chart(chart, Key.parse(key), semitones)
    assert [span.label for span in moved] == expected
    assert [(span.start_s, span.end_s) for span in moved] == [(s.start_s, s.end_s) for s in chart]


@pytest.mark.parametrize("semitones", range(-12, 13))
def test_every_chord_moves_by_the_same_interval(semitones: int) -> None:
    chart = [ChordSpan(0.0, 1.0, f"{root}m7/{root}") for root in ("C", "Db", "D", "F#", "Ab", "B")]
    moved = transposed_chart(chart, Key.parse("D"), semitones)
    for before, after in zip(chart, moved, strict=True):
        old, new = parse_chord(before.label), parse_chord(after.label)
        assert old and new
        assert new.pitch_classes == {(pitch + semitones) % 12 for pitch in old.pitch_classes}
