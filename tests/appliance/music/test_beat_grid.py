"""Beat grids: phases of beats and bars as closed forms, and notes that snap to the grid."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from appliance.grid import FRAME_RATE_HZ
from appliance.music.beat_grid import SNAP_LIMIT_S, TRUSTED, phases, snap
from appliance.music.score import BeatGrid, Note, Score


def steady(
    bpm: float, first_s: float, duration_s: float, meter: int = 4, confidence: float = 1.0
) -> BeatGrid:
    beats = np.arange(first_s, duration_s, 60 / bpm)
    return BeatGrid(tuple(beats.tolist()), tuple(range(0, len(beats), meter)), confidence, meter)


def test_phases_of_a_steady_song_are_a_closed_form() -> None:
    grid = steady(97.0, 0.31, 30.0, meter=3)
    rows = phases(grid, 800, FRAME_RATE_HZ)  # 37 s: extends beyond the first and the last beat
    beat = ((np.arange(800) + 0.5) / FRAME_RATE_HZ - 0.31) * 97 / 60
    expected = [np.sin(2 * np.pi * beat), np.cos(2 * np.pi * beat)]
    expected += [np.sin(2 * np.pi * beat / 3), np.cos(2 * np.pi * beat / 3), np.ones(800)]
    assert rows.dtype == np.float32
    np.testing.assert_allclose(rows, expected, atol=1e-5)


def test_phases_follow_bars_of_changing_length() -> None:
    grid = BeatGrid((0.0, 1.0, 2.0, 3.0, 5.0, 7.0), (0, 3), 1.0, 3)
    rows = phases(grid, 16, 2.0)  # centres at 0.25, 0.75, ...
    bar = np.arctan2(rows[2], rows[3]) / (2 * np.pi) % 1
    beat = np.arctan2(rows[0], rows[1]) / (2 * np.pi) % 1
    np.testing.assert_allclose(beat[[0, 5, 6, 12]], [0.25, 0.75, 0.125, 0.625], atol=1e-6)
    np.testing.assert_allclose(bar[[0, 5, 6, 12]], [0.25 / 3, 2.75 / 3, 0.125 / 3, 1.625 / 3], atol=1e-6)


def test_phases_of_an_unknown_grid_are_zero() -> None:
    assert not phases(BeatGrid(), 9).any()
    assert not phases(BeatGrid((1.0,), (0,), 1.0), 9).any()
    assert not phases(steady(100, 0, 9, confidence=TRUSTED - 0.01), 9).any()
    assert phases(steady(100, 0, 9, confidence=TRUSTED), 9)[4].all()
    assert not phases(BeatGrid((0.0, 0.5, 1.0), (), 1.0), 9)[2:4].any()


@pytest.mark.parametrize("n_frames", [0, 1])
def test_phases_of_hardly_any_frames(n_frames: int) -> None:
    assert phases(steady(100, 0, 9), n_frames).shape == (5, n_frames)


GRID = steady(120.0, 0.0, 10.0)


def score_at(*starts_s: float, pitch: int = 60) -> Score:
    return Score.of((Note(t, t + 0.2, pitch + i % 5, 80, "keys") for i, t in enumerate(starts_s)), 10.0)


def starts(score: Score) -> list[float]:
    return [n.start_s for n in score.notes]


def test_sloppy_sixteenths_land_on_sixteenths_and_keep_their_length() -> None:
    true = np.arange(0.5, 8, 0.125)
    sloppy = true + np.random.default_rng(0).normal(0, 0.012, len(true))
    snapped = snap(score_at(*sloppy.tolist()), GRID)
    np.testing.assert_allclose(starts(snapped), true, atol=1e-9)
    assert [n.end_s - n.start_s for n in snapped.notes] == pytest.approx([0.2] * len(true))


def test_a_song_in_triplets_lands_on_triplets() -> None:
    true = np.arange(0.5, 8, 0.5 / 3)
    sloppy = true + np.random.default_rng(1).normal(0, 0.012, len(true))
    np.testing.assert_allclose(starts(snap(score_at(*sloppy.tolist()), GRID)), true, atol=1e-9)


def test_one_beat_of_triplets_among_sixteenths_keeps_its_own() -> None:
    true = np.concatenate([np.arange(0.5, 4, 0.125), 4 + np.arange(3) / 6, np.arange(4.5, 8, 0.125)])
    nearly = true + np.random.default_rng(2).normal(0, 0.004, len(true))
    np.testing.assert_allclose(starts(snap(score_at(*nearly.tolist()), GRID)), true, atol=1e-9)


def test_subdivisions_can_be_limited() -> None:
    assert starts(snap(score_at(1.02, 1.45, 2.22), GRID, subdivisions=(2,))) == pytest.approx(
        [1.0, 1.5, 2.25]
    )
    with pytest.raises(ValueError, match="1 or more"):
        snap(score_at(1.0), GRID, subdivisions=(0,))


def test_far_notes_stay() -> None:
    slow = steady(40.0, 0.0, 10.0)
    moved = snap(score_at(1.5, 3.0, 4.5, 6.0, 7.5 + SNAP_LIMIT_S + 0.001), slow, subdivisions=(1,))
    assert starts(moved)[-1] == 7.5 + SNAP_LIMIT_S + 0.001
    near = snap(score_at(1.5, 3.0, 4.5, 6.0, 7.5 + SNAP_LIMIT_S - 0.001), slow, subdivisions=(1,))
    assert starts(near)[-1] == pytest.approx(7.5)


def test_notes_that_meet_become_one_and_others_do_not_overlap() -> None:
    bass, keys = Note(0.98, 1.2, 40, 70, "bass"), Note(0.98, 1.2, 40, 70, "keys")
    louder = replace(bass, start_s=1.03, end_s=1.6, velocity=99)
    following = Note(1.61, 1.8, 40, 70, "bass")
    snapped = snap(Score.of([bass, louder, keys, following], 10.0), GRID, subdivisions=(2,))
    assert sorted((n.group, n.start_s, n.velocity) for n in snapped.notes) == [
        ("bass", 1.0, 99),
        ("bass", 1.61, 70),
        ("keys", 1.0, 70),
    ]
    assert snapped.only("bass").notes[0].end_s == pytest.approx(1.57)


def test_a_note_that_would_run_into_the_next_ends_there() -> None:
    pair = [Note(0.95, 1.47, 40, 70, "bass"), Note(1.47, 1.9, 40, 70, "bass")]
    first, second = snap(Score.of(pair, 10.0), steady(120.0, -0.01, 10.0), subdivisions=(2,)).notes
    assert first.start_s == pytest.approx(0.99)
    assert first.end_s == second.start_s == pytest.approx(1.49)


def test_without_trusted_beats_nothing_moves() -> None:
    score = score_at(0.51, 0.77)
    assert snap(score, BeatGrid()) is score
    assert snap(score, replace(GRID, confidence=TRUSTED - 0.01)) is score
    assert snap(Score((), 10.0), GRID) == Score((), 10.0)
