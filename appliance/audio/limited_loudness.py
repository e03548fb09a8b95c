"""How loud a limited sound is, heard again only where the limiter acted.

Elsewhere the sound is the one that was heard before, times one gain: its power and peaks are known. A
limiter that catches single notes acts in a few hundredths of a song, so the check of what left it costs
as little.
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
    Heard,
    Loudness,
    loudness_of,
    power_of_steps,
    true_peaks,
    weighted_power,
)

_HOP_PERIODS = HOP_SAMPLES // PERIOD_SAMPLES
_PERIODS_AFTER = TAPS // PERIOD_SAMPLES + 2
"""As long the K-weighting remembers what the limiter did."""

_PERIODS_BEFORE = 100
"""As far the oversampling filter sees ahead; to both sides it sees less than HOP_SAMPLES."""

_LEAST_REDUCTION = 1e-7


def limited_loudness(heard: Heard, gain_db: float, aim_dbtp: float, blocks: Iterable[Block]) -> Loudness:
    """The loudness of ``blocks``, whose sound is ``heard``, behind the limiter. Shape: (n, C) blocks."""
    gain = np.float32(10 ** (gain_db / 20))
    acts = _acts(heard, gain_db, aim_dbtp)
    limited = _limited(blocks, recut(gain_factors(heard, gain_db, aim_dbtp), HOP_SAMPLES), acts)
    highest, step_power = 0.0, [np.zeros(0)]
    for number, (before, hop, after) in enumerate(limited):
        if acts[number]:
            power = weighted_power(np.concatenate([before[-TAPS:], hop]))
            reach = _PERIODS_BEFORE * PERIOD_SAMPLES
            peak = true_peaks(before[-reach:], hop, after[:reach])
        else:
            first = number * _HOP_PERIODS
            periods = slice(first, first + -(-len(hop) // PERIOD_SAMPLES))
            power, peak = heard.power[periods] * np.square(gain), heard.peak[periods] * gain
        highest = max(highest, float(peak.max(initial=0)))
        step_power.append(power_of_steps(power))
    return loudness_of(highest, np.concatenate(step_power))


def _acts(heard: Heard, gain_db: float, aim_dbtp: float) -> NDArray[np.bool_]:
    """Whether the limiter changes what is heard in each hop."""
    least = 10 ** (gain_db / 20) * (1 - _LEAST_REDUCTION)
    acts = np.concatenate([factors < least for factors in period_factors(heard, gain_db, aim_dbtp)])
    starts = np.arange(0, len(acts), _HOP_PERIODS)
    first = np.maximum(starts - _PERIODS_AFTER, 0)
    behind = np.minimum(starts + _HOP_PERIODS + _PERIODS_BEFORE, len(acts))
    spans = np.stack([first, behind], axis=1).reshape(-1)
    found: NDArray[np.bool_] = np.logical_or.reduceat(np.append(acts, False), spans)[::2]
    return found


def _limited(
    blocks: Iterable[Block], factors: Iterable[Block], acts: NDArray[np.bool_]
) -> Iterator[tuple[Block, Block, Block]]:
    """Each hop behind the limiter, with the hops beside it; only those near one that ``acts`` are right."""
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
