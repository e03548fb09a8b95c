"""Onsets: what stays the same in another key, tempo and spacing, and what does not."""

from __future__ import annotations

import numpy as np
import pytest
from support.made_up_songs import made_up_notes, score_of

from appliance.music.beat_grid import snap
from appliance.music.score import BeatGrid, Note, Score
from appliance.novelty.onsets import TRANSPOSED, Ints, figures, onsets_at, onsets_of, turned


def some(seed: int) -> tuple[np.ndarray, Ints]:
    notes = made_up_notes(np.random.default_rng(seed), bars=6)
    return notes.beats, notes.pitches


def test_notes_by_hand() -> None:
    # C major, then A alone after a beat, then F and C after half a beat, then G after two beats.
    beats = np.array([0.0, 0.0, 0.0, 1.0, 1.5, 1.5, 3.5])
    found = onsets_at(beats, np.array([48, 52, 55, 57, 53, 60, 43]))
    assert found.pitch_classes.tolist() == [1 + 16 + 128, 512, 32 + 1, 128]
    assert found.paces.tolist() == [
        0,
        0,
        8 - 2,
        8 + 4,
    ]  # half the gap before: two steps down; four times: four up
    assert found.lowest.tolist() == [48, 57, 53, 43]
    assert (found.spacings >> 8).tolist() == [128, 128 + 9, 128 - 4, 128 - 10]
    assert found.beats.tolist() == [0.0, 1.0, 1.5, 3.5]


@pytest.mark.parametrize("semitones", range(12))
def test_sets_are_transposed_like_their_notes(semitones: int) -> None:
    for notes in ([0, 4, 7], [11], [2, 3, 9, 10]):
        moved = sum(1 << (note + semitones) % 12 for note in notes)
        assert TRANSPOSED[semitones, sum(1 << note for note in notes)] == moved


@pytest.mark.parametrize("semitones", [-7, 1, 6, 12])
def test_another_key_keeps_figures_and_spacings(semitones: int) -> None:
    beats, pitches = some(1)
    here, there = onsets_at(beats, pitches), onsets_at(beats, pitches + semitones)
    numbers, turned_by = figures(here.pitch_classes, here.paces)
    moved, moved_by = figures(there.pitch_classes, there.paces)
    assert numbers.tolist() == moved.tolist() and here.spacings.tolist() == there.spacings.tolist()
    assert set(((turned_by - moved_by) % 12).tolist()) == {semitones % 12}


@pytest.mark.parametrize("factor", [0.5, 0.75, 1.5, 3.0])
def test_another_tempo_keeps_the_paces(factor: float) -> None:
    beats, pitches = some(2)
    assert onsets_at(beats * factor, pitches).paces.tolist() == onsets_at(beats, pitches).paces.tolist()


def test_another_spacing_keeps_the_pitch_classes_alone() -> None:
    beats, pitches = some(3)
    moved = onsets_at(beats, pitches + 12 * np.random.default_rng(0).integers(-1, 2, len(pitches)))
    here = onsets_at(beats, pitches)
    assert moved.pitch_classes.tolist() == here.pitch_classes.tolist()
    assert (moved.spacings != here.spacings).mean() > 0.8


def test_turned_chords_are_the_smallest_of_twelve() -> None:
    chords = np.array([145, 512, 2730])
    numbers, semitones = turned(chords, chords[::-1].copy())
    for k in range(3):
        twelve = [
            int(TRANSPOSED[up, chords[k]]) * 4096 + int(TRANSPOSED[up, chords[2 - k]]) for up in range(12)
        ]
        assert numbers[k] == min(twelve) == twelve[semitones[k]]


def test_a_player_s_touch_and_drums_do_not_count() -> None:
    notes = made_up_notes(np.random.default_rng(4), bars=6)
    score, grid = score_of(notes)
    random = np.random.default_rng(5)
    touched = [
        Note(max(0.0, n.start_s + random.normal(0.0, 0.006)), n.end_s + 0.05, n.pitch, 60, n.group)
        for n in score.notes
    ]
    drums = [Note(0.1 * k, 0.1 * k + 0.05, 42, 90, "drums") for k in range(40)]
    found = onsets_of(snap(Score.of([*touched, *drums], score.duration_s), grid), grid)
    assert found.pitch_classes.tolist() == notes.onsets().pitch_classes.tolist()
    assert found.paces.tolist() == notes.onsets().paces.tolist()


def test_nothing_has_no_onsets() -> None:
    assert len(onsets_of(Score.of([], 4.0), BeatGrid())) == 0
    assert len(onsets_at(np.array([1.0]), np.array([60]))) == 1
