"""Do two processors play the same? SNR of one output against the other, for every pair."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

SAME_DB = 40.0
"""From here on nobody could hear which processor it was."""


def snr_db(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    """10·log10 of the mean energy of both over that of their difference; inf where they are equal."""
    if one.shape != other.shape:
        raise ValueError(f"outputs of shapes {one.shape} and {other.shape} cannot be compared")
    a, b = one.astype(np.float64), other.astype(np.float64)
    noise = float(np.square(a - b).sum())
    signal = float(np.square(a).sum() + np.square(b).sum()) / 2
    if noise == 0.0:
        return math.inf
    return 10.0 * math.log10(signal / noise) if signal > 0.0 else -math.inf


def matrix(outputs: Mapping[str, NDArray[np.float32]]) -> dict[str, dict[str, float]]:
    """SNR in dB between any two of ``outputs``, which are named after the processor that made them."""
    return {a: {b: snr_db(outputs[a], outputs[b]) for b in outputs if b != a} for a in outputs}


def least(found: Mapping[str, Mapping[str, float]]) -> float:
    """The worst pair; inf if there is none."""
    return min((value for row in found.values() for value in row.values()), default=math.inf)
