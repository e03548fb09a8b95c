"""A recording as an input array of the audio encoder: its spectrum in thirds of a semitone.

Each score frame has five *views*: one with a long window, which resolves low notes, and four with short
windows, a quarter of a frame apart, which locate onsets. A view is an STFT whose bins are summed onto a
logarithmic frequency axis, so that a transposed chord is the same image, shifted (after the front end of
Bittner et al., arXiv 2203.09893, without its constant-Q filters).

Shapes: n samples, T score frames, F = 324 bins.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from appliance.grid import FRAME_SAMPLES, SAMPLE_RATE_HZ
from appliance.music.score import LOWEST_PITCH

Array = NDArray[np.float32]

BINS_PER_SEMITONE = 3
BINS = 9 * 12 * BINS_PER_SEMITONE
"""Nine octaves from A0; the centre of bin 3 k + 1 is k semitones above A0."""

LONG_SAMPLES = 8192
SHORT_SAMPLES = 2048
SHORT_VIEWS = 4
VIEWS = 1 + SHORT_VIEWS
SPECTRUM_ROWS = VIEWS * BINS
FLOOR_DB = -100.0

_AT_ONCE = 128
"""Frames computed at a time."""


def bin_hz() -> NDArray[np.float64]:
    """Centre frequency of each bin, (F,)."""
    lowest_hz = 440.0 * 2.0 ** ((LOWEST_PITCH - 69) / 12.0)
    steps = (np.arange(BINS) - 1) / (12.0 * BINS_PER_SEMITONE)
    centres: NDArray[np.float64] = lowest_hz * 2.0**steps
    return centres


def spectrum_rows(audio: Array) -> Array:
    """Level of each bin of ``audio`` (n,), mono at 44.1 kHz: (5 F, T), T = n / 2048 rounded up.

    0 is FLOOR_DB or less, 1 a full-scale sine (somewhat less at the top, where a bin averages several bins of
    the FFT).
    """
    frames = -(-len(audio) // FRAME_SAMPLES)
    before = LONG_SAMPLES // 2
    padded = np.zeros(before + frames * FRAME_SAMPLES + LONG_SAMPLES, np.float32)
    padded[before : before + len(audio)] = audio
    rows = np.empty((VIEWS, BINS, frames), np.float32)
    for first in range(0, frames, _AT_ONCE):
        count = min(_AT_ONCE, frames - first)
        for view in range(VIEWS):
            size = SHORT_SAMPLES if view else LONG_SAMPLES
            place = (view - 0.5) / SHORT_VIEWS if view else 0.5
            start = before + int(place * FRAME_SAMPLES) - size // 2 + first * FRAME_SAMPLES
            cut = np.lib.stride_tricks.sliding_window_view(padded[start:], size)
            spectrum = np.fft.rfft(cut[: count * FRAME_SAMPLES : FRAME_SAMPLES] * _window(size))
            loud = _filterbank(size) @ np.square(np.abs(spectrum)).T.astype(np.float32)
            level = 10.0 * np.log10(loud + 10.0 ** (FLOOR_DB / 10.0))
            rows[view, :, first : first + count] = level / -FLOOR_DB + 1.0
    return rows.reshape(SPECTRUM_ROWS, frames)


@lru_cache(maxsize=2)
def _window(size: int) -> Array:
    """Hann window, scaled so that a full-scale sine has power 1 in its bin: (``size``,)."""
    hann = 0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(size) / size)
    scaled: Array = (hann * 2.0 / hann.sum()).astype(np.float32)
    return scaled


@lru_cache(maxsize=2)
def _filterbank(size: int) -> Array:
    """Triangular filters from FFT bins to our bins, (F, size/2 + 1); half width: one bin of either kind."""
    hz = np.fft.rfftfreq(size, 1.0 / SAMPLE_RATE_HZ)
    centre = bin_hz()[:, None]
    step = 2.0 ** (1.0 / (12.0 * BINS_PER_SEMITONE))
    half = np.maximum(centre * (step - 1.0), SAMPLE_RATE_HZ / size)
    triangles = np.maximum(0.0, 1.0 - np.abs(hz - centre) / half)
    matrix: Array = (triangles / triangles.sum(axis=1, keepdims=True)).astype(np.float32)
    return matrix
