"""Beats: a grid of beats and bars from a network's activations.

The tracker assumes what studios do: one tempo, kept by a click. It lists likely tempi by correlating
stretches of the activations with combs, fits to each a steady grid and one that follows the singer,
and keeps the grid that explains beats and bar starts best (:func:`track_beats`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from appliance.errors import UsageError
from appliance.grid import FRAME_RATE_HZ
from appliance.music.score import BeatGrid

SLOWEST_BPM, FASTEST_BPM = 40.0, 220.0
USUAL_BPM, TEMPO_SPREAD = 95.0, 0.6
"""Median and deviation of the log of the tempi people sing in: what decides between octaves."""

METERS = {4: 0.0, 3: -0.2, 2: -0.4, 6: -1.7}
"""Beats a bar that are looked for, with their log prior."""

_PULSE_S = 0.035  # standard deviation of a comb's teeth: the network's blur and the singer's jitter
_WINDOW_S, _HOP_S = 10.0, 5.0  # of the tempogram: some twenty beats, over which hardly any tempo drifts
_CANDIDATES = 5
_SHORTEST_S = 4.0  # less is no ground for a tempo
_DRIFT = (0.75, 1.35)  # how far a following grid may leave the tempo, as a ratio of periods
_STEPS_PER_FRAME = 4  # time resolution of the following grid, 11.6 ms
_CHANGE_COST, _WOBBLE_COST = 12.0, 0.05  # of a change of the log period by 1, and of one step
_TURN = 3  # lags that the following grid may turn at a beat
_STEADY_IS_ENOUGH = 0.75  # share of the following grid's fit at which the steady one is kept
# Of the logs of the fits; these and the confidence are fitted to simulated singing of corpus songs.
_BEAT_WEIGHT, _BAR_WEIGHT, _NO_FIT = 9.0, 7.5, 0.02
_SURE = (3.74, 0.305, 1.39, 2.90)  # log odds: constant, of the margin to another tempo, of the log fits
_STIFFNESS = 4.0  # of the following grid against the scatter of single beats

Array = NDArray[np.floating]


@dataclass(frozen=True, slots=True)
class _Evidence:
    """One activation prepared: what exceeds its surroundings, (T,), and the same under a tooth."""

    excess: Array
    smooth: Array
    rate_hz: float
    norm: float

    @staticmethod
    def of(activation: NDArray[np.floating], rate_hz: float) -> _Evidence:
        a = np.clip(np.nan_to_num(np.asarray(activation, dtype=np.float64)), 0.0, 1.0)
        reach = round(2.0 * rate_hz)
        total = np.concatenate([[0.0], np.cumsum(a)])
        first = np.maximum(np.arange(len(a)) - reach, 0)
        stop = np.minimum(np.arange(len(a)) + reach, len(a))
        excess = a - (total[stop] - total[first]) / (stop - first)
        smooth = np.convolve(np.pad(excess, len(_tooth(rate_hz)) // 2), _tooth(rate_hz), "valid")
        return _Evidence(excess, smooth, rate_hz, float(np.linalg.norm(excess)))

    def at(self, times_s: Array) -> Array:
        """What a tooth at each time collects; 0 outside the file."""
        frames = np.arange(len(self.smooth))
        position = times_s * self.rate_hz - 0.5
        return np.asarray(np.interp(position, frames, self.smooth, left=0.0, right=0.0))

    def fit(self, times_s: Array, period_s: float) -> float:
        """Correlation -1 to 1 of the evidence with teeth at ``times_s``, about ``period_s`` apart."""
        tooth = _tooth(self.rate_hz)
        energy = float(tooth @ tooth)
        duty = min(0.9, float(tooth.sum()) ** 2 / energy / (period_s * self.rate_hz))
        norm = math.sqrt(max(len(times_s), 1) * energy * (1.0 - duty)) * self.norm
        return float(self.at(times_s).sum()) / norm if norm > 0 else 0.0


def track_beats(
    beat: NDArray[np.float32],
    downbeat: NDArray[np.float32],
    frame_rate_hz: float = FRAME_RATE_HZ,
    bpm: float | None = None,
) -> BeatGrid:
    """The beats of a whole file from activations ``beat`` and ``downbeat``, (T,) each, 0-1.

    Frame t's value is the probability that a beat, or a bar's start, falls in it. The grid covers the
    file from its first to its last moment, however little is sung. With ``bpm`` the period is exactly
    that throughout and only phase and meter are sought. Confidence is the probability that most beats
    are within 70 ms of true ones; no evidence gives an empty grid, or with ``bpm`` one of confidence 0;
    without evidence of bars there are beats but no downbeats.
    Raises :class:`UsageError` for a ``bpm`` that is no tempo.

    Tempogram: Grosche and Mueller, IEEE TASLP 2011. Following grid: dynamic programming (Ellis, *Beat
    Tracking by Dynamic Programming*, 2007) whose state also remembers the tempo, as the bar pointer
    does (Krebs, Boeck and Widmer, ISMIR 2015).
    """
    if bpm is not None and not (math.isfinite(bpm) and 10.0 <= bpm <= 400.0):
        raise UsageError(f"{bpm:g} bpm is not a tempo; give beats a minute between 10 and 400.")
    beats, bars = _Evidence.of(beat, frame_rate_hz), _Evidence.of(downbeat, frame_rate_hz)
    duration_s = len(beat) / frame_rate_hz
    if bpm is not None and len(beat):
        times = _steady(beats, 60.0 / bpm, exact=True)
        return _grid([_Fit.of(times, 60.0 / bpm, beats, bars)], duration_s)
    if duration_s < _SHORTEST_S or beats.norm < 1e-3:
        return BeatGrid()
    fits = []
    for period_s in _likely_periods(beats):
        steady = _Fit.of(_steady(beats, period_s), period_s, beats, bars)
        following = _Fit.of(_following(beats, period_s), period_s, beats, bars)
        fits.append(steady if steady.beat_fit >= _STEADY_IS_ENOUGH * following.beat_fit else following)
    return _grid(sorted(fits, key=lambda fit: -fit.score), duration_s)


def with_bars(
    grid: BeatGrid, downbeat: NDArray[np.float32], frame_rate_hz: float = FRAME_RATE_HZ
) -> BeatGrid:
    """``grid``, whose beats are known, with the meter and bar starts that ``downbeat`` (T,) speaks for.

    Without evidence of bars it comes back as it is.
    """
    bars = _Evidence.of(downbeat, frame_rate_hz)
    times_s = np.asarray(grid.beats_s)
    fit = _Fit.of(times_s, 60.0 / grid.bpm, bars, bars)
    found = _grid([fit], math.inf)
    return replace(grid, downbeats=found.downbeats, meter=found.meter) if found.downbeats else grid


@dataclass(frozen=True, slots=True)
class _Fit:
    """A candidate grid, how well it explains the activations, and its log score among candidates."""

    times_s: Array
    period_s: float
    meter: int
    first_downbeat: int
    beat_fit: float
    bar_fit: float
    score: float

    @staticmethod
    def of(times_s: Array, period_s: float, beats: _Evidence, bars: _Evidence) -> _Fit:
        beat_fit = beats.fit(times_s, period_s)
        options = []
        for meter, prior in METERS.items():
            for first in range(meter):
                fit = bars.fit(times_s[first::meter], period_s * meter)
                options.append((_BAR_WEIGHT * math.log(max(fit, _NO_FIT)) + prior, fit, meter, first))
        bar_score, bar_fit, meter, first = max(options)
        octaves_off = math.log(60.0 / period_s / USUAL_BPM) / TEMPO_SPREAD
        score = _BEAT_WEIGHT * math.log(max(beat_fit, _NO_FIT)) + bar_score - 0.5 * octaves_off**2
        return _Fit(times_s, period_s, meter, first, beat_fit, bar_fit, score)


def _grid(fits: list[_Fit], duration_s: float) -> BeatGrid:
    """The best of ``fits`` as a grid."""
    best = fits[0]
    inside = (best.times_s >= 0) & (best.times_s < duration_s)
    index = np.arange(len(best.times_s))[inside]
    times_s = best.times_s[inside]
    heard = best.bar_fit > _NO_FIT
    downbeats = np.flatnonzero(((index - best.first_downbeat) % best.meter == 0) & heard)
    return BeatGrid(tuple(times_s.tolist()), tuple(downbeats.tolist()), _confidence(fits), best.meter)


def _confidence(fits: list[_Fit]) -> float:
    """Probability that the first of ``fits`` is right: logistic in its fits and its lead."""
    best = fits[0]
    if best.beat_fit <= _NO_FIT:
        return 0.0
    others = [fit.score for fit in fits if abs(math.log(fit.period_s / best.period_s)) > 0.04]
    lead = min(best.score - max(others), 4.0) if others else 4.0
    constant, of_lead, of_beats, of_bars = _SURE
    log_odds = constant + of_lead * lead
    log_odds += of_beats * math.log(best.beat_fit) + of_bars * math.log(max(best.bar_fit, _NO_FIT))
    return 1.0 / (1.0 + math.exp(-log_odds))


def _likely_periods(beats: _Evidence) -> list[float]:
    """Periods in seconds, likeliest first: peaks of the tempogram, weighted by the tempo prior."""
    hz = np.geomspace(SLOWEST_BPM, FASTEST_BPM, 150) / 60
    window, hop = round(_WINDOW_S * beats.rate_hz), round(_HOP_S * beats.rate_hz)
    padded = np.pad(beats.excess, (hop, window))
    frames = np.lib.stride_tricks.sliding_window_view(padded, window)[::hop]
    size = 4096
    spectrum = np.fft.rfft(frames * np.hanning(window), size, axis=1)
    strength = np.zeros(len(hz))
    for i, f in enumerate(hz):
        weights, bins = _harmonics(f, beats.rate_hz, size)
        combs = _over_phases(spectrum[:, bins] * weights)
        strength[i] = combs.max(1).sum() / math.sqrt(float(weights @ weights))
    score = np.log(np.maximum(strength / strength.max(), 1e-6)) * 4
    score -= 0.5 * (np.log(60 * hz / USUAL_BPM) / TEMPO_SPREAD) ** 2
    inner = np.pad(score, 1, constant_values=-np.inf)
    peaks = np.flatnonzero((inner[1:-1] >= inner[:-2]) & (inner[1:-1] > inner[2:]))
    peaks = peaks[np.argsort(-score[peaks])][:_CANDIDATES]
    return [float(1 / hz[p]) for p in peaks]


def _steady(beats: _Evidence, period_s: float, exact: bool = False) -> Array:
    """Times of the evenly spaced grid near ``period_s`` that fits best; ``exact`` keeps the period."""
    n = len(beats.excess)
    size = 8 * (1 << max(8, n - 1).bit_length())
    spectrum = np.fft.rfft(beats.excess, size)
    around = np.array([1 / period_s])
    if not exact:
        step_hz = beats.rate_hz / n / 8
        steps = math.ceil(0.04 / period_s / step_hz)
        around = around + np.arange(-steps, steps + 1) * step_hz
    best, best_hz, best_phase = -np.inf, 1 / period_s, 0.0
    for part in np.array_split(around, max(1, len(around) // 512)):
        rows = [_harmonics(f, beats.rate_hz, size) for f in part]
        h = min(len(w) for w, _ in rows)
        combs = _over_phases(np.stack([spectrum[b[:h]] * w[:h] for w, b in rows]))
        i, j = np.unravel_index(int(combs.argmax()), combs.shape)
        if combs[i, j] > best:
            best, best_hz, best_phase = float(combs[i, j]), float(part[i]), float(j / combs.shape[1])
    period, first = 1 / best_hz, best_phase / best_hz + 0.5 / beats.rate_hz
    for _ in range(4):  # sub-frame: regression on where each beat's evidence lies
        index = np.arange(math.floor(-first / period), math.ceil((n / beats.rate_hz - first) / period) + 1)
        lies, weight = _centroids(beats, first + index * period, period)
        if weight.sum() < 1e-9:
            break
        x, total = index - (weight @ index) / weight.sum(), weight.sum()
        if not exact:
            slope = (weight * x) @ lies / max((weight * x) @ x, 1e-9)
            period += float(slope)
            first += float((weight @ lies) / total - slope * (weight @ index) / total)
        else:
            first += float((weight @ lies) / total)
    first -= period * math.floor(first / period)
    return np.asarray(first + np.arange(math.floor((n / beats.rate_hz - first) / period) + 1) * period)


def _following(beats: _Evidence, period_s: float) -> Array:
    """Times of the grid that follows the evidence around ``period_s``, kept supple by dynamic programming."""
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
    # Not appliance.numerics.viterbi: a beat follows one that is a lag away, not one step, so whole blocks of
    # steps are found at once and no step has to remember where it came from.
    best = np.zeros((pad + n, count), dtype=np.float32)  # of all grids that end on a step, by last lag
    for start in range(pad, pad + n, width):
        # Every beat of a block follows one before the block: the shortest lag is as long as the block.
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
    lies, weight = _centroids(beats, times, period_s)
    times = _smoothed(times + lies, weight / max(float(np.quantile(weight, 0.9)), 1e-9))
    return _extended_to(times, len(beats.excess) / beats.rate_hz)


def _extended_to(times: Array, duration_s: float) -> Array:
    """``times`` continued evenly to the file's start and end."""
    if len(times) < 3:
        return times
    first, last = float(np.median(np.diff(times[:8]))), float(np.median(np.diff(times[-8:])))
    before = times[0] - first * np.arange(math.floor(times[0] / first), 0, -1)
    after = times[-1] + last * np.arange(1, max(0, math.floor((duration_s - times[-1]) / last)) + 1)
    return np.concatenate([before, times, after])


def _centroids(beats: _Evidence, times_s: Array, period_s: float) -> tuple[Array, Array]:
    """Where the positive evidence around each beat lies, relative to it in seconds, and its weight."""
    reach = min(0.09, 0.3 * period_s)
    offsets = np.linspace(-reach, reach, 15)
    around = np.maximum(beats.at((times_s[:, None] + offsets).ravel()).reshape(-1, 15), 0.0) ** 2
    weight = around.sum(1)
    return around @ offsets / np.maximum(weight, 1e-12), np.sqrt(weight)


def _smoothed(times: Array, weight: Array) -> Array:
    """Whittaker's smoother: least squares to ``times`` by ``weight``, second differences kept small."""
    n = len(times)
    if n < 5:
        return times
    # Normal equations W + stiffness D'D: five diagonals, symmetric, solved by elimination.
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


def _tooth(rate_hz: float) -> Array:
    reach = math.ceil(3 * _PULSE_S * rate_hz)
    return np.asarray(np.exp(-0.5 * (np.arange(-reach, reach + 1) / (_PULSE_S * rate_hz)) ** 2))


def _harmonics(hz: float, rate_hz: float, size: int) -> tuple[Array, NDArray[np.intp]]:
    """Weights of a comb's harmonics, and their bins in an FFT of ``size``."""
    h = np.arange(1, max(2, int(8.0 / hz)) + 1)
    weights = np.exp(-2 * (np.pi * h * hz * _PULSE_S) ** 2)
    return weights, np.minimum(np.round(h * hz / rate_hz * size).astype(np.intp), size // 2)


def _over_phases(combs: NDArray[np.complexfloating]) -> Array:
    """Real sums of harmonics (rows, H) at 64 phases of the period: (rows, 64)."""
    full = np.zeros((len(combs), 33), dtype=np.complex128)
    h = min(combs.shape[1], 32)
    full[:, 1 : h + 1] = combs[:, :h]
    return np.fft.irfft(full, 64, axis=1)
