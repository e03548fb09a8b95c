"""How far outputs of different CPUs agree: SNR of one against the other, for every pair."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

SAME_DB = 40.0
"""Goal for the SNR in dB: from here on the difference is inaudible."""


def snr_db(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    """10·log10 of the mean energy of both over the energy of their difference; inf if they are equal.

    Raises:
        ValueError: the shapes differ.
    """
    if one.shape != other.shape:
        raise ValueError(f"outputs of shapes {one.shape} and {other.shape} cannot be compared")
    a, b = one.astype(np.float64), other.astype(np.float64)
    noise = float(np.square(a - b).sum())
    signal = float(np.square(a).sum() + np.square(b).sum()) / 2
    if noise == 0.0:
        return math.inf
    return 10.0 * math.log10(signal / noise) if signal > 0.0 else -math.inf


def matrix(outputs: Mapping[str, NDArray[np.float32]]) -> dict[str, dict[str, float]]:
    """SNR in dB between any two of ``outputs``, which are named after their CPUs."""
    return {a: {b: snr_db(outputs[a], outputs[b]) for b in outputs if b != a} for a in outputs}


def worst(found: Mapping[str, Mapping[str, float]]) -> float:
    """SNR of the worst pair in dB; inf if there is none."""
    return min((value for row in found.values() for value in row.values()), default=math.inf)
