"""Beat tracker: a grid of beats and bars from the planner's activations.

Studio recordings usually keep one tempo, that of a click. The tracker lists likely tempi, fits a steady and a
following grid to each, and keeps the grid that explains beats and bar starts best (:func:`track_beats`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from appliance.composing.beat_evidence import Array, BeatEvidence
from appliance.composing.following_beats import following_beats
from appliance.composing.steady_beats import TEMPO_SPREAD, USUAL_BPM, likely_periods, steady_beats
from appliance.errors import UsageError
from appliance.grid import FRAME_RATE_HZ
from appliance.music.score import BeatGrid

METERS = {4: 0.0, 3: -0.2, 2: -0.4, 6: -1.7}
"""Log prior of each meter, in beats per bar."""

_SHORTEST_S = 4.0  # shorter recordings have no reliable tempo
_STEADY_SHARE = 0.75  # the steady grid is kept if its fit is at least this share of the following grid's
# Weights of the log fits. They and the confidence were fitted to simulated singing of corpus songs.
_BEAT_WEIGHT, _BAR_WEIGHT, _NO_FIT = 9.0, 7.5, 0.02
_CONFIDENCE = (3.74, 0.305, 1.39, 2.90)  # log odds: constant; weights of lead, log beat fit, log bar fit


def track_beats(
    beat: NDArray[np.float32],
    downbeat: NDArray[np.float32],
    frame_rate_hz: float = FRAME_RATE_HZ,
    bpm: float | None = None,
) -> BeatGrid:
    """Find the beats of a whole file from activations ``beat`` and ``downbeat``: (T,) each, T frames, 0-1.

    The value of a frame is the probability that a beat, or the start of a bar, falls in it. The grid covers
    the whole file, also where nothing is sung. With ``bpm`` the tempo is exactly that, and only phase and
    meter are estimated. The grid's confidence is the probability that most beats are within 70 ms of true
    ones. Without evidence of beats the grid is empty, or with ``bpm`` has confidence 0; without evidence of
    bars it has beats but no downbeats.

    Sources: tempogram: Grosche and Mueller, IEEE TASLP 2011. Following grid: Ellis, *Beat Tracking by Dynamic
    Programming*, 2007, with the tempo as part of the state, as in the bar pointer model (Krebs, Boeck and
    Widmer, ISMIR 2015).

    Raises:
        UsageError: ``bpm`` is not between 10 and 400.
    """
    if bpm is not None and not (math.isfinite(bpm) and 10.0 <= bpm <= 400.0):
        raise UsageError(f"{bpm:g} bpm is not a tempo; give beats per minute between 10 and 400.")
    beats, bars = BeatEvidence.of(beat, frame_rate_hz), BeatEvidence.of(downbeat, frame_rate_hz)
    duration_s = len(beat) / frame_rate_hz
    if bpm is not None and len(beat):
        times = steady_beats(beats, 60.0 / bpm, exact=True)
        return _grid([_Fit.of(times, 60.0 / bpm, beats, bars)], duration_s)
    if duration_s < _SHORTEST_S or beats.norm < 1e-3:
        return BeatGrid()
    fits = []
    for period_s in likely_periods(beats):
        steady = _Fit.of(steady_beats(beats, period_s), period_s, beats, bars)
        following = _Fit.of(following_beats(beats, period_s), period_s, beats, bars)
        fits.append(steady if steady.beat_fit >= _STEADY_SHARE * following.beat_fit else following)
    return _grid(sorted(fits, key=lambda fit: -fit.score), duration_s)


def with_bars(
    grid: BeatGrid, downbeat: NDArray[np.float32], frame_rate_hz: float = FRAME_RATE_HZ
) -> BeatGrid:
    """``grid`` with the meter and bar starts that fit ``downbeat`` (T,) best; its beats stay.

    Without evidence of bars it is returned unchanged.
    """
    bars = BeatEvidence.of(downbeat, frame_rate_hz)
    times_s = np.asarray(grid.beats_s)
    fit = _Fit.of(times_s, 60.0 / grid.bpm, bars, bars)
    found = _grid([fit], math.inf)
    return replace(grid, downbeats=found.downbeats, meter=found.meter) if found.downbeats else grid


@dataclass(frozen=True, slots=True)
class _Fit:
    """A candidate grid: its beats, (N,) seconds, its fits to the activations (-1 to 1), its log score."""

    times_s: Array
    period_s: float
    meter: int
    first_downbeat: int
    beat_fit: float
    bar_fit: float
    score: float

    @staticmethod
    def of(times_s: Array, period_s: float, beats: BeatEvidence, bars: BeatEvidence) -> _Fit:
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
    has_bars = best.bar_fit > _NO_FIT
    downbeats = np.flatnonzero(((index - best.first_downbeat) % best.meter == 0) & has_bars)
    return BeatGrid(tuple(times_s.tolist()), tuple(downbeats.tolist()), _confidence(fits), best.meter)


def _confidence(fits: list[_Fit]) -> float:
    """Probability that the first of ``fits`` is right: logistic in its fits and its lead over other tempi."""
    best = fits[0]
    if best.beat_fit <= _NO_FIT:
        return 0.0
    others = [fit.score for fit in fits if abs(math.log(fit.period_s / best.period_s)) > 0.04]
    lead = min(best.score - max(others), 4.0) if others else 4.0
    constant, of_lead, of_beats, of_bars = _CONFIDENCE
    log_odds = constant + of_lead * lead
    log_odds += of_beats * math.log(best.beat_fit) + of_bars * math.log(max(best.bar_fit, _NO_FIT))
    return 1.0 / (1.0 + math.exp(-log_odds))
