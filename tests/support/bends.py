"""Clicks by their measure: how sharply a sound bends, 10 ms by 10 ms."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FRAME_SAMPLES = 441


def bends(sound: NDArray[np.floating]) -> NDArray[np.float64]:
    """Energy of the second difference of ``sound`` (n, C) in each frame of 10 ms: (n // 441,)."""
    bend = np.square(np.diff(sound.mean(axis=1).astype(np.float64), 2))
    return np.asarray(
        bend[: len(bend) // FRAME_SAMPLES * FRAME_SAMPLES].reshape(-1, FRAME_SAMPLES).sum(axis=1)
    )


def clicks(sound: NDArray[np.floating], sample: int) -> bool:
    """Whether ``sound`` bends at ``sample`` more sharply than in 99.9 % of its frames."""
    energy, frame = bends(sound), sample // FRAME_SAMPLES
    return bool(energy[max(frame - 1, 0) : frame + 2].max() > np.quantile(energy, 0.999))
