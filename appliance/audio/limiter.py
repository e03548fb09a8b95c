"""A look-ahead limiter: peaks are turned down before they arrive, and no sample is late.

From the peaks that the meter heard follows a curve of gain factors that is smooth (no clicks) and low
enough at every peak (proved below). It is a curve beside the sound, not a filter through which the
sound goes, so that stems can be turned down exactly as their sum is and still add up to it.

Why no peak escapes: let r(k) be the reduction that period k needs, in dB. The hold gives
h(j) >= r(k) for all |j - k| <= reach + 1; the release only raises h; the smoothed curve at k-1, k and
k+1 averages h(j) for |j - k| <= reach + 1 only; and each sample of period k lies between two of these.
The parts (hold, release, moving average) are common; see Giannoulis, Massberg and Reiss, "Digital
Dynamic Range Compressor Design", JAES 60(6), 2012.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from appliance.audio.blocks import Block, recut
from appliance.audio.loudness import PERIOD_SAMPLES, STEP_PERIODS, Heard, gated_lufs, power_of_steps
from appliance.grid import SAMPLE_RATE_HZ

Curve = NDArray[np.float64]

REACH_PERIODS = 4
"""The curve is smoothed over this many periods to each side: a fade of 6 ms."""

RELEASE_DB_PER_S = 30.0
"""How fast the gain comes back. Faster growls in the bass, slower pumps after each note."""

_CHUNK_PERIODS = 100 * STEP_PERIODS
"""Periods worked on at a time (10 s)."""


def gain_factors(heard: Heard, gain_db: float, ceiling_dbtp: float) -> Iterator[Block]:
    """For each sample the factor that raises it by ``gain_db``, but no peak above ``ceiling_dbtp``.

    Shape: blocks of (n,) float32, adding up to the samples heard, rounded up to a period.
    """
    # From a factor at the middle of each period to one for each sample, by straight lines.
    place = (np.arange(PERIOD_SAMPLES) + 0.5) / PERIOD_SAMPLES - 0.5
    before, after = np.maximum(-place, 0), np.maximum(place, 0)
    weights = np.stack([before, 1 - before - after, after])
    curve = period_factors(heard, gain_db, ceiling_dbtp)

    def straight(held: Curve) -> Curve:
        if np.all(held == held[0]):
            return np.full((len(held) - 2, PERIOD_SAMPLES), held[0])
        rows: Curve = sliding_window_view(held, 3) @ weights
        return rows

    for rows in _slide(curve, 1, straight):
        yield rows.astype(np.float32).reshape(-1)


def limited_lufs(heard: Heard, gain_db: float, ceiling_dbtp: float) -> float:
    """About how loud the limited sound will be, without hearing it again.

    The gain hardly moves within the memory of the K-weighting, so the weighted power of each period is
    scaled by the square of its factor.
    """
    step_power: list[NDArray[np.float64]] = []
    start = 0
    for factors in recut(period_factors(heard, gain_db, ceiling_dbtp), _CHUNK_PERIODS):
        scaled = heard.power[start : start + len(factors)] * np.square(factors)
        step_power.append(power_of_steps(scaled))
        start += len(factors)
    return gated_lufs(np.concatenate(step_power) if step_power else np.zeros(0))


def period_factors(heard: Heard, gain_db: float, ceiling_dbtp: float) -> Iterator[Curve]:
    """A factor for the middle of each period."""
    held = _slide(_needed_db(heard, gain_db, ceiling_dbtp), REACH_PERIODS + 1, _moving_maximum)
    hann = np.hanning(2 * REACH_PERIODS + 3)[1:-1]
    hann /= hann.sum()

    def smoothed(held: Curve) -> Curve:
        return np.convolve(held, hann, "valid") if held.any() else held[REACH_PERIODS:-REACH_PERIODS]

    for reduction_db in _slide(_released(held), REACH_PERIODS, smoothed):
        if reduction_db.any():
            yield 10 ** ((gain_db - reduction_db) / 20)
        else:
            yield np.full(len(reduction_db), 10 ** (gain_db / 20))


def _needed_db(heard: Heard, gain_db: float, ceiling_dbtp: float) -> Iterator[Curve]:
    """By how much each period must be turned down; never negative. Most need nothing."""
    allowed = max(10 ** ((ceiling_dbtp - gain_db) / 20) * 0.999, 1e-10)
    for start in range(0, len(heard.peak), _CHUNK_PERIODS):
        peak = heard.peak[start : start + _CHUNK_PERIODS].astype(np.float64)
        needed = np.zeros(len(peak))
        over = peak > allowed
        needed[over] = np.maximum(20 * np.log10(peak[over]) + gain_db - ceiling_dbtp, 0.0)
        yield needed


def _released(curves: Iterable[Curve]) -> Iterator[Curve]:
    """Rises at once, falls by :data:`RELEASE_DB_PER_S`."""
    fall_db = RELEASE_DB_PER_S * PERIOD_SAMPLES / SAMPLE_RATE_HZ
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
    # Over the shifted curves rather than within each window: ten times as fast.
    maximum: Curve = np.maximum.reduce(windows.T)
    return maximum


def _slide(curves: Iterable[Curve], reach: int, combine: Callable[[Curve], Curve]) -> Iterator[Curve]:
    """``combine`` of the values with ``reach`` more at each side; the ends are repeated outwards.

    Shape: (n + 2 reach,) into ``combine``, (n, ...) out of it.
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
