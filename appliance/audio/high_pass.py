"""A high-pass filter that takes away what lies below hearing: a DC offset, wind, footfall.

The filter is a windowed sinc of 0.37 s, symmetrical, so that no frequency is delayed against another. It is
6 dB down at 10 Hz, 60 dB at 3 Hz and more below, and flat from 18 Hz on. It is applied by overlap-save FFT,
as the K-weighting is (:mod:`appliance.audio.loudness`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from appliance.audio.blocks import Block, recut
from appliance.grid import SAMPLE_RATE_HZ

HIGH_PASS_HZ = 10.0

_TAPS = 16_385
_HALF = _TAPS // 2
_END = 1_024
"""Samples (23 ms), twice: what lies next to an end."""

_FFT_SAMPLES = 65_536
_HOP_SAMPLES = _FFT_SAMPLES - _TAPS + 1


def without_rumble(
    blocks: Iterable[Block], offset: NDArray[np.floating], swings: bool = True
) -> Iterator[Block]:
    """A stream without its DC ``offset``, (C,), and without what is left below 10 Hz; of the same length.

    ``swings`` says that there is more than the offset: then the filter takes it that beyond its ends the
    recording swings on, otherwise that it is silent.

    Shape: (n, C) in and out; n samples, C channels. The result does not depend on the block size.
    """
    centred = (block - offset.astype(np.float32) for block in blocks)
    held = np.zeros((0, len(offset)), np.float32)
    for block in recut(_continued(centred, swings), _HOP_SAMPLES):
        joined = np.concatenate([held, block])
        if len(joined) >= _TAPS:
            spectrum = np.fft.rfft(joined, _FFT_SAMPLES, axis=0) * _response()[:, None]
            yield np.fft.irfft(spectrum, _FFT_SAMPLES, axis=0)[_TAPS - 1 : len(joined)].astype(np.float32)
        held = joined[-(_TAPS - 1) :]


def _continued(blocks: Iterable[Block], swings: bool) -> Iterator[Block]:
    """A stream with half a filter more at each end: silence or, if it ``swings``, itself turned about it.

    So a slow swing goes on where the recording begins in the middle of it.
    """

    def beyond(near: Block) -> Block:
        """The samples beyond an end; ``near`` are the last before it, the nearest first."""
        if not swings or len(near) <= _HALF:
            return np.zeros((_HALF, near.shape[1]), np.float32)
        # What slow swings have come to at the end, by a line: a single sample may be the resampler's.
        level = 1.5 * near[:_END].mean(axis=0) - 0.5 * near[_END : 2 * _END].mean(axis=0)
        turned: Block = (2 * level - near[1 : _HALF + 1]).astype(np.float32)
        return turned

    held: Block | None = None
    begun = False
    for block in blocks:
        held = block if held is None else np.concatenate([held, block])
        if len(held) <= _HALF:
            continue
        if not begun:
            yield beyond(held)[::-1]
            begun = True
        yield held[: -(_HALF + 1)]
        held = held[-(_HALF + 1) :]
    if held is None:
        return
    if not begun:
        yield beyond(held)[::-1]
    yield held
    yield beyond(held[::-1])


@lru_cache(maxsize=1)
def _response() -> NDArray[np.complex64]:
    """The filter in the frequency domain, (_FFT_SAMPLES / 2 + 1,)."""
    time = np.arange(_TAPS) - _HALF
    low_pass = np.sinc(2 * HIGH_PASS_HZ / SAMPLE_RATE_HZ * time) * np.blackman(_TAPS)
    high_pass = -low_pass / low_pass.sum()
    high_pass[_HALF] += 1.0
    return np.fft.rfft(high_pass, _FFT_SAMPLES).astype(np.complex64)
