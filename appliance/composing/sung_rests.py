"""The rests of a singer as the features of the vocal tell them. Letters: T score frames."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from appliance.grid import FRAME_RATE_HZ
from appliance.music.periods import Rest

SUNG = 0.5
"""Voicing (0-1) from which a frame counts as sung."""


def rests_of(voiced: NDArray[np.floating]) -> list[Rest]:
    """The stretches in which ``voiced`` (T,) is low, in seconds."""
    silent = np.concatenate([[False], np.asarray(voiced) < SUNG, [False]]).astype(np.int8)
    edges = np.flatnonzero(np.diff(silent)) / FRAME_RATE_HZ
    return [(float(a), float(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]
