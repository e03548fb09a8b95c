"""A score drawn as a roll reads back as the same score."""

from __future__ import annotations

import numpy as np
import pytest

from appliance.grid import FRAME_RATE_HZ
from appliance.music.note_rows import note_rows, score_of
from appliance.music.roll import ONSET, SUSTAIN, Roll, RollReader, Thresholds, draw_roll, notes_of, roll_of
from appliance.music.score import DRUM_GROUP, DRUM_KEYS, GROUPS, LOWEST_PITCH, Note, Score


def random_score(seed: int, duration_s: float = 12.0) -> Score:
    """Notes in every group, those of one pitch at least three frames apart, so that none hides another."""
    rng = np.random.default_rng(seed)
    notes = []
    for group in GROUPS:
        for pitch in rng.choice(np.arange(30, 100), 12, replace=False):
            start = float(rng.uniform(0, 1))
            while start < duration_s - 1.5:
                length = float(rng.uniform(0.06, 1.2))
                notes.append(Note(start, start + length, int(pitch), int(rng.integers(1, 128)), group))
                start += length + float(rng.uniform(3.0, 30.0)) / FRAME_RATE_HZ
    for key in DRUM_KEYS:
        for start in np.arange(0.3, duration_s - 1, 0.7) + rng.uniform(0, 0.2):
            notes.append(Note(float(start), float(start) + 0.1, key, int(rng.integers(1, 128)), DRUM_GROUP))
    return Score.of(notes, duration_s)


@pytest.mark.parametrize("seed", range(3))
def test_a_drawn_score_reads_back(seed: int) -> None:
    score = random_score(seed)
    again = notes_of(roll_of(score), score.duration_s)
    assert len(again.notes) == len(score.notes)
    key = lambda n: (n.group, n.pitch, n.start_s)  # noqa: E731
    for a, b in zip(sorted(score.notes, key=key), sorted(again.notes, key=key), strict=True):
        assert (a.group, a.pitch, a.velocity) == (b.group, b.pitch, b.velocity)
        assert b.start_s == pytest.approx(a.start_s, abs=1e-4)
        assert b.end_s == pytest.approx(a.end_s, abs=0.6 / FRAME_RATE_HZ)


@pytest.mark.parametrize("first", [0, 7, 100, 240])
def test_a_window_is_a_part_of_the_whole(first: int) -> None:
    score = random_score(2)
    whole, part = roll_of(score), draw_roll(note_rows(score), first, 40)
    width = min(40, whole.frames - first)
    assert np.array_equal(part.drums[..., :width], whole.drums[..., first : first + width])
    assert np.array_equal(part.pitched[..., :width], whole.pitched[..., first : first + width])


def test_of_two_onsets_in_a_frame_the_first_stays() -> None:
    frame_s = 1 / FRAME_RATE_HZ
    notes = [
        Note(3.1 * frame_s, 5 * frame_s, 60, 40, "keys"),
        Note(3.6 * frame_s, 9 * frame_s, 60, 90, "keys"),
    ]
    roll = roll_of(Score.of(notes, 1.0))
    assert roll.pitched[0, ONSET, 60 - LOWEST_PITCH].sum() == 1
    assert roll.pitched[0, SUSTAIN, 60 - LOWEST_PITCH].nonzero()[0].tolist() == [3, 4]


def test_notes_outside_the_compass_are_left_out() -> None:
    notes = np.array([(0.1, 0.5, pitch, 80, 0) for pitch in (LOWEST_PITCH - 1, 60, 109)], np.float32)
    assert draw_roll(notes, 0, 8).pitched[:, ONSET].sum() == 1


def test_note_rows_are_the_notes() -> None:
    score = random_score(3)
    assert score_of(note_rows(score), score.duration_s) == score
    assert note_rows(Score((), 1.0)).shape == (0, 5)


def test_reading_in_parts_is_reading_at_once() -> None:
    score = random_score(5)
    roll = roll_of(score)
    reader = RollReader()
    for first in range(0, roll.frames, 17):
        part = slice(first, first + 17)
        reader.add(Roll(roll.pitched[..., part], roll.drums[..., part]))
    assert reader.score(score.duration_s) == notes_of(roll, score.duration_s)


def test_stacked_rows_keep_their_place() -> None:
    roll = roll_of(random_score(1))
    again = Roll.unstacked(roll.stacked())
    assert np.array_equal(again.pitched, roll.pitched)
    assert np.array_equal(again.drums, roll.drums)


def painted(onsets: dict[int, float], sustain: range) -> Roll:
    roll = roll_of(Score((), 2.0))
    for frame, value in onsets.items():
        roll.pitched[0, ONSET, 40, frame] = value
    roll.pitched[0, SUSTAIN, 40, list(sustain)] = 1.0
    return roll


def test_an_onset_painted_across_a_frame_border_is_one_note() -> None:
    notes = notes_of(painted({10: 0.62, 11: 0.58}, range(10, 20)), 2.0).notes
    assert [n.pitch for n in notes] == [40 + LOWEST_PITCH]
    assert notes[0].start_s == pytest.approx(10 / FRAME_RATE_HZ)
    assert notes[0].end_s == pytest.approx(20 / FRAME_RATE_HZ)


def test_two_clear_onsets_are_a_repetition() -> None:
    notes = notes_of(painted({10: 0.95, 11: 0.95}, range(10, 20)), 2.0).notes
    assert len(notes) == 2
    assert notes[0].end_s == pytest.approx(notes[1].start_s)


def test_an_onset_that_does_not_sound_is_no_note() -> None:
    assert not notes_of(painted({10: 0.9}, range(0)), 2.0).notes


def test_thresholds_decide() -> None:
    roll = painted({10: 0.4}, range(10, 20))
    assert not notes_of(roll, 2.0).notes
    assert len(notes_of(roll, 2.0, Thresholds(onset=0.3)).notes) == 1


def test_notes_end_with_the_song() -> None:
    score = Score.of([Note(0.5, 9.0, 60, 90, "keys")], 1.3)
    assert notes_of(roll_of(score), 1.3).notes[0].end_s == 1.3
