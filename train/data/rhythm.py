"""Rhythm of an accompaniment, 0-1, from its onsets: for training data and for judging a pack."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

STEPS_PER_BAR = 12
RHYTHM_CHANCE = 0.5
"""Share of random onsets within a quarter of a step: half of the time line is."""


def rhythm(onsets_s: Iterable[float], bars_s: Sequence[float] | NDArray[np.float64]) -> float:
    """Share of onsets within a quarter of a step of the song's grid, twelve steps a bar.

    ``bars_s`` are the bar starts and, last, the end of the last bar; onsets outside are not counted.
    Chance is 0.5, and so is a result without onsets; NaN without a bar.
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
