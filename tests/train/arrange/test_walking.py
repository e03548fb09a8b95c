"""The jazz bass of the arrangements walks; counted here, not with the project's own measure."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from support.tiny_song import tiny_song

from appliance.music.score import Score
from train.arrange import arrange, read_chords
from train.arrange.grid import read_grid
from train.corpus.song import Song

CADENCE = [[48, 64, 67, 72], [45, 64, 69, 72], [50, 65, 69, 74], [43, 65, 71, 74]] * 4


def test_real_songs_have_a_note_a_beat_and_chord_tones_on_strong_beats(
    songs: list[Song], scores: dict[str, list[Score]]
) -> None:
    beats = played = strong = inside = 0
    for song, score in zip(songs, scores["jazz"], strict=True):
        bass, chords = score.only("bass").notes, read_chords(song)
        for bar in read_grid(song).bars[:-1]:
            for k, time_s in enumerate(bar.pulses_s[:-1]):
                here = [n for n in bass if abs(n.start_s - time_s) < 0.02]
                beats, played = beats + 1, played + bool(here)
                if here and (k == 0 or 2 * k == bar.pulses >= 4):
                    chord = next(c for c in chords if c.start_s - 0.02 <= time_s < c.end_s - 0.02)
                    strong += 1
                    inside += here[0].pitch % 12 in (*chord.pitch_classes, chord.bass)
    assert played > 0.9 * beats
    assert inside > 0.98 * strong


def test_the_line_stays_on_a_double_bass_and_moves_mostly_by_step() -> None:
    for seed in range(4):
        line = [n.pitch for n in arrange(tiny_song(CADENCE), "jazz", seed).only("bass").notes]
        assert len(line) > 55
        assert min(line) >= 28 and max(line) <= 55
        steps = [abs(b - a) for a, b in pairwise(line)]
        assert np.mean([step <= 4 for step in steps]) > 0.6


def test_changes_are_approached() -> None:
    near = total = 0
    for seed in range(4):
        bass = arrange(tiny_song(CADENCE), "jazz", seed).only("bass").notes
        for a, b in pairwise(bass):
            if abs(b.start_s / 2.4 - round(b.start_s / 2.4)) < 1e-3 and b.start_s > 0:
                total += 1
                near += abs(b.pitch - a.pitch) in (1, 2) or (a.pitch - b.pitch) % 12 == 7
    assert total >= 56
    assert near > 0.8 * total
