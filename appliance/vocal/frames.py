"""Streams a recording into the frames that the pitch tracker looks at.

Nothing here depends on how the caller cut the recording into blocks: samples are gathered into chunks
of a fixed length before anything is computed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import soxr
from numpy.typing import NDArray

from appliance.grid import SAMPLE_RATE_HZ

HOP_SAMPLES = 512
"""Samples a pitch frame (11.6 ms); four pitch frames make a score frame."""

LOW_RATE_HZ = SAMPLE_RATE_HZ // 4
"""Rate at which pitch is sought: the voice's harmonics up to 5 kHz are kept."""

LOW_HOP = HOP_SAMPLES // 4
LONG_WINDOW = 1024
"""93 ms: separates the harmonics of a bass."""

SHORT_WINDOW = 512
"""46 ms: follows vibrato and glides."""

BINS = LONG_WINDOW // 2 + 1
BIN_HZ = LOW_RATE_HZ / LONG_WINDOW
CHUNK_FRAMES = 1024

LEVEL_FLOOR_DB = -100.0


@dataclass(frozen=True)
class FrameChunk:
    """Consecutive pitch frames; T = frames, B = 513 spectrum bins of 10.8 Hz.

    ``level_db`` (T,) is the RMS of each frame's own 512 samples in dBFS; ``long`` (T, B) and ``short``
    (T, B) are magnitude spectra of the 93 ms and 46 ms around the frame's centre.
    """

    level_db: NDArray[np.float32]
    long: NDArray[np.float32]
    short: NDArray[np.float32]


def frame_chunks(blocks: Iterable[NDArray[np.float32]], total_samples: int) -> Iterator[FrameChunk]:
    """Cut mono 44.1 kHz ``blocks`` of any lengths into chunks of up to 1024 pitch frames.

    Every chunk but the last is whole; the last frame is filled up with silence. Holds a few chunks in
    memory at a time. Raises ValueError where the blocks do not add up to ``total_samples``.
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
    """Regroup ``blocks`` into chunks of CHUNK_FRAMES frames, each with whether it is the last."""
    size = CHUNK_FRAMES * HOP_SAMPLES
    waiting: list[NDArray[np.float32]] = []
    held = seen = 0
    for block in blocks:
        waiting.append(np.asarray(block, np.float32))
        held += len(block)
        seen += len(block)
        if seen > total_samples:
            break
        # One sample stays back, so that the last chunk is known when it goes.
        while held > size:
            joined = np.concatenate(waiting)
            yield joined[:size], False
            waiting, held = [joined[size:]], held - size
    if seen != total_samples:
        raise ValueError(f"the blocks hold {seen} samples, {total_samples} were announced")
    if held:
        yield np.concatenate(waiting), True


def _level_db(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """RMS level (T,) in dBFS of each 512 samples; the last ones may be fewer."""
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
    """Periodic Hann window with its samples adding up to 2, so that a full-scale sine has magnitude 1."""
    window = 0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(length) / length)
    return np.asarray(window * (2.0 / window.sum()), np.float32)


def _magnitude(windows: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.abs(np.fft.rfft(windows, LONG_WINDOW, axis=1)).astype(np.float32)
