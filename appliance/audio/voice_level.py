"""How loud the voice in a vocal is, and what in it is far louder than the voice.

A clap or a bumped microphone may hold more power than a minute of quiet singing, so the loudness that sets
the voice in the mix counts only where something is sung. A sound that exceeds the loudest sung notes by far
is turned down in the mix for as long as it lasts: otherwise it would make the limiter duck everything.

Letters: N pitch frames of 512 samples, K periods of :data:`appliance.audio.loudness.PERIOD_SAMPLES`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from appliance.audio.blocks import BLOCK_SAMPLES, Block, recut
from appliance.audio.limiter import gain_factors
from appliance.audio.loudness import (
    HOP_SAMPLES,
    PERIOD_SAMPLES,
    Measurement,
    PowerMeter,
    gated_lufs,
    maxima,
    power_of_steps,
    sung_lufs,
)
from appliance.grid import SAMPLE_RATE_HZ

FRAME_SAMPLES = 512
"""Samples of a pitch frame."""

OUTBURST_DB = 6.0
"""A sample this far above the loudest sung notes belongs to an outburst. Of three singers, none came closer
to it than 2 dB: the loudest note is judged by its middle, which a single loud moment does not lift."""

_NOTE_FRAMES = 43
_NOTE_STEP = 4
"""The loudest notes are sought by medians over half a second: an outburst of half of that does not count."""

_RELEASE_DB_PER_S = 600.0
"""An outburst is over at once, and what follows it is the voice again."""

_NEAR_S = 0.1
"""So close to an outburst, the power is partly its own."""

_TOGETHER_S = 0.25
"""Outbursts closer to each other than this are one."""

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Outburst:
    """A sound that begins at ``start_s`` and rises ``over_db`` above what is left of it in the mix."""

    start_s: float
    over_db: float


@dataclass(frozen=True, slots=True)
class VoiceLevel:
    """Loudness of what is sung in LUFS, and the ``outbursts``, in order of time.

    ``peaks`` (K,) are the largest absolute samples; there are none without outbursts. ``ceiling`` is the
    largest that :meth:`tamed` leaves.
    """

    lufs: float
    outbursts: tuple[Outburst, ...]
    peaks: NDArray[np.float32]
    ceiling: float

    def tamed(self, blocks: Iterable[Block]) -> Iterator[Block]:
        """The measured vocal with its outbursts turned down; without any, the same blocks.

        Shape: (n, C) in and out; n samples, C channels.
        """
        if not self.outbursts:
            yield from blocks
            return
        measured = Measurement(self.peaks, self.peaks)
        factors = gain_factors(measured, 0.0, 20 * math.log10(self.ceiling), _RELEASE_DB_PER_S)
        for block, factor in zip(recut(blocks), recut(factors, BLOCK_SAMPLES), strict=False):
            yield block * factor[: len(block), None]


def measure_voice(blocks: Iterable[Block], sung: Mask) -> VoiceLevel:
    """Measure the voice in ``blocks``, (n, C) at 44.1 kHz: n samples, C = 1 or 2 channels.

    ``sung`` (N,) says in which pitch frames something is sung. Where that is hardly anywhere, the loudness is
    that of the whole recording.
    """
    power_meter, peaks = PowerMeter(), [np.zeros(0, np.float32)]
    for block in recut(blocks, HOP_SAMPLES):
        power_meter.add(block)
        peaks.append(maxima(block, PERIOD_SAMPLES))
    power, peak = power_meter.result(), np.concatenate(peaks)
    frame_peaks = _of_frames(peak, len(sung))
    ceiling = _loudest_note(np.where(sung, frame_peaks, 0.0)) * 10 ** (OUTBURST_DB / 20)
    loud = frame_peaks > ceiling if ceiling > 0 else np.zeros(len(sung), np.bool_)
    lufs = sung_lufs(power, _of_periods(sung & ~_widened(loud), len(power)))
    if lufs is None:
        lufs = gated_lufs(power_of_steps(power))
    outbursts = _outbursts(frame_peaks, loud, ceiling)
    return VoiceLevel(lufs, outbursts, peak if outbursts else peak[:0], ceiling)


def _of_frames(peak: NDArray[np.float32], frames: int) -> NDArray[np.float32]:
    """The largest of the periods (K,) that begin in each of N = ``frames`` pitch frames, (N,)."""
    starts = np.arange(frames) * FRAME_SAMPLES // PERIOD_SAMPLES
    inside = starts < len(peak)
    largest = np.zeros(frames, np.float32)
    if inside.any():
        largest[inside] = np.maximum.reduceat(peak, starts[inside])
    return largest


def _of_periods(frames: Mask, periods: int) -> Mask:
    """Whether the middle of each of K = ``periods`` lies in a frame (N,) of the mask, (K,)."""
    if not len(frames):
        return np.zeros(periods, np.bool_)
    middle = (np.arange(periods) * PERIOD_SAMPLES + PERIOD_SAMPLES // 2) // FRAME_SAMPLES
    return frames[np.minimum(middle, len(frames) - 1)]


def _loudest_note(frame_peaks: NDArray[np.floating]) -> float:
    """The highest level that half of the frames within half a second reach; 0 where nothing is sung."""
    if len(frame_peaks) < _NOTE_FRAMES:
        return 0.0
    windows = np.lib.stride_tricks.sliding_window_view(frame_peaks, _NOTE_FRAMES)[::_NOTE_STEP]
    return max(
        float(np.median(part, axis=1).max()) for part in np.array_split(windows, -(-len(windows) // 4096))
    )


def _widened(loud: Mask) -> Mask:
    if not loud.any():
        return loud
    reach = round(_NEAR_S * SAMPLE_RATE_HZ / FRAME_SAMPLES)
    return np.convolve(loud, np.ones(2 * reach + 1), "full")[reach : reach + len(loud)] > 0.5


def _outbursts(frame_peaks: NDArray[np.float32], loud: Mask, ceiling: float) -> tuple[Outburst, ...]:
    """Runs of loud frames; those close to each other are one."""
    frames = np.flatnonzero(loud)
    if not len(frames):
        return ()
    apart = np.diff(frames) * FRAME_SAMPLES > _TOGETHER_S * SAMPLE_RATE_HZ
    return tuple(
        Outburst(
            float(run[0]) * FRAME_SAMPLES / SAMPLE_RATE_HZ,
            20 * math.log10(float(frame_peaks[run].max()) / ceiling),
        )
        for run in np.split(frames, np.flatnonzero(apart) + 1)
    )
