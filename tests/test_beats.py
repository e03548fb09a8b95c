"""Beats against songs whose beats are known."""

from __future__ import annotations

import numpy as np
import pytest

from appliance.beats import TRUSTED, phases
from appliance.score import FRAME_RATE_HZ, BeatGrid


def steady(
    bpm: float, first_s: float, duration_s: float, meter: int = 4, confidence: float = 1.0
) -> BeatGrid:
    beats = np.arange(first_s, duration_s, 60 / bpm)
    return BeatGrid(tuple(beats.tolist()), tuple(range(0, len(beats), meter)), confidence, meter)


def test_phases_of_a_steady_song_are_a_closed_form() -> None:
    grid = steady(97.0, 0.31, 30.0, meter=3)
    rows = phases(grid, 800, FRAME_RATE_HZ)  # 37 s: goes on past the last beat and before the first
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
