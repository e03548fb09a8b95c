"""Chords read from tiny scores written by hand."""

from __future__ import annotations

from itertools import pairwise

import pytest
from support.tiny_song import BEAT_S, tiny_song

from appliance.music.keys import Key
from appliance.music.score import Note
from train.arrange import read_chords
from train.corpus.song import Song


def named(song: Song) -> list[tuple[int, str, int]]:
    return [(chord.root, chord.quality, chord.bass) for chord in read_chords(song)]


@pytest.mark.parametrize("tonic", [0, 2, 3, 6, 9, 11])
def test_cadence_is_read_in_any_key(tonic: int) -> None:
    cadence = [[48, 64, 67, 72], [53, 65, 69, 72], [43, 62, 67, 71, 77], [48, 64, 67, 72]]
    song = tiny_song([[p + tonic for p in chord] for chord in cadence], key=Key(tonic, "major"))
    expected = [(0, "maj"), (5, "maj"), (7, "7"), (0, "maj")]
    assert named(song) == [((r + tonic) % 12, q, (r + tonic) % 12) for r, q in expected]


def test_inversions_and_qualities_are_read() -> None:
    chords = [
        [52, 60, 67, 72],  # C/E
        [45, 60, 64, 69],  # Am
        [50, 60, 65, 69],  # Dm7
        [47, 62, 65, 69],  # Bm7b5
        [52, 62, 68, 71],  # E7
        [45, 60, 64, 69],  # Am
        [50, 67, 69, 74],  # Dsus4
        [43, 59, 62, 67],  # G
    ]
    assert named(tiny_song(chords)) == [
        (0, "maj", 4),
        (9, "min", 9),
        (2, "m7", 2),
        (11, "hdim", 11),
        (4, "7", 4),
        (9, "min", 9),
        (2, "sus4", 2),
        (7, "maj", 7),
    ]


def test_broken_chord_with_passing_notes_is_one_chord() -> None:
    song = tiny_song([[48], [43], [48]])
    figure = [60, 64, 67, 65, 64, 62, 60, 64]
    eighth_s = BEAT_S / 2
    written = list(song.written)
    for bar, transposition in enumerate((0, 7, 0)):
        for k, pitch in enumerate(figure):
            start_s = bar * 4 * BEAT_S + k * eighth_s
            written.append(Note(start_s, start_s + eighth_s, pitch + transposition, 80, "keys"))
    broken = Song(
        **{name: getattr(song, name) for name in Song.__slots__} | {"written": tuple(sorted(written))}
    )
    assert named(broken) == [(0, "maj", 0), (7, "maj", 7), (0, "maj", 0)]


def test_chords_touch_and_cover_the_song_even_where_nothing_is_written() -> None:
    song = tiny_song([[], [48, 64, 67], [], [43, 59, 62], []])
    chords = read_chords(song)
    assert chords[0].start_s == 0.0
    assert chords[-1].end_s == pytest.approx(song.duration_s)
    assert all(a.end_s == b.start_s for a, b in pairwise(chords))
    assert [c.root for c in chords] == [0, 7]
