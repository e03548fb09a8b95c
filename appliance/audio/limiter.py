"""A look-ahead limiter without delay: a gain curve, computed from the measured peaks.

The curve is smooth (no clicks) and low enough at every peak (proof below). It is computed beside the sound,
so each stem can be multiplied by the curve of the sum, and the stems still add up to the sum.

Proof that no peak exceeds the ceiling: let r(k) be the reduction that period k needs, in dB. The hold gives
h(j) >= r(k) for all |j - k| <= reach + 1; the release only raises h; the smoothed curve at k-1, k and
k+1 averages h(j) for |j - k| <= reach + 1 only; and each sample of period k lies between two of these.
Hold, release and moving average are textbook parts: Giannoulis, Massberg and Reiss, "Digital Dynamic Range
Compressor Design", JAES 60(6), 2012.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from appliance.audio.blocks import Block, recut
from appliance.audio.loudness import PERIOD_SAMPLES, STEP_PERIODS, Measurement, gated_lufs, power_of_steps
from appliance.grid import SAMPLE_RATE_HZ

Curve = NDArray[np.float64]

REACH_PERIODS = 4
"""Periods on each side over which the curve is smoothed: a fade of 6 ms."""

RELEASE_DB_PER_S = 30.0
"""How fast the gain recovers. A faster release distorts the bass; a slower one pumps after each note."""

_CHUNK_PERIODS = 100 * STEP_PERIODS
"""Periods computed at a time (10 s)."""


def gain_factors(
    measured: Measurement, gain_db: float, ceiling_dbtp: float, release_db_per_s: float = RELEASE_DB_PER_S
) -> Iterator[Block]:
    """A factor for each sample: a gain of ``gain_db``, less where a peak would exceed ``ceiling_dbtp``.

    Shape: blocks of (n,) float32. The n add up to the samples of ``measured``, rounded up to a whole period.
    """
    # Linear interpolation from a factor at the middle of each period to one for each sample.
    place = (np.arange(PERIOD_SAMPLES) + 0.5) / PERIOD_SAMPLES - 0.5
    before, after = np.maximum(-place, 0), np.maximum(place, 0)
    weights = np.stack([before, 1 - before - after, after])
    curve = period_factors(measured, gain_db, ceiling_dbtp, release_db_per_s)

    def straight(held: Curve) -> Curve:
        if np.all(held == held[0]):
            return np.full((len(held) - 2, PERIOD_SAMPLES), held[0])
        rows: Curve = sliding_window_view(held, 3) @ weights
        return rows

    for rows in _slide(curve, 1, straight):
        yield rows.astype(np.float32).reshape(-1)


def limited_lufs(measured: Measurement, gain_db: float, ceiling_dbtp: float) -> float:
    """Estimate the integrated loudness (LUFS) after the limiter without processing the sound again.

    The gain hardly changes within the impulse response of the K-weighting, so the weighted power of each
    period is scaled by the square of its factor.
    """
    step_power: list[NDArray[np.float64]] = []
    start = 0
    for factors in recut(period_factors(measured, gain_db, ceiling_dbtp), _CHUNK_PERIODS):
        scaled = measured.power[start : start + len(factors)] * np.square(factors)
        step_power.append(power_of_steps(scaled))
        start += len(factors)
    return gated_lufs(np.concatenate(step_power) if step_power else np.zeros(0))


def period_factors(
    measured: Measurement, gain_db: float, ceiling_dbtp: float, release_db_per_s: float = RELEASE_DB_PER_S
) -> Iterator[Curve]:
    """The gain factor at the middle of each period, in arrays of (K,), K periods."""
    held = _slide(_needed_db(measured, gain_db, ceiling_dbtp), REACH_PERIODS + 1, _moving_maximum)
    hann = np.hanning(2 * REACH_PERIODS + 3)[1:-1]
    hann /= hann.sum()

    def smoothed(held: Curve) -> Curve:
        return np.convolve(held, hann, "valid") if held.any() else held[REACH_PERIODS:-REACH_PERIODS]

    for reduction_db in _slide(_released(held, release_db_per_s), REACH_PERIODS, smoothed):
        if reduction_db.any():
            yield 10 ** ((gain_db - reduction_db) / 20)
        else:
            yield np.full(len(reduction_db), 10 ** (gain_db / 20))


def _needed_db(measured: Measurement, gain_db: float, ceiling_dbtp: float) -> Iterator[Curve]:
    """Reduction in dB that each period needs; 0 or more."""
    allowed = max(10 ** ((ceiling_dbtp - gain_db) / 20) * 0.999, 1e-10)
    for start in range(0, len(measured.peak), _CHUNK_PERIODS):
        peak = measured.peak[start : start + _CHUNK_PERIODS].astype(np.float64)
        needed = np.zeros(len(peak))
        over = peak > allowed
        needed[over] = np.maximum(20 * np.log10(peak[over]) + gain_db - ceiling_dbtp, 0.0)
        yield needed


def _released(curves: Iterable[Curve], release_db_per_s: float) -> Iterator[Curve]:
    """Let the reduction rise at once and fall by at most ``release_db_per_s``."""
    fall_db = release_db_per_s * PERIOD_SAMPLES / SAMPLE_RATE_HZ
    last_db = 0.0
    for curve in curves:
        if last_db <= 0.0 and not curve.any():
            yield curve
            continue
        slope_db = fall_db * np.arange(len(curve) + 1)
        released = np.maximum.accumulate(np.concatenate([[last_db], curve]) + slope_db) - slope_db
        last_db = float(released[-1])
        yield released[1:]


def _moving_maximum(held: Curve) -> Curve:
    if not held.any():
        return held[REACH_PERIODS + 1 : -REACH_PERIODS - 1]
    windows = sliding_window_view(held, 2 * REACH_PERIODS + 3)
    # A maximum over shifted curves is ten times as fast as one within each window.
    maximum: Curve = np.maximum.reduce(windows.T)
    return maximum


def _slide(curves: Iterable[Curve], reach: int, combine: Callable[[Curve], Curve]) -> Iterator[Curve]:
    """Apply ``combine`` to a stream of values with ``reach`` neighbours on each side; ends are repeated.

    Shape: ``combine`` maps (n + 2 reach,) to (n, ...).
    """
    held = np.zeros(0)
    for curve in curves:
        if not len(held):
            held = np.full(reach, curve[0])
        held = np.concatenate([held, curve])
        if len(held) > 2 * reach:
            yield combine(held)
            held = held[-2 * reach :]
    if len(held) > reach:
        yield combine(np.concatenate([held, np.full(reach, held[-1])]))
