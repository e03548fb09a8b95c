"""Loudness after the limiter, measured again only where the limiter acts.

Elsewhere the limiter's output is its input times one gain, and the power and peaks of the input are known
from the first measurement. A limiter that catches single notes acts in a few percent of a song, so the second
measurement costs a few percent of the first.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from appliance.audio.blocks import Block, recut
from appliance.audio.limiter import gain_factors, period_factors
from appliance.audio.loudness import (
    HOP_SAMPLES,
    PERIOD_SAMPLES,
    TAPS,
    Loudness,
    Measurement,
    loudness_of,
    power_of_steps,
    true_peaks,
    weighted_power,
)

_HOP_PERIODS = HOP_SAMPLES // PERIOD_SAMPLES
_PERIODS_AFTER = TAPS // PERIOD_SAMPLES + 2
"""Periods after a gain change during which the K-weighting still differs (its impulse response)."""

_PERIODS_BEFORE = 100
"""Look-ahead of the oversampling filter, in periods; it reaches less than HOP_SAMPLES to either side."""

_LEAST_REDUCTION = 1e-7


def limited_loudness(
    measured: Measurement, gain_db: float, aim_dbtp: float, blocks: Iterable[Block]
) -> Loudness:
    """Loudness of ``blocks`` after the limiter of :func:`appliance.audio.limiter.gain_factors`.

    ``measured`` is the measurement of the same ``blocks`` before it. Shape: blocks of (n, C): n samples, C
    channels.
    """
    gain = np.float32(10 ** (gain_db / 20))
    acts = _acts(measured, gain_db, aim_dbtp)
    limited = _limited(blocks, recut(gain_factors(measured, gain_db, aim_dbtp), HOP_SAMPLES), acts)
    highest, step_power = 0.0, [np.zeros(0)]
    for number, (before, hop, after) in enumerate(limited):
        if acts[number]:
            power = weighted_power(np.concatenate([before[-TAPS:], hop]))
            reach = _PERIODS_BEFORE * PERIOD_SAMPLES
            peak = true_peaks(before[-reach:], hop, after[:reach])
        else:
            first = number * _HOP_PERIODS
            periods = slice(first, first + -(-len(hop) // PERIOD_SAMPLES))
            power, peak = measured.power[periods] * np.square(gain), measured.peak[periods] * gain
        highest = max(highest, float(peak.max(initial=0)))
        step_power.append(power_of_steps(power))
    return loudness_of(highest, np.concatenate(step_power))


def _acts(measured: Measurement, gain_db: float, aim_dbtp: float) -> NDArray[np.bool_]:
    """For each hop, whether the limiter affects its measurement: (H,) for H hops."""
    least = 10 ** (gain_db / 20) * (1 - _LEAST_REDUCTION)
    acts = np.concatenate([factors < least for factors in period_factors(measured, gain_db, aim_dbtp)])
    starts = np.arange(0, len(acts), _HOP_PERIODS)
    first = np.maximum(starts - _PERIODS_AFTER, 0)
    behind = np.minimum(starts + _HOP_PERIODS + _PERIODS_BEFORE, len(acts))
    spans = np.stack([first, behind], axis=1).reshape(-1)
    found: NDArray[np.bool_] = np.logical_or.reduceat(np.append(acts, False), spans)[::2]
    return found


def _limited(
    blocks: Iterable[Block], factors: Iterable[Block], acts: NDArray[np.bool_]
) -> Iterator[tuple[Block, Block, Block]]:
    """Each hop after the limiter, with the hops before and after it.

    The gain is applied only to hops that ``acts`` marks and to their neighbours; others pass unchanged.
    """
    near = np.convolve(acts, [1, 1, 1])[1:-1] > 0
    before, hop = np.zeros((0, 0), np.float32), np.zeros((0, 0), np.float32)
    for number, (block, factor) in enumerate(zip(recut(blocks, HOP_SAMPLES), factors, strict=False)):
        after = block * factor[: len(block), None] if near[number] else block
        if number:
            yield before, hop, after
        else:
            hop = np.zeros((HOP_SAMPLES, block.shape[1]), np.float32)
        before, hop = hop, after
    if len(hop):
        yield before, hop, hop[:0]
