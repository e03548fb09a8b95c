"""Beats: a grid from a network's activations, the grid as network input, notes moved onto it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from appliance.score import FRAME_RATE_HZ, BeatGrid

TRUSTED = 0.5
"""Confidence below which :func:`phases` and :func:`snap` treat a grid as unknown."""


def trusted(grid: BeatGrid) -> bool:
    """Whether ``grid`` has beats and they are more likely right than wrong (:data:`TRUSTED`)."""
    return len(grid.beats_s) > 1 and grid.confidence >= TRUSTED


def phases(grid: BeatGrid, n_frames: int, frame_rate_hz: float = FRAME_RATE_HZ) -> NDArray[np.float32]:
    """Where in the beat and in the bar each frame's centre lies: (5, T), T = ``n_frames``.

    Rows: sine and cosine of the beat phase, sine and cosine of the bar phase (0 on the first beat and
    running evenly over the bar's beats), 1. All zero where :func:`trusted` says no; the bar rows are
    zero for a grid without downbeats. Beyond the first and last beat the nearest tempo and meter go on.
    """
    rows = np.zeros((5, n_frames), dtype=np.float32)
    if not trusted(grid):
        return rows
    centres_s = (np.arange(n_frames) + 0.5) / frame_rate_hz
    beat = _extended(centres_s, np.asarray(grid.beats_s), np.arange(len(grid.beats_s), dtype=np.float64))
    rows[0], rows[1] = np.sin(2 * np.pi * beat), np.cos(2 * np.pi * beat)
    if grid.downbeats:
        starts = np.asarray(grid.downbeats, dtype=np.float64)
        starts = np.concatenate([[starts[0] - grid.meter], starts, [starts[-1] + grid.meter]])
        bar = _extended(beat, starts, np.arange(len(starts), dtype=np.float64))
        rows[2], rows[3] = np.sin(2 * np.pi * bar), np.cos(2 * np.pi * bar)
    rows[4] = 1.0
    return rows


def _extended(
    x: NDArray[np.float64], xs: NDArray[np.float64], ys: NDArray[np.float64]
) -> NDArray[np.float64]:
    """``np.interp`` that goes on along the first and last segment instead of stopping."""
    y = np.interp(x, xs, ys)
    before, after = x < xs[0], x > xs[-1]
    y[before] = ys[0] + (x[before] - xs[0]) * (ys[1] - ys[0]) / (xs[1] - xs[0])
    y[after] = ys[-1] + (x[after] - xs[-1]) * (ys[-1] - ys[-2]) / (xs[-1] - xs[-2])
    return y
