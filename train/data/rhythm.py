"""Rhythm score of an accompaniment (0-1) from its onsets, for training data and for evaluation."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

STEPS_PER_BAR = 12
RHYTHM_CHANCE = 0.5
"""Score of random onsets: half of all times are within a quarter of a step of the grid."""


def rhythm(onsets_s: Iterable[float], bars_s: Sequence[float] | NDArray[np.float64]) -> float:
    """Share of onsets within a quarter of a step of the song's grid, which has twelve steps per bar.

    ``bars_s`` are the bar starts and, last, the end of the last bar; onsets outside do not count. Chance
    level is 0.5, also returned without onsets; without a bar the result is NaN.
    """
    bars = np.asarray(bars_s, dtype=np.float64)
    if len(bars) < 2:
        return float("nan")
    onsets = np.asarray([o for o in onsets_s if bars[0] <= o < bars[-1]], dtype=np.float64)
    if not len(onsets):
        return RHYTHM_CHANCE
    bar = np.searchsorted(bars, onsets, side="right") - 1
    steps = (onsets - bars[bar]) / (bars[bar + 1] - bars[bar]) * STEPS_PER_BAR
    return float(np.mean(np.abs(steps - np.round(steps)) <= 0.25 + 1e-9))
