"""The notes of a melody from its features."""

from __future__ import annotations

import numpy as np
import pytest

from appliance.grid import FRAME_RATE_HZ
from appliance.vocal.features import FEATURE_ROWS, ONSET, PITCH, VOICED
from appliance.vocal.sung_notes import sung_notes


def features(*notes: tuple[int, int, int], onsets: tuple[int, ...] = (), frames: int = 40) -> np.ndarray:
    rows = np.zeros((FEATURE_ROWS, frames), np.float32)
    for first, last, pitch in notes:
        rows[PITCH.start + pitch - 36, first:last] = rows[VOICED, first:last] = 1.0
    rows[ONSET.start, list(onsets)] = 1.0
    return rows


def in_frames(found: np.ndarray) -> list[tuple[int, int, int]]:
    return [(round(a * FRAME_RATE_HZ), round(b * FRAME_RATE_HZ), int(p)) for a, b, p in found]


def test_a_note_ends_with_its_pitch_or_in_silence() -> None:
    notes = ((2, 10, 60), (10, 20, 64), (25, 30, 64))
    assert in_frames(sung_notes(features(*notes))) == list(notes)


def test_a_new_syllable_begins_a_note_on_the_same_pitch() -> None:
    assert in_frames(sung_notes(features((0, 20, 60), onsets=(0, 11)))) == [(0, 11, 60), (11, 20, 60)]
    held = features((0, 20, 60), onsets=(11, 12))
    assert in_frames(sung_notes(held)) == [(0, 11, 60), (11, 20, 60)]


def test_glides_are_no_notes() -> None:
    assert in_frames(sung_notes(features((0, 9, 60), (9, 10, 61), (10, 20, 62)))) == [
        (0, 9, 60),
        (10, 20, 62),
    ]


def test_silence_has_no_notes() -> None:
    assert sung_notes(features()).shape == (0, 3)


def test_pitch_between_semitones_is_the_nearer_one() -> None:
    rows = np.zeros((FEATURE_ROWS, 10), np.float32)
    rows[VOICED] = 1.0
    rows[PITCH.start + 24], rows[PITCH.start + 25] = 0.7, 0.3
    assert sung_notes(rows)[:, 2] == pytest.approx([60.0])
