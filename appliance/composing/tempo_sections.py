"""Sections of different tempo: where a song changes from one tempo to another for good.

A tempogram of short windows gives the strength of every tempo over time. The most likely path through it
keeps its tempo, drifts slowly, or pays for a jump. Such a path is the first pass of Wu and others, *A
two-fold dynamic programming approach to beat tracking for audio music with time-varying tempo*, ISMIR 2011.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from appliance.composing.beat_evidence import Array, BeatEvidence
from appliance.composing.following_beats import steady_or_following_beats
from appliance.composing.steady_beats import TEMPI_HZ, log_tempo_prior, tempogram
from appliance.numerics.viterbi import Arrival, best_path

_WINDOW_S, _HOP_S = 8.0, 2.0
_STRENGTH_WEIGHT, _PRIOR_WEIGHT = 4.0, 0.2
_JUMP_COST, _DRIFT_COST = 3.0, 0.1
_SHORTEST_S = 8.0
"""A shorter section is not told from chance; a neighbour takes it over."""

_SAME_LOG_RATIO = 0.04
_AMBIGUOUS_RATIOS = (1, 2, 3, 4)
"""Sections whose tempi are this far apart are the same tempo, counted otherwise."""

_AROUND_S = 5.0
_CUT_STEP_S = 0.1
_GAP_WEIGHT = 0.5


@dataclass(frozen=True, slots=True)
class TempoSection:
    """From ``start_s`` to ``end_s`` the beats come about every ``period_s``."""

    start_s: float
    end_s: float
    period_s: float

    @property
    def length_s(self) -> float:
        """Seconds that it lasts."""
        return self.end_s - self.start_s


def tempo_sections(beats: BeatEvidence) -> list[TempoSection]:
    """The sections of a song in order of time, covering it; one for a song that keeps its tempo."""
    duration_s = len(beats.excess) / beats.rate_hz
    strength = tempogram(beats, _WINDOW_S, _HOP_S)
    loudest = strength.max(axis=1)
    gains = np.log(np.maximum(strength / max(float(strength.max()), 1e-9), 1e-3))
    # Where little is sung the tempo is anyone's guess: such windows count less.
    gains *= (
        _STRENGTH_WEIGHT * np.minimum(1.0, loudest / max(float(np.quantile(loudest, 0.7)), 1e-9))[:, None]
    )
    path = best_path(gains + _PRIOR_WEIGHT * log_tempo_prior(TEMPI_HZ), _arrive)
    cuts = [0, *(np.flatnonzero(np.abs(np.diff(path)) > 1) + 1).tolist(), len(path)]
    sections = [
        TempoSection(
            max(0.0, (first - 0.5) * _HOP_S) if first else 0.0,
            (stop - 0.5) * _HOP_S if stop < len(path) else duration_s,
            float(1.0 / TEMPI_HZ[int(np.median(path[first:stop]))]),
        )
        for first, stop in pairwise(cuts)
    ]
    return _simplified([section for section in sections if section.start_s < duration_s])


def beats_of_sections(beats: BeatEvidence, sections: list[TempoSection]) -> list[Array]:
    """The beats of each section, in seconds: steady unless the evidence follows another grid far better."""
    grids = []
    for section in sections:
        first_s, stop_s = section.start_s - _AROUND_S, section.end_s + _AROUND_S
        part, offset_s = beats.part(first_s, stop_s)
        grids.append(steady_or_following_beats(part, section.period_s) + offset_s)
    found: list[Array] = []
    for number, grid in enumerate(grids):
        if number:
            cut_s = _cut(beats, found[-1], grid, sections[number - 1], sections[number])
            found[-1] = found[-1][found[-1] < cut_s - 1e-6]
            grid = grid[grid >= cut_s]
        found.append(grid)
    return found


def _cut(
    beats: BeatEvidence, before: Array, after: Array, first: TempoSection, second: TempoSection
) -> float:
    """Where best to change from the beats ``before`` to those ``after``, near the end of ``first``."""
    near = second.start_s
    before, after = before[before > near - 2 * _AROUND_S], after[after < near + 2 * _AROUND_S]
    gains = [beats.at(grid) * math.sqrt(s.period_s) for grid, s in ((before, first), (after, second))]
    best, chosen = -math.inf, near
    for cut_s in np.arange(near - _AROUND_S, near + _AROUND_S, _CUT_STEP_S).tolist():
        left, right = before[before < cut_s - 1e-6], after[after >= cut_s]
        if len(left) < 2 or len(right) < 2:
            continue
        gap_s = max(float(right[0] - left[-1]), 1e-3)
        odd = min(abs(math.log(gap_s / first.period_s)), abs(math.log(gap_s / second.period_s)), 1.0)
        score = float(gains[0][: len(left)].sum() + gains[1][-len(right) :].sum())
        score -= _GAP_WEIGHT * odd * float(beats.smooth.max())
        if score > best:
            best, chosen = score, cut_s
    return chosen


def _arrive(scores: Array, _: int) -> Arrival:
    """The tempo stays, moves by one bin, or jumps."""
    best, sources = scores.copy(), np.arange(len(scores))
    for shifted, source in ((scores[:-1] - _DRIFT_COST, 1), (scores[1:] - _DRIFT_COST, -1)):
        target = slice(1, None) if source > 0 else slice(None, -1)
        better = shifted > best[target]
        best[target] = np.where(better, shifted, best[target])
        sources[target] = np.where(better, np.arange(len(scores))[target] - source, sources[target])
    highest = int(scores.argmax())
    jumps = scores[highest] - _JUMP_COST > best
    return np.where(jumps, scores[highest] - _JUMP_COST, best), np.where(jumps, highest, sources)


def _simplified(sections: list[TempoSection]) -> list[TempoSection]:
    """Short sections go to their longer neighbour; neighbours of one tempo are joined."""
    sections = list(sections)
    while len(sections) > 1:
        lengths = [section.length_s for section in sections]
        shortest = int(np.argmin(lengths))
        pairs = [k for k in range(len(sections) - 1) if _same_tempo(sections[k], sections[k + 1])]
        if lengths[shortest] < _SHORTEST_S:
            beside = [k for k in (shortest - 1, shortest + 1) if 0 <= k < len(sections)]
            kept = max(beside, key=lambda k: lengths[k])
            pair = min(shortest, kept)
        elif pairs:
            pair = pairs[0]
            kept = pair if lengths[pair] >= lengths[pair + 1] else pair + 1
        else:
            break
        joined = replace(sections[kept], start_s=sections[pair].start_s, end_s=sections[pair + 1].end_s)
        sections[pair : pair + 2] = [joined]
    return sections


def _same_tempo(a: TempoSection, b: TempoSection) -> bool:
    ratio = abs(math.log(a.period_s / b.period_s))
    return any(abs(ratio - math.log(times)) < _SAME_LOG_RATIO for times in _AMBIGUOUS_RATIOS)
