"""Cuts a recording into pitch frames and computes their levels and spectra, as a stream.

The result does not depend on the caller's block size: samples are first gathered into chunks of fixed length.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import soxr
from numpy.typing import NDArray

from appliance.grid import SAMPLE_RATE_HZ

HOP_SAMPLES = 512
"""Samples per pitch frame (11.6 ms); four pitch frames make a score frame."""

LOW_RATE_HZ = SAMPLE_RATE_HZ // 4
"""Sample rate of the analysis: it keeps harmonics up to 5 kHz."""

LOW_HOP = HOP_SAMPLES // 4
LONG_WINDOW = 1024
"""93 ms: resolves the harmonics of a bass voice."""

SHORT_WINDOW = 512
"""46 ms: short enough for vibrato and glides."""

BINS = LONG_WINDOW // 2 + 1
BIN_HZ = LOW_RATE_HZ / LONG_WINDOW
CHUNK_FRAMES = 1024

LEVEL_FLOOR_DB = -100.0


@dataclass(frozen=True)
class FrameChunk:
    """Consecutive pitch frames: T frames, B = 513 bins of 10.8 Hz.

    ``level_db`` (T,) is the RMS in dBFS of the frame's 512 samples at 44.1 kHz. ``long`` and ``short``, both
    (T, B), are magnitude spectra of the 93 ms and the 46 ms around the frame's centre.
    """

    level_db: NDArray[np.float32]
    long: NDArray[np.float32]
    short: NDArray[np.float32]


def frame_chunks(blocks: Iterable[NDArray[np.float32]], total_samples: int) -> Iterator[FrameChunk]:
    """Cut mono ``blocks`` at 44.1 kHz, each (n,), n samples, into chunks of 1024 pitch frames.

    The last chunk may be shorter; silence completes its last frame. A few chunks are in memory at a time.

    Raises:
        ValueError: the blocks do not add up to ``total_samples``.
    """
    resampler = soxr.ResampleStream(SAMPLE_RATE_HZ, LOW_RATE_HZ, 1, dtype="float32", quality="HQ")
    # The first frame's window reaches back before the recording.
    low = np.zeros((LONG_WINDOW - LOW_HOP) // 2, np.float32)
    levels = np.zeros(0, np.float32)
    left = -(-total_samples // HOP_SAMPLES)
    for samples, last in _even_chunks(blocks, total_samples):
        levels = np.concatenate([levels, _level_db(samples)])
        low = np.concatenate([low, resampler.resample_chunk(samples, last=last)])
        if last:
            needed = (left - 1) * LOW_HOP + LONG_WINDOW
            low = np.pad(low, (0, max(0, needed - len(low))))
        while left and len(low) >= LONG_WINDOW:
            count = min(CHUNK_FRAMES, left, 1 + (len(low) - LONG_WINDOW) // LOW_HOP)
            if count < CHUNK_FRAMES and not last:
                break
            yield _chunk(low, levels[:count], count)
            low, levels, left = low[count * LOW_HOP :], levels[count:], left - count


def _even_chunks(
    blocks: Iterable[NDArray[np.float32]], total_samples: int
) -> Iterator[tuple[NDArray[np.float32], bool]]:
    """Regroup ``blocks`` into chunks of CHUNK_FRAMES frames; a flag marks the last one."""
    size = CHUNK_FRAMES * HOP_SAMPLES
    waiting: list[NDArray[np.float32]] = []
    held = seen = 0
    for block in blocks:
        waiting.append(np.asarray(block, np.float32))
        held += len(block)
        seen += len(block)
        if seen > total_samples:
            break
        # Keep at least one sample, so that the last chunk is known as such.
        while held > size:
            joined = np.concatenate(waiting)
            yield joined[:size], False
            waiting, held = [joined[size:]], held - size
    if seen != total_samples:
        raise ValueError(f"the blocks hold {seen} samples, {total_samples} were announced")
    if held:
        yield np.concatenate(waiting), True


def _level_db(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """RMS level (T,) in dBFS of each of T frames of 512 samples; the last may be shorter."""
    whole = len(samples) // HOP_SAMPLES * HOP_SAMPLES
    power = np.mean(np.square(samples[:whole].reshape(-1, HOP_SAMPLES)), axis=1)
    if whole < len(samples):
        power = np.append(power, np.mean(np.square(samples[whole:])))
    level = 10.0 * np.log10(np.maximum(power, 1e-20))
    return np.asarray(np.maximum(level, LEVEL_FLOOR_DB), np.float32)


def _chunk(low: NDArray[np.float32], level_db: NDArray[np.float32], count: int) -> FrameChunk:
    span = low[: (count - 1) * LOW_HOP + LONG_WINDOW]
    windows = np.lib.stride_tricks.sliding_window_view(span, LONG_WINDOW)[::LOW_HOP]
    middle = slice((LONG_WINDOW - SHORT_WINDOW) // 2, (LONG_WINDOW + SHORT_WINDOW) // 2)
    return FrameChunk(
        level_db=level_db,
        long=_magnitude(windows * _hann(LONG_WINDOW)),
        short=_magnitude(windows[:, middle] * _hann(SHORT_WINDOW)),
    )


def _hann(length: int) -> NDArray[np.float32]:
    """Periodic Hann window with a sum of 2, so that a full-scale sine has magnitude 1."""
    window = 0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(length) / length)
    return np.asarray(window * (2.0 / window.sum()), np.float32)


def _magnitude(windows: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.abs(np.fft.rfft(windows, LONG_WINDOW, axis=1)).astype(np.float32)
