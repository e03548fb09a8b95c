"""Integrated loudness (LUFS) and true peak (dBTP) of a stream.

Source: ITU-R BS.1770-4. It gives the K-weighting at 48 kHz only. For 44.1 kHz both filters are designed from
their analogue prototypes by the bilinear transform, with parameters that reproduce the published coefficients
at 48 kHz. Both decay within 0.14 s, so their joint impulse response is applied as an FIR filter by
overlap-save FFT: NumPy has no recursive filter, and SciPy would make the appliance 100 MB larger.

:func:`measure_curves` also keeps the peak and the weighted power of every 30 samples (12 kB per second of
sound). From these the limiter is computed without a second pass over the sound.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import soxr
from numpy.typing import NDArray

from appliance.audio.blocks import Block, Real, recut
from appliance.grid import SAMPLE_RATE_HZ
from appliance.system.threads import ahead

PERIOD_SAMPLES = 30
"""Samples per period (0.68 ms), the resolution of peaks and power; a divisor of the meter's 100 ms step."""

STEP_PERIODS = SAMPLE_RATE_HZ // 10 // PERIOD_SAMPLES
"""Periods per step of 100 ms. Gating blocks are four steps long and begin at every step."""

OVERSAMPLING = 4
_STEPS_PER_BLOCK = 4
HOP_SAMPLES = 6 * STEP_PERIODS * PERIOD_SAMPLES
_FFT_SAMPLES = 32_768
TAPS = 6_144
"""Length of the impulse response, which is 300 dB down by then. Hop + taps fit into one FFT."""

_ABSOLUTE_GATE_LUFS = -70.0
_RELATIVE_GATE_LU = -10.0
_FEWEST_BLOCKS = 4
"""With fewer blocks in which something is sung, their loudness says nothing."""


@dataclass(frozen=True, slots=True)
class Loudness:
    """Gated ``integrated_lufs``, and ``true_peak_dbtp`` over all channels. Both are -inf for silence."""

    integrated_lufs: float
    true_peak_dbtp: float


@dataclass(frozen=True, slots=True)
class Measurement:
    """The measurement of a sound, in periods of :data:`PERIOD_SAMPLES`; the last may be shorter.

    ``peak`` is the true peak over all channels (linear, full scale 1.0). ``power`` is the mean square after
    the K-weighting, summed over the channels. Shape: both (K,) float32, K periods.
    """

    peak: NDArray[np.float32]
    power: NDArray[np.float32]

    @property
    def loudness(self) -> Loudness:
        """Integrated loudness and true peak of the whole sound."""
        return loudness_of(float(self.peak.max(initial=0)), power_of_steps(self.power))


def measure(blocks: Iterable[Block]) -> Loudness:
    """Measure the loudness of ``blocks``, (n, C) at 44.1 kHz: n samples, C = 1 or 2 channels.

    The result does not depend on the block size. A sound under 0.4 s has a loudness of -inf (BS.1770-4).

    >>> sine = 0.1 * np.sin(2 * np.pi * 997 * np.arange(44_100) / 44_100, dtype=np.float32)
    >>> round(measure([sine[:, None]]).integrated_lufs, 1)  # -3.0 at full scale, 20 dB below it here
    -23.0
    """
    return measure_curves(blocks).loudness


def measure_curves(blocks: Iterable[Block]) -> Measurement:
    """Measure peak and weighted power of ``blocks`` over time. Shape: as for :func:`measure`."""
    peaks, weighting = _Peaks(), PowerMeter()

    def weighted() -> Iterator[Block]:
        for block in recut(blocks, HOP_SAMPLES):
            weighting.add(block)
            yield block

    with closing(ahead(weighted())) as heard:  # K-weighting in one thread, peaks in the other
        for block in heard:
            peaks.add(block)
    return Measurement(peaks.result(), weighting.result())


def integrated_lufs(blocks: Iterable[Block]) -> float:
    """The integrated loudness of :func:`measure` for half the work, without the true peak."""
    weighting = PowerMeter()
    for block in recut(blocks, HOP_SAMPLES):
        weighting.add(block)
    return gated_lufs(power_of_steps(weighting.result()))


def gated_lufs(step_power: NDArray[np.float64]) -> float:
    """Integrated loudness from the weighted power of S steps of 100 ms, (S,); -inf for silence."""
    if len(step_power) < _STEPS_PER_BLOCK:
        return -math.inf
    return _gated_lufs(np.convolve(step_power, np.full(_STEPS_PER_BLOCK, 1 / _STEPS_PER_BLOCK), "valid"))


def sung_lufs(power: NDArray[np.float32], sung: NDArray[np.bool_]) -> float | None:
    """Integrated loudness of the periods in which something is sung; None where these are hardly any.

    The gating blocks are those of the whole sound, each as loud as what is sung in it. Those in which less
    than half is sung do not count. Shape: ``power`` and ``sung`` (K,), K periods.
    """
    share = power_of_steps(sung.astype(np.float32))
    if len(share) < _STEPS_PER_BLOCK:
        return None
    steps = np.ones(_STEPS_PER_BLOCK)
    share = np.convolve(share, steps, "valid")
    block_power = np.convolve(power_of_steps(power * sung), steps, "valid")
    counts = share >= 0.5 * _STEPS_PER_BLOCK
    if counts.sum() < _FEWEST_BLOCKS:
        return None
    return _gated_lufs(block_power[counts] / share[counts])


def _gated_lufs(block_power: NDArray[np.float64]) -> float:
    """Integrated loudness from the weighted power of gating blocks, (B,); -inf for silence."""
    heard = block_power[block_power > 10 ** ((_ABSOLUTE_GATE_LUFS + 0.691) / 10)]
    if not len(heard):
        return -math.inf
    gate = float(heard.mean()) * 10 ** (_RELATIVE_GATE_LU / 10)
    return -0.691 + 10 * math.log10(float(heard[heard > gate].mean()))


def power_of_steps(power: NDArray[Real]) -> NDArray[np.float64]:
    """Average the weighted power of K periods, (K,), over each complete step of 100 ms: (S,)."""
    steps = len(power) // STEP_PERIODS
    rows = power[: steps * STEP_PERIODS].reshape(steps, STEP_PERIODS)
    means: NDArray[np.float64] = rows.mean(axis=1, dtype=np.float64)
    return means


def loudness_of(peak: float, step_power: NDArray[np.float64]) -> Loudness:
    """Loudness of a sound with this true ``peak`` (linear) and the weighted power of S steps, (S,)."""
    return Loudness(gated_lufs(step_power), 20 * math.log10(peak) if peak > 0 else -math.inf)


class PowerMeter:
    """K-weighting of a stream: keeps the last TAPS samples, which the filter still needs."""

    def __init__(self) -> None:
        self._powers = array("f")
        self._history: Block | None = None

    def add(self, block: Block) -> None:
        """Add (n, C): n is at most HOP_SAMPLES and, except in the last block, a multiple of a period."""
        if self._history is None:
            self._history = np.zeros((TAPS, block.shape[1]), np.float32)
        joined = np.concatenate([self._history, block])
        self._powers.frombytes(weighted_power(joined).tobytes())
        self._history = joined[-TAPS:]

    def result(self) -> NDArray[np.float32]:
        """(K,), once all blocks are in."""
        return np.frombuffer(self._powers, np.float32)


def weighted_power(joined: Block) -> NDArray[np.float32]:
    """Mean square of each period after the K-weighting, summed over channels: (TAPS + n, C) -> (K,).

    The first TAPS samples are those before the n that are measured; C channels, K periods. The rounding error
    of single precision is 120 dB down.
    """
    copies = 1
    if joined.shape[1] == 2 and np.array_equal(joined[:, 0], joined[:, 1]):
        joined, copies = joined[:, :1], 2  # two equal channels: filter one
    channels = np.ascontiguousarray(joined.T)
    weighted = np.fft.irfft(np.fft.rfft(channels, _FFT_SAMPLES) * _response(), _FFT_SAMPLES)
    squares = np.square(weighted[:, TAPS : len(joined)]).sum(axis=0) * np.float32(copies)
    squares = np.pad(squares, (0, -len(squares) % PERIOD_SAMPLES))
    power: NDArray[np.float32] = squares.reshape(-1, PERIOD_SAMPLES).mean(axis=1)
    return power


def true_peaks(before: Block, block: Block, after: Block) -> NDArray[np.float32]:
    """True peak (linear) in each period of ``block``: (n, C) -> (K,); n samples, C channels, K periods.

    ``before`` and ``after`` are the neighbouring samples that the oversampling filter reaches.
    """
    joined = np.concatenate([before, block, after])
    rates = SAMPLE_RATE_HZ, OVERSAMPLING * SAMPLE_RATE_HZ
    between = soxr.resample(joined, *rates, quality="HQ")[OVERSAMPLING * len(before) :]
    between = between[: OVERSAMPLING * len(block)]
    return np.maximum(maxima(block, PERIOD_SAMPLES), maxima(between, PERIOD_SAMPLES * OVERSAMPLING))


class _Peaks:
    """True peak of a stream in each period, on the samples and between them."""

    def __init__(self) -> None:
        self._peaks = array("f")
        # The resampler has a delay: maxima on the samples wait for those between them.
        self._on = np.zeros(0, np.float32)
        self._between = np.zeros(0, np.float32)
        self._oversampled = np.zeros((0, 0), np.float32)
        self._stream: soxr.ResampleStream | None = None

    def add(self, block: Block) -> None:
        """Add (n, C); n is a multiple of a period except in the last block."""
        if self._stream is None:
            self._oversampled = np.zeros((0, block.shape[1]), np.float32)
            self._stream = soxr.ResampleStream(
                SAMPLE_RATE_HZ,
                OVERSAMPLING * SAMPLE_RATE_HZ,
                block.shape[1],
                dtype="float32",
                quality="HQ",
            )
        self._on = np.concatenate([self._on, maxima(block, PERIOD_SAMPLES)])
        self._hear_between(self._stream.resample_chunk(block))

    def result(self) -> NDArray[np.float32]:
        """(K,), once all blocks are in."""
        if self._stream is not None:
            self._hear_between(self._stream.resample_chunk(self._oversampled[:0], last=True))
            rest = maxima(self._oversampled, PERIOD_SAMPLES * OVERSAMPLING)
            self._between = np.concatenate([self._between, rest, np.zeros(len(self._on), np.float32)])
            self._join(len(self._on))
        return np.frombuffer(self._peaks, np.float32)

    def _hear_between(self, oversampled: Block) -> None:
        window = PERIOD_SAMPLES * OVERSAMPLING
        joined = np.concatenate([self._oversampled, oversampled])
        whole = len(joined) - len(joined) % window
        self._between = np.concatenate([self._between, maxima(joined[:whole], window)])
        self._oversampled = joined[whole:]
        self._join(min(len(self._on), len(self._between)))

    def _join(self, periods: int) -> None:
        # The resampler's band ends below 22 kHz: a single click may be higher on its sample.
        self._peaks.frombytes(np.maximum(self._on[:periods], self._between[:periods]).tobytes())
        self._on, self._between = self._on[periods:], self._between[periods:]


def maxima(block: Block, window: int) -> NDArray[np.float32]:
    """Largest absolute value in each ``window`` samples of (n, C); the last window may be shorter."""
    if len(block) % window:
        block = np.pad(block, ((0, -len(block) % window), (0, 0)))
    rows = block.reshape(-1, window * block.shape[1])
    maxima: NDArray[np.float32] = np.maximum(rows.max(axis=1, initial=0), -rows.min(axis=1, initial=0))
    return maxima


@lru_cache(maxsize=1)
def _response() -> NDArray[np.complex64]:
    """The K-weighting in the frequency domain, (_FFT_SAMPLES / 2 + 1,)."""
    return np.fft.rfft(_k_weighting(), _FFT_SAMPLES).astype(np.complex64)


@lru_cache(maxsize=1)
def _k_weighting() -> NDArray[np.float64]:
    """Impulse response of the K-weighting at 44.1 kHz, (:data:`TAPS`,)."""
    # Stage 1, a high shelf: the effect of the head.
    k = math.tan(math.pi * 1681.974450955533 / SAMPLE_RATE_HZ)
    q = 0.7071752369554196
    high = 10 ** (3.999843853973347 / 20)
    band = high**0.4996667741545416
    shelf = (high + band * k / q + k * k, 2 * (k * k - high), high - band * k / q + k * k)
    response = np.zeros(TAPS)
    response[0] = 1.0
    response = _biquad(response, shelf, (1 + k / q + k * k, 2 * (k * k - 1), 1 - k / q + k * k))
    # Stage 2, a high pass (RLB weighting). The recommendation does not scale its numerator.
    k = math.tan(math.pi * 38.13547087602444 / SAMPLE_RATE_HZ)
    q = 0.5003270373238773
    scale = 1 + k / q + k * k
    return _biquad(response, (scale, -2 * scale, scale), (scale, 2 * (k * k - 1), 1 - k / q + k * k))


def _biquad(
    signal: NDArray[np.float64], zeros: tuple[float, float, float], poles: tuple[float, float, float]
) -> NDArray[np.float64]:
    """A second-order recursive filter, direct form I, one sample at a time."""
    b0, b1, b2 = (b / poles[0] for b in zeros)
    a1, a2 = poles[1] / poles[0], poles[2] / poles[0]
    result = np.empty_like(signal)
    x1 = x2 = y1 = y2 = 0.0
    for n, x in enumerate(signal.tolist()):
        y = b0 * x + b1 * x1 + b2 * x2 - a1 * y1 - a2 * y2
        result[n] = y
        x1, x2, y1, y2 = x, x1, y, y1
    return result
