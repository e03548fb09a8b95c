"""Training targets from a song's beats and key.

Letters: T score frames, R rows, M columns.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from appliance.grid import FRAME_RATE_HZ
from appliance.music.keys import Key

Array = NDArray[np.float32]


def beat_targets(times_s: NDArray[np.float64], first: int, frames: int) -> Array:
    """Beat activations (T,): 1 at a frame whose centre is on a beat; a beat in between is shared by two
    frames.

    The shares encode the beat's position between the frames, which the beat tracker decodes.
    """
    target = np.zeros(frames + 2, np.float32)
    place = times_s * FRAME_RATE_HZ - 0.5 - first + 1.0
    inside = place[(place >= 0) & (place < frames + 1)]
    left = np.floor(inside).astype(np.int64)
    np.maximum.at(target, left, (left + 1 - inside).astype(np.float32))
    np.maximum.at(target, left + 1, (inside - left).astype(np.float32))
    return target[1:-1]


def key_index(key: Key) -> int:
    """Index of a key in the planner's key output: major tonics 0-11, minor tonics 12-23."""
    return key.tonic + (12 if key.mode == "minor" else 0)


def cut(rows: NDArray[np.floating], first: int, frames: int) -> Array:
    """``frames`` columns of ``rows`` (R, M) from ``first`` on, with zeros past the end: (R, frames)."""
    part = rows[:, first : first + frames].astype(np.float32)
    return np.pad(part, ((0, 0), (0, frames - part.shape[1])))
