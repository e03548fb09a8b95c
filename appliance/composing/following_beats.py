"""A beat grid that follows a singer whose tempo varies, by dynamic programming, and when it is needed."""

from __future__ import annotations

import math

import numpy as np

from appliance.composing.beat_evidence import Array, BeatEvidence, centroids
from appliance.composing.steady_beats import steady_beats

_STEADY_SHARE = 0.75  # the steady grid is kept if its fit is at least this share of the following grid's
_DRIFT = (0.75, 1.35)  # shortest and longest period, as a ratio to the given one
_STEPS_PER_FRAME = 4  # time resolution: 11.6 ms
_CHANGE_COST, _WOBBLE_COST = 12.0, 0.05  # of a change of the log period by 1, and by one lag
_TURN = 3  # largest change of the period at a beat, in lags
_STIFFNESS = 4.0  # of the smoothed grid against the scatter of single beats


def steady_or_following_beats(beats: BeatEvidence, period_s: float) -> Array:
    """The steady grid of ``period_s``, unless the evidence fits a following one far better.

    Returns the times of its N beats in seconds, (N,).
    """
    steady, following = steady_beats(beats, period_s), following_beats(beats, period_s)
    keep = beats.fit(steady, period_s) >= _STEADY_SHARE * beats.fit(following, period_s)
    return steady if keep else following


def following_beats(beats: BeatEvidence, period_s: float) -> Array:
    """The grid with a variable period around ``period_s`` that collects the most evidence.

    Returns the times of its N beats in seconds, (N,).
    """
    step_s = 1 / (beats.rate_hz * _STEPS_PER_FRAME)
    n = len(beats.excess) * _STEPS_PER_FRAME
    gain = beats.at((np.arange(n) + 0.5) * step_s)
    loud = gain[(gain > np.roll(gain, 1)) & (gain >= np.roll(gain, -1)) & (gain > 0)]
    gain = np.minimum(gain / max(float(np.quantile(loud, 0.9)) if len(loud) else 1.0, 1e-9), 1.5)
    gain = gain.astype(np.float32)
    shortest, longest = (max(2.0, ratio * period_s / step_s) for ratio in _DRIFT)
    lags = np.unique(np.round(np.geomspace(shortest, longest, 32)).astype(np.intp))
    count, pad, width = len(lags), int(lags[-1]), int(lags[0])
    columns = np.arange(count)
    turn = np.abs(columns - columns[:, None])
    change = _CHANGE_COST * np.abs(np.log(lags / lags[:, None]))
    cost = np.where(turn < 2, _WOBBLE_COST * turn, change).astype(np.float32)
    # Not appliance.numerics.viterbi: a beat follows another one a lag earlier, not one step earlier. So whole
    # blocks of steps are computed at once, and back-pointers are not needed.
    best = np.zeros((pad + n, count), dtype=np.float32)  # best score of grids that end on a step, by last lag
    for start in range(pad, pad + n, width):
        # A block is as long as the shortest lag, so each beat in it follows a beat before the block.
        rows = np.arange(start, min(pad + n, start + width))
        sources = rows[:, None] - lags
        top = best[sources, columns]
        for k in range(1, _TURN + 1):
            low, high = columns[:-k], columns[k:]
            np.maximum(top[:, k:], best[sources[:, k:], low] - cost[high, low], out=top[:, k:])
            np.maximum(top[:, :-k], best[sources[:, :-k], high] - cost[low, high], out=top[:, :-k])
        best[rows] = top + gain[rows - pad, None]
    row, lag = divmod(int(best[-pad:].argmax()), count)
    row, path = row + n, []
    while row >= pad:
        path.append(row - pad)
        row -= int(lags[lag])
        lag = int(np.where(turn[lag] <= _TURN, best[row] - cost[lag], -np.inf).argmax())
    times: Array = (np.array(path[::-1]) + 0.5) * step_s
    offset_s, weight = centroids(beats, times, period_s)
    times = _smooth(times + offset_s, weight / max(float(np.quantile(weight, 0.9)), 1e-9))
    return _extend(times, len(beats.excess) / beats.rate_hz)


def _extend(times: Array, duration_s: float) -> Array:
    """``times`` (N,), extrapolated with the first and last periods to the file's start and end."""
    if len(times) < 3:
        return times
    first, last = float(np.median(np.diff(times[:8]))), float(np.median(np.diff(times[-8:])))
    before = times[0] - first * np.arange(math.floor(times[0] / first), 0, -1)
    after = times[-1] + last * np.arange(1, max(0, math.floor((duration_s - times[-1]) / last)) + 1)
    return np.concatenate([before, times, after])


def _smooth(times: Array, weight: Array) -> Array:
    """``times`` (N,), smoothed with ``weight`` (N,) and a penalty on second differences.

    Source: Eilers, *A perfect smoother*, Analytical Chemistry 75, 2003 (Whittaker's smoother).
    """
    n = len(times)
    if n < 5:
        return times
    # Normal equations W + stiffness · D'D: symmetric with five diagonals, solved by elimination.
    weight = weight + 1e-3
    main, one, two = weight.copy(), np.zeros(n), np.zeros(n)
    for row, square in ((0, 1.0), (1, 4.0), (2, 1.0)):
        main[row : n - 2 + row] += _STIFFNESS * square
        one[row : n - 2 + row] -= _STIFFNESS * 2 * (row < 2)
    two[: n - 2] = _STIFFNESS
    a, b, c, r = main.tolist(), one.tolist(), two.tolist(), (weight * times).tolist()
    for i in range(n - 1):
        f = b[i] / a[i]
        a[i + 1] -= f * b[i]
        r[i + 1] -= f * r[i]
        if i + 2 < n:
            b[i + 1] -= f * c[i]
            g = c[i] / a[i]
            a[i + 2] -= g * c[i]
            r[i + 2] -= g * r[i]
    for i in range(n - 1, -1, -1):
        if i + 1 < n:
            r[i] -= b[i] * r[i + 1]
        if i + 2 < n:
            r[i] -= c[i] * r[i + 2]
        r[i] /= a[i]
    return np.asarray(r)
