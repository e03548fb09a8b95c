"""Chords of what is played, read as the written ones are."""

from __future__ import annotations

import math

import pytest
from support.tiny_song import BEAT_S, tiny_song

from appliance.music.score import Note
from train.arrange.chord import Chord
from train.evaluate.measures.played_chords import chords_played, clipped, ends_on_tonic, share_of_sevenths

C, F, G7 = (48, 64, 67, 72), (53, 65, 69, 72), (43, 62, 65, 71)
BAR_S = 4 * BEAT_S


def names(chords: list[Chord]) -> list[tuple[int, str]]:
    return [(chord.root, chord.quality) for chord in chords]


def test_playing_the_written_part_gives_the_written_chords() -> None:
    song = tiny_song([C, F, G7, C], sung=[(0.0, BEAT_S, 72)])
    written = clipped(song, BAR_S, 4 * BAR_S)
    assert names(written) == [(5, "maj"), (7, "7"), (0, "maj")]
    moved = [
        Note(n.start_s - BAR_S, n.end_s - BAR_S, n.pitch, 60, "pads")
        for n in song.written
        if n.start_s >= BAR_S - 1e-9
    ]
    assert chords_played(song, moved, BAR_S, 4 * BAR_S) == pytest.approx(written)
    assert chords_played(song, [], 0.0, BAR_S) == []


def test_what_is_played_counts_and_not_what_is_written() -> None:
    song, other = tiny_song([C, F, G7, C]), tiny_song([C, G7, C, G7])
    played = chords_played(song, other.written, 0.0, 4 * BAR_S)
    assert names(played) == [(0, "maj"), (7, "7"), (0, "maj"), (7, "7")]
    assert share_of_sevenths(played) == 0.5 and share_of_sevenths(clipped(song, 0.0, 4 * BAR_S)) == 0.25
    assert not ends_on_tonic(played, song) and ends_on_tonic(clipped(song, 0.0, 4 * BAR_S), song)
    assert math.isnan(share_of_sevenths([])) and not ends_on_tonic([], song)
