"""Evidence of beats: activations of the planner, prepared for comparison with a beat grid."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

PULSE_S = 0.035
"""Standard deviation in seconds of the pulse expected at a beat: network blur and the singer's timing."""

Array = NDArray[np.floating]


@dataclass(frozen=True, slots=True)
class BeatEvidence:
    """An activation of T frames: its excess over the local mean, (T,), and that convolved with a pulse."""

    excess: Array
    smooth: Array
    rate_hz: float
    """Frames per second."""
    norm: float
    """Euclidean norm of ``excess``."""

    @staticmethod
    def of(activation: NDArray[np.floating], rate_hz: float) -> BeatEvidence:
        """Prepare ``activation`` (T,), values 0-1. The local mean covers two seconds on each side."""
        a = np.clip(np.nan_to_num(np.asarray(activation, dtype=np.float64)), 0.0, 1.0)
        reach = round(2.0 * rate_hz)
        total = np.concatenate([[0.0], np.cumsum(a)])
        first = np.maximum(np.arange(len(a)) - reach, 0)
        stop = np.minimum(np.arange(len(a)) + reach, len(a))
        excess = a - (total[stop] - total[first]) / (stop - first)
        smooth = np.convolve(np.pad(excess, len(pulse_shape(rate_hz)) // 2), pulse_shape(rate_hz), "valid")
        return BeatEvidence(excess, smooth, rate_hz, float(np.linalg.norm(excess)))

    def at(self, times_s: Array) -> Array:
        """The evidence ``smooth``, interpolated at ``times_s`` (any shape); 0 outside the file."""
        frames = np.arange(len(self.smooth))
        position = times_s * self.rate_hz - 0.5
        return np.asarray(np.interp(position, frames, self.smooth, left=0.0, right=0.0))

    def part(self, first_s: float, stop_s: float) -> tuple[BeatEvidence, float]:
        """The evidence from ``first_s`` to ``stop_s``, as far as there is any, and when it begins."""
        first = max(0, round(first_s * self.rate_hz))
        excess = self.excess[first : max(first, round(stop_s * self.rate_hz))]
        smooth = self.smooth[first : first + len(excess)]
        return BeatEvidence(excess, smooth, self.rate_hz, float(np.linalg.norm(excess))), first / self.rate_hz

    def fit(self, times_s: Array, period_s: float) -> float:
        """Correlation, -1 to 1, of the evidence with pulses at ``times_s`` (N,), about ``period_s`` apart."""
        pulse = pulse_shape(self.rate_hz)
        energy = float(pulse @ pulse)
        duty = min(0.9, float(pulse.sum()) ** 2 / energy / (period_s * self.rate_hz))
        norm = math.sqrt(max(len(times_s), 1) * energy * (1.0 - duty)) * self.norm
        return float(self.at(times_s).sum()) / norm if norm > 0 else 0.0


def centroids(beats: BeatEvidence, times_s: Array, period_s: float) -> tuple[Array, Array]:
    """The centroid of the positive evidence around each of N beats, and its weight.

    Returns (N,) seconds relative to ``times_s`` and (N,) weights.
    """
    reach = min(0.09, 0.3 * period_s)
    offsets = np.linspace(-reach, reach, 15)
    around = np.maximum(beats.at((times_s[:, None] + offsets).ravel()).reshape(-1, 15), 0.0) ** 2
    weight = around.sum(1)
    return around @ offsets / np.maximum(weight, 1e-12), np.sqrt(weight)


def pulse_shape(rate_hz: float) -> Array:
    """The Gaussian pulse of a beat at ``rate_hz`` frames per second; an odd number of frames."""
    reach = math.ceil(3 * PULSE_S * rate_hz)
    return np.asarray(np.exp(-0.5 * (np.arange(-reach, reach + 1) / (PULSE_S * rate_hz)) ** 2))
