"""Reverb of a small concert room: streamed convolution with decaying noise.

The impulse response is noise whose high frequencies decay faster, as they do in air and at walls (Moorer,
"About This Reverberation Business", Computer Music Journal 3(2), 1979). The convolution uses overlap-save in
uniform partitions (Stockham 1966; Gardner, "Efficient Convolution without Input-Output Delay", JAES 43(3),
1995). Nothing runs in real time, so the partitions are long, which is faster.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from appliance.grid import SAMPLE_RATE_HZ

PARTITION_SAMPLES = 16_384
"""Samples per partition (0.37 s): the block size of all stems."""

PREDELAY_S = 0.018
BAND_EDGES_HZ = (0.0, 250.0, 1_000.0, 4_000.0, 9_000.0, SAMPLE_RATE_HZ / 2)
BAND_T60_S = (1.1, 1.4, 1.25, 0.8, 0.45)
"""Reverberation time (decay by 60 dB) of each band."""

LOW_CUT_HZ = 180.0
"""Corner frequency of the low cut, which keeps the bass dry."""


@lru_cache(maxsize=1)
def impulse_response() -> NDArray[np.float32]:
    """The room's impulse response: (n, 2) float32, n = 4 partitions, with energy 1 per channel.

    The noise of left and right is independent. It comes from NumPy's legacy generator, whose numbers never
    change between versions.
    """
    n = 4 * PARTITION_SAMPLES
    noise = np.random.RandomState(1961).standard_normal((n, 2))  # frozen stream, unlike default_rng
    spectrum = np.fft.rfft(noise, axis=0)
    hz = np.fft.rfftfreq(n, 1 / SAMPLE_RATE_HZ)
    time_s = np.arange(n) / SAMPLE_RATE_HZ
    response = np.zeros((n, 2))
    for low, high, t60_s in zip(BAND_EDGES_HZ[:-1], BAND_EDGES_HZ[1:], BAND_T60_S, strict=True):
        band = np.fft.irfft(spectrum * ((hz >= low) & (hz < high))[:, None], n, axis=0)
        response += band * (10.0 ** (-3.0 * time_s / t60_s))[:, None]
    predelay = int(PREDELAY_S * SAMPLE_RATE_HZ)
    response = np.concatenate([np.zeros((predelay, 2)), response[: n - predelay]])
    low_cut = hz**2 / (hz**2 + LOW_CUT_HZ**2)
    response = np.fft.irfft(np.fft.rfft(response, axis=0) * low_cut[:, None], n, axis=0)
    # The zero-phase low cut spreads before time 0 and wraps around: silence the predelay again.
    response[:predelay] = 0.0
    fade = int(0.1 * SAMPLE_RATE_HZ)
    response[-fade:] *= np.linspace(1.0, 0.0, fade)[:, None]
    response /= np.sqrt((response**2).sum(axis=0))
    answer: NDArray[np.float32] = response.astype(np.float32)
    answer.flags.writeable = False  # all callers share the array
    return answer


class Reverb:
    """Convolves one stream with one impulse response; keeps the input that still sounds.

    ``response`` is (p · PARTITION_SAMPLES, 2) float32, p partitions.
    """

    def __init__(self, response: NDArray[np.float32]) -> None:
        partitions = response.reshape(-1, PARTITION_SAMPLES, 2).transpose(0, 2, 1)
        padded = np.concatenate([partitions, np.zeros_like(partitions)], axis=2)
        self._filters = np.fft.rfft(padded).astype(np.complex64)  # (p, 2, bins)
        count, _, bins = self._filters.shape
        self._inputs = [np.zeros(bins, np.complex64)] * count  # newest first
        self._before = np.zeros(PARTITION_SAMPLES, np.float32)
        self._silent = count + 1

    def process(self, dry: NDArray[np.float32]) -> NDArray[np.float32]:
        """The reverb of all input so far during this partition: (PARTITION_SAMPLES, 2) in and out."""
        mono = (dry[:, 0] + dry[:, 1]) * np.float32(0.5)
        self._silent = 0 if mono.any() else self._silent + 1
        if self._silent > len(self._inputs):
            return np.zeros((PARTITION_SAMPLES, 2), np.float32)
        newest = np.fft.rfft(np.concatenate([self._before, mono])).astype(np.complex64)
        self._inputs = [newest, *self._inputs[:-1]]
        self._before = mono
        wet = self._filters[0] * newest
        for heard, answer in zip(self._inputs[1:], self._filters[1:], strict=True):
            wet += heard * answer
        sound: NDArray[np.float32] = np.fft.irfft(wet)[:, PARTITION_SAMPLES:].T.astype(np.float32)
        return sound
