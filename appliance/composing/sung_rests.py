"""The bars of a beat grid, and the rests of a singer as the features of the vocal tell them.

Letters: T score frames, B bars.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from appliance.grid import FRAME_RATE_HZ
from appliance.music.periods import Rest
from appliance.music.score import BeatGrid

SUNG = 0.5
"""Voicing (0-1) from which a frame counts as sung."""


def bars_of(grid: BeatGrid) -> list[tuple[float, ...]]:
    """The whole bars of ``grid``: B times the beats of a bar and, last, its end."""
    beats_s = grid.beats_s
    return [tuple(beats_s[a : b + 1]) for a, b in pairwise(grid.downbeats) if b - a == grid.meter]


def rests_of(voiced: NDArray[np.floating]) -> list[Rest]:
    """The stretches in which ``voiced`` (T,) is low, in seconds."""
    silent = np.concatenate([[False], np.asarray(voiced) < SUNG, [False]]).astype(np.int8)
    edges = np.flatnonzero(np.diff(silent)) / FRAME_RATE_HZ
    return [(float(a), float(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]
