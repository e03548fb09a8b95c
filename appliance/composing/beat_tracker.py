"""Beat tracker: a grid of beats and bars from the planner's activations.

Studio recordings usually keep one tempo, that of a click. The tracker lists likely tempi, fits a steady and a
following grid to each, and keeps the grid that explains beats and bar starts best (:func:`track_beats`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from appliance.composing.bars import NO_FIT, Accents, Bars, find_bars
from appliance.composing.beat_evidence import Array, BeatEvidence
from appliance.composing.following_beats import steady_or_following_beats
from appliance.composing.steady_beats import likely_periods, log_tempo_prior, steady_beats
from appliance.composing.tempo_sections import beats_of_sections, tempo_sections
from appliance.errors import UsageError
from appliance.grid import FRAME_RATE_HZ
from appliance.music.score import BeatGrid

_SHORTEST_S = 4.0  # shorter recordings have no reliable tempo
# Weights of the log fits. They and the confidence were fitted to simulated singing of corpus songs.
_BEAT_WEIGHT, _BAR_WEIGHT = 9.0, 7.5
_BAR_PRIORS = {4: 0.0, 3: -0.2, 2: -0.4, 6: -1.7}  # of the bars that help to choose a tempo
_CHANGE_GAIN = 0.08  # log fit by which several tempi must exceed one
_CONFIDENCE = (3.2, 0.3, 4.0, -0.7)  # log odds: constant; weights of lead, log beat fit, unsettled tempo
_SAME_LEVEL = 0.88  # songs whose best-fitting grid has the written beats, not others half or twice as long


def track_beats(
    beat: NDArray[np.float32],
    downbeat: NDArray[np.float32],
    frame_rate_hz: float = FRAME_RATE_HZ,
    bpm: float | None = None,
    accents: Accents | None = None,
) -> BeatGrid:
    """Find the beats of a whole file from activations ``beat`` and ``downbeat``: (T,) each, T frames, 0-1.

    The value of a frame is the probability that a beat, or the start of a bar, falls in it. ``accents`` helps
    to find the bars. The grid covers the whole file, also where nothing is sung; its tempo may change. With
    ``bpm`` the tempo is exactly that, and only phase and meter are estimated. The grid's confidence is the
    probability that most beats are within 70 ms of true ones. Without evidence of beats the grid is empty, or
    with ``bpm`` has confidence 0; without evidence of bars it has beats but no downbeats.

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
        fits = [_Fit.of(steady_beats(beats, 60.0 / bpm, exact=True), 60.0 / bpm, beats, bars)]
        return _grid(fits, bars, accents, duration_s)
    if duration_s < _SHORTEST_S or beats.norm < 1e-3:
        return BeatGrid()
    fits = [
        _Fit.of(steady_or_following_beats(beats, period_s), period_s, beats, bars)
        for period_s in likely_periods(beats)
    ]
    fits.sort(key=lambda fit: -fit.score)
    sections = tempo_sections(beats)
    if len(sections) > 1:
        parts = beats_of_sections(beats, sections)
        changing = _Fit.of(np.concatenate(parts), None, beats, bars)
        one = beats.fit(fits[0].times_s, _mean_period_s(fits[0].times_s))
        if math.log(max(changing.beat_fit, NO_FIT) / max(one, NO_FIT)) >= _CHANGE_GAIN:
            starts = tuple(np.cumsum([0, *map(len, parts[:-1])]).tolist())
            fits = [replace(changing, section_starts=starts), *fits]
    return _grid(fits, bars, accents, duration_s, settled=len(sections) == 1)


def with_bars(
    grid: BeatGrid,
    downbeat: NDArray[np.float32],
    frame_rate_hz: float = FRAME_RATE_HZ,
    accents: Accents | None = None,
) -> BeatGrid:
    """``grid`` with the meter and bar starts that fit ``downbeat`` (T,) and ``accents`` best; its beats stay.

    Without evidence of bars it is returned unchanged.
    """
    bars = BeatEvidence.of(downbeat, frame_rate_hz)
    found = find_bars(np.asarray(grid.beats_s), bars, accents, (0, *grid.tempo_changes))
    return _with(grid, found) if found.fit > NO_FIT else grid


def half_time(grid: BeatGrid, activations: NDArray[np.float32], accents: Accents | None = None) -> BeatGrid:
    """Every other beat of ``grid``, and bars for them; ``activations`` (2, T) of beats and bar starts."""
    if len(grid.beats_s) < 4:
        return grid
    both = BeatEvidence.of(activations.sum(axis=0) / 2, FRAME_RATE_HZ)
    gains = both.at(np.asarray(grid.beats_s))
    gains[list(grid.downbeats)] += 0.5 * float(np.abs(gains).max(initial=0.0))
    first = max((0, 1), key=lambda k: float(gains[k::2].sum()))
    changes = tuple(sorted({(beat - first + 1) // 2 for beat in grid.tempo_changes}))
    halved = replace(grid, beats_s=grid.beats_s[first::2], downbeats=(), tempo_changes=changes)
    return with_bars(halved, activations[1], FRAME_RATE_HZ, accents)


def double_time(grid: BeatGrid, activations: NDArray[np.float32], accents: Accents | None = None) -> BeatGrid:
    """The beats of ``grid``, one more between any two, and bars for them; as :func:`half_time`."""
    count = len(grid.beats_s)
    if count < 2:
        return grid
    beats_s = np.interp(np.arange(2 * count - 1) / 2, np.arange(count), grid.beats_s)
    changes = tuple(2 * beat for beat in grid.tempo_changes)
    doubled = replace(grid, beats_s=tuple(beats_s.tolist()), downbeats=(), tempo_changes=changes)
    return with_bars(doubled, activations[1], FRAME_RATE_HZ, accents)


@dataclass(frozen=True, slots=True)
class _Fit:
    """A candidate grid: its beats, (N,) seconds, its fits to the activations (-1 to 1), its log score."""

    times_s: Array
    period_s: float
    beat_fit: float
    weaker_fit: float
    """The lower one of the fits to the first and to the second half."""
    score: float
    section_starts: tuple[int, ...] = (0,)

    @staticmethod
    def of(times_s: Array, period_s: float | None, beats: BeatEvidence, bars: BeatEvidence) -> _Fit:
        """``period_s`` None: as the beats have it on average."""
        period_s = _mean_period_s(times_s) if period_s is None else period_s
        beat_fit = beats.fit(times_s, period_s)
        bar_score = max(
            _BAR_WEIGHT * math.log(max(bars.fit(times_s[first::meter], period_s * meter), NO_FIT)) + prior
            for meter, prior in _BAR_PRIORS.items()
            for first in range(meter)
        )
        prior = float(log_tempo_prior(np.array(1.0 / period_s)))
        score = _BEAT_WEIGHT * math.log(max(beat_fit, NO_FIT)) + bar_score + prior
        middle_s = len(beats.excess) / beats.rate_hz / 2
        halves = ((0.0, middle_s), (middle_s, 2 * middle_s))
        weaker_fit = min(_fit_within(times_s, period_s, beats, *half) for half in halves)
        return _Fit(times_s, period_s, beat_fit, weaker_fit, score)


def _grid(
    fits: list[_Fit], bars: BeatEvidence, accents: Accents | None, duration_s: float, settled: bool = True
) -> BeatGrid:
    """The best of ``fits`` as a grid. It is ``settled`` if one tempo is likely throughout."""
    best = fits[0]
    inside = (best.times_s >= 0) & (best.times_s < duration_s)
    times_s = best.times_s[inside]
    before = int(np.argmax(inside)) if inside.any() else 0
    starts = sorted({min(max(0, start - before), max(0, len(times_s) - 1)) for start in best.section_starts})
    found = find_bars(times_s, bars, accents, starts)
    grid = BeatGrid(
        tuple(times_s.tolist()), confidence=_confidence(fits, settled), tempo_changes=tuple(starts[1:])
    )
    return _with(grid, found) if found.fit > NO_FIT else grid


def _with(grid: BeatGrid, bars: Bars) -> BeatGrid:
    return replace(
        grid,
        downbeats=bars.downbeats,
        meter=bars.meter,
        compound=bars.compound,
        meter_confidence=bars.confidence,
    )


def _confidence(fits: list[_Fit], settled: bool) -> float:
    """Probability that the first of ``fits`` is right: logistic in its fits and its lead over other tempi."""
    best = fits[0]
    if best.beat_fit <= NO_FIT:
        return 0.0
    others = [fit.score for fit in fits if abs(math.log(fit.period_s / best.period_s)) > 0.04]
    lead = min(best.score - max(others), 4.0) if others else 4.0
    constant, of_lead, of_beats, if_unsettled = _CONFIDENCE
    log_fit = math.log(best.beat_fit * max(best.weaker_fit, NO_FIT)) / 2
    log_odds = constant + of_lead * lead + of_beats * log_fit
    if not settled and len(best.section_starts) == 1:
        log_odds += if_unsettled  # parts of the song speak for another tempo
    return _SAME_LEVEL / (1.0 + math.exp(-log_odds))


def _fit_within(times_s: Array, period_s: float, beats: BeatEvidence, first_s: float, stop_s: float) -> float:
    part, offset_s = beats.part(first_s, stop_s)
    inside = times_s[(times_s >= first_s) & (times_s < stop_s)]
    return part.fit(inside - offset_s, period_s)


def _mean_period_s(times_s: Array) -> float:
    return float(np.diff(times_s).mean()) if len(times_s) > 1 else 1.0
