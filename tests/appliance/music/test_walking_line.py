"""The walking line against rules of jazz bass, counted on progressions."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from appliance.music.chord_names import parse_chord
from appliance.music.keys import Key
from appliance.music.walking_line import HIGH, LOW, LineBeat, is_strong, walking_line

CHANGES = ("Dm7", "G7", "Cmaj7", "A7", "Dm7", "G7", "Em7", "A7", "Fmaj7", "Bm7b5", "Em7", "Am7")


def beats_of(names: tuple[str, ...], beats: int = 4, hints: dict[int, int] | None = None) -> list[LineBeat]:
    """One chord a bar."""
    result = []
    for name in names:
        chord = parse_chord(name)
        assert chord is not None
        for k in range(beats):
            hint = (hints or {}).get(len(result))
            tones = chord.pitch_classes
            strong = is_strong(k, beats)
            result.append(LineBeat(tones, chord.bass_pitch_class, strong, k == 0, k == 0, hint))
    return result


def test_strong_beats_have_chord_tones_and_changes_their_root() -> None:
    beats = beats_of(CHANGES)
    line = walking_line(beats, Key(0, "major"))
    for beat, pitch in zip(beats, line, strict=True):
        assert LOW <= pitch <= HIGH
        assert not beat.fresh or pitch % 12 == beat.bass
        assert not beat.strong or pitch % 12 in beat.tones


def test_the_line_moves_and_approaches() -> None:
    line = walking_line(beats_of(CHANGES), Key(0, "major"))
    steps = [b - a for a, b in pairwise(line)]
    assert all(step != 0 and abs(step) <= 8 for step in steps)
    assert np.mean([abs(step) <= 4 for step in steps]) > 0.6
    changes = [(line[4 * k - 1], line[4 * k]) for k in range(1, len(CHANGES))]
    near = [abs(b - a) <= 2 or (a - b) % 12 == 7 for a, b in changes]
    assert np.mean(near) >= 0.8


def test_notes_that_were_there_stay_where_they_keep_the_rules() -> None:
    plain = walking_line(beats_of(CHANGES), Key(0, "major"))
    hints = {1: 45, 6: 38, 4: 43 + 1}  # A over Dm7, D over G7, and a G sharp on the root of G7
    hinted = walking_line(beats_of(CHANGES, hints=hints), Key(0, "major"))
    assert hinted[1] == 45 and hinted[6] == 38
    assert hinted[4] % 12 == 7
    assert hinted != plain


def test_without_passing_notes_every_beat_has_a_chord_tone() -> None:
    beats = [
        LineBeat(b.tones, b.bass, b.strong, b.fresh, b.first, passing=False)
        for b in beats_of(CHANGES, beats=3)
    ]
    line = walking_line(beats, Key(0, "major"))
    assert all(pitch % 12 in beat.tones for beat, pitch in zip(beats, line, strict=True))


def test_where_the_harmony_is_free_the_line_keeps_to_the_scale() -> None:
    free = [LineBeat(frozenset(), 0, k % 2 == 0, False, k % 4 == 0) for k in range(16)]
    line = walking_line(free, Key(2, "major"))
    assert {pitch % 12 for pitch in line} <= {2, 4, 6, 7, 9, 11, 1}
    assert walking_line([], Key(0, "major")) == []
