"""Gain, balance, reverb and final fade of a stem."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from appliance.grid import SAMPLE_RATE_HZ
from appliance.playing.reverb import PARTITION_SAMPLES, Reverb

END_FADE_S = 0.03
"""Length of the fade at the end of the file, which avoids a click."""


class Place:
    """Places one group in a mix of ``total_samples`` samples, a partition at a time.

    ``pan`` is the balance from -1 (left) to 1 (right). ``room`` is an impulse response (n, 2) of n samples,
    None for a dry sound; ``reverb_db`` is the level of the reverb.
    """

    def __init__(
        self,
        total_samples: int,
        gain_db: float,
        pan: float,
        reverb_db: float | None,
        room: NDArray[np.float32] | None,
    ) -> None:
        self._position = 0
        self._total = total_samples
        self._gain = (10.0 ** (gain_db / 20.0) * _balance(pan)).astype(np.float32)
        self._reverb = None
        if room is not None and reverb_db is not None:
            self._reverb = Reverb(room * np.float32(10.0 ** (reverb_db / 20.0)))

    def put(self, sound: NDArray[np.float32]) -> NDArray[np.float32]:
        """Place the next partition of the dry ``sound``: (PARTITION_SAMPLES, 2) in and out."""
        start = self._position
        self._position += PARTITION_SAMPLES
        placed: NDArray[np.float32] = sound * self._gain
        if self._reverb is not None:
            placed += self._reverb.process(placed)
        fade_from = self._total - int(END_FADE_S * SAMPLE_RATE_HZ)
        if start + PARTITION_SAMPLES > fade_from:
            left = self._total - 1 - np.arange(start, start + PARTITION_SAMPLES)
            along = np.clip(left / (self._total - fade_from), 0.0, 1.0)
            placed *= (0.5 - 0.5 * np.cos(np.pi * along)).astype(np.float32)[:, None]
        return placed


def _balance(pan: float) -> NDArray[np.float64]:
    """Gains of the left and right channel, (2,): equal power, 1 at the centre."""
    angle = (pan + 1.0) * np.pi / 4.0
    gains: NDArray[np.float64] = np.array([np.cos(angle), np.sin(angle)]) * 2.0**0.5
    return gains
