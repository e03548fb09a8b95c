"""Bars: how many beats they have, where they begin, and whether a beat is divided in two or three.

The meter is that whose bars fit three kinds of evidence best: the planner's activation of bar starts, changes
of its harmony, and the rhythm of the singing, which repeats after a bar or two. The planner has hardly heard
bars of five or seven, so for these the rhythm decides.

Letters: T score frames, P plan frames, N beats, M the meters in :data:`METERS`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from appliance.composing.beat_evidence import Array, BeatEvidence
from appliance.grid import FRAME_RATE_HZ, FRAMES_PER_PLAN

# Log priors and weights were fitted to simulated singing of corpus songs, some of them warped into bars of
# five and seven; the priors were then set to how often meters occur.
METERS = {4: 0.0, 3: -0.2, 2: -1.0, 5: -2.5, 6: -2.5, 7: -3.0}
"""Log prior of each meter, in beats per bar."""

COMPOUND_PRIORS = {2: 0.5}
"""Of beats that are divided in three, two make a bar of 6/8, the commonest of these meters."""

_FIT_WEIGHT, _HARMONY_WEIGHT, _RHYTHM_WEIGHT = 1.2, 1.2, 0.55
_FIT_ALONE_WEIGHT = 7.5
"""Weight of the log fit of bar starts where nothing else is known."""

NO_FIT = 0.02
"""Least fit that counts."""

_HARMONY = {
    2: (0.98, 0.72),
    3: (1.03, 0.74, 0.70),
    4: (1.07, 0.74, 0.87, 0.72),
    5: (1.10, 0.74, 0.80, 0.80, 0.74),
    6: (1.05, 0.80, 0.75, 0.90, 0.75, 0.70),
    7: (1.10, 0.74, 0.80, 0.74, 0.80, 0.74, 0.74),
}
"""How much the harmony changes on each beat of a bar, as measured (2, 3, 4, 6) or taken from these (5, 7)."""

_HARMONY_FRAMES = 4
"""Plan frames before and after a beat that are compared: 0.74 s each."""

_PLACES = 4
"""Places in a beat at which its rhythm is compared."""

_NEAR_S = 0.035
_LOUDEST_ONSET = 1.5
_COMPOUND_LOG_RATIOS = 0.4, 0.1
"""Thirds of a beat must be sung on so much more (log ratio) than its half, and than its quarters. Of 60 songs
in simple time two do, one of them in triplets; of 13 in compound time nine do."""

_LEAST_ONSET = 0.02


@dataclass(frozen=True, slots=True)
class Accents:
    """What speaks for bars besides the beats: ``plan`` (24, P) and ``onsets`` (2T,), two a score frame."""

    plan: NDArray[np.float32]
    onsets: NDArray[np.float32]

    @staticmethod
    def of(plan: NDArray[np.float32], onset_rows: NDArray[np.float32]) -> Accents:
        """From the plan (24, P) and the onset rows of the features, (2, T)."""
        return Accents(plan, onset_rows.T.reshape(-1))


@dataclass(frozen=True, slots=True)
class Bars:
    """The ``meter`` in beats per bar, the beats that begin a bar, and whether a beat has three parts.

    ``fit`` is that of the bar starts to their activation (-1 to 1), ``confidence`` the probability that the
    meter is right among :data:`METERS`, if the beats are.
    """

    meter: int
    downbeats: tuple[int, ...]
    compound: bool
    fit: float
    confidence: float


def find_bars(
    times_s: Array, downbeat: BeatEvidence, accents: Accents | None, section_starts: Sequence[int] = (0,)
) -> Bars:
    """The bars of beats at ``times_s`` (N,).

    Where the tempo changes a section begins: ``section_starts`` are the beats with which they do. All
    sections have one meter, but its bars may begin anew.
    """
    if len(times_s) < 2:
        return Bars(4, (), compound=False, fit=0.0, confidence=0.0)
    compound = accents is not None and _is_compound(times_s, accents.onsets)
    sections = [
        _Section.of(times_s[first:stop], first, downbeat, accents)
        for first, stop in zip(section_starts, (*section_starts[1:], len(times_s)), strict=True)
    ]
    scores: dict[int, float] = {}
    firsts: dict[int, list[int]] = {}
    for meter, prior in METERS.items():
        best = [section.best_first(meter) for section in sections]
        firsts[meter] = [first for _, first in best]
        scores[meter] = sum(score for score, _ in best) + prior + compound * COMPOUND_PRIORS.get(meter, 0.0)
    meter = max(scores, key=lambda m: scores[m])
    starts = [
        np.arange(section.first + first, section.stop, meter)
        for section, first in zip(sections, firsts[meter], strict=True)
    ]
    downbeats = np.concatenate(starts)
    period_s = float(np.median(np.diff(times_s)))
    fit = downbeat.fit(times_s[downbeats], period_s * meter)
    total = sum(math.exp(score - scores[meter]) for score in scores.values())
    return Bars(meter, tuple(downbeats.tolist()), compound, fit, 1.0 / total)


@dataclass(frozen=True, slots=True)
class _Section:
    """Beats ``first`` to ``stop`` of one tempo, and the evidence at them, each (n,) of n beats."""

    first: int
    stop: int
    times_s: Array
    downbeat: BeatEvidence
    harmony: Array | None
    rhythm: Array | None
    """(n - 1, places), of mean 0 at each place."""

    @staticmethod
    def of(times_s: Array, first: int, downbeat: BeatEvidence, accents: Accents | None) -> _Section:
        harmony = None if accents is None else _standardised(_harmony_change(accents.plan, times_s))
        rhythm = None if accents is None else _rhythm(accents.onsets, times_s)
        return _Section(first, first + len(times_s), times_s, downbeat, harmony, rhythm)

    def best_first(self, meter: int) -> tuple[float, int]:
        """The log score of the best phase of bars of ``meter`` beats, and the beat of the first bar start."""
        count = len(self.times_s)
        period_s = float(np.median(np.diff(self.times_s))) if count > 1 else 1.0
        weight = _FIT_ALONE_WEIGHT if self.harmony is None else _FIT_WEIGHT
        repeats = _RHYTHM_WEIGHT * math.sqrt(count) * self._repetition(meter)
        template = _standardised(np.array(_HARMONY[meter]))
        options = []
        for first in range(min(meter, count)):
            fit = self.downbeat.fit(self.times_s[first::meter], period_s * meter)
            score = weight * math.log(max(fit, NO_FIT)) + repeats
            if self.harmony is not None:
                expected = template[(np.arange(count) - first) % meter]
                score += _HARMONY_WEIGHT * float(self.harmony @ expected) / math.sqrt(count)
            options.append((score, first))
        return max(options)

    def _repetition(self, meter: int) -> float:
        """Correlation of the rhythm with itself one bar later, plus that two bars later."""
        if self.rhythm is None:
            return 0.0
        found = 0.0
        for lag in (meter, 2 * meter):
            if lag < len(self.rhythm) - 2:
                before, after = self.rhythm[:-lag], self.rhythm[lag:]
                power = float(np.square(before).sum() * np.square(after).sum())
                found += float((before * after).sum()) / math.sqrt(power + 1e-9)
        return found


def _harmony_change(plan: NDArray[np.float32], times_s: Array) -> Array:
    """How much the plan (24, P) differs before and after each of N times: (N,)."""
    frames = plan.shape[1]
    total = np.pad(np.cumsum(plan, axis=1, dtype=np.float64), ((0, 0), (1, 0)))
    middle = np.clip(np.round(times_s * FRAME_RATE_HZ / FRAMES_PER_PLAN).astype(np.intp), 0, frames)
    first = np.maximum(middle - _HARMONY_FRAMES, 0)
    stop = np.minimum(middle + _HARMONY_FRAMES, frames)
    after = (total[:, stop] - total[:, middle]) / np.maximum(stop - middle, 1)
    before = (total[:, middle] - total[:, first]) / np.maximum(middle - first, 1)
    return np.asarray(np.abs(after - before).sum(axis=0))


def _rhythm(onsets: NDArray[np.float32], times_s: Array) -> Array:
    """Onset strength at four places in each beat, less the mean of the place: (N - 1, 4)."""
    count = len(times_s)
    at = np.interp(np.arange((count - 1) * _PLACES) / _PLACES, np.arange(count), times_s)
    strength = _onset_at(onsets, at).reshape(-1, _PLACES)
    return np.asarray(strength - strength.mean(axis=0)) if len(strength) else strength


def _is_compound(times_s: Array, onsets: NDArray[np.float32]) -> bool:
    """Whether the singing divides the beats at ``times_s`` in three rather than in two."""
    gaps_s = np.diff(times_s)

    def sung(share: float) -> float:
        return float(_onset_at(onsets, times_s[:-1] + share * gaps_s).mean()) + _LEAST_ONSET

    thirds, half, quarters = sung(1 / 3) + sung(2 / 3), sung(1 / 2), sung(1 / 4) + sung(3 / 4)
    ratios = math.log(thirds / (2 * half)), math.log(thirds / quarters)
    return all(ratio > least for ratio, least in zip(ratios, _COMPOUND_LOG_RATIOS, strict=True))


def _onset_at(onsets: NDArray[np.float32], times_s: Array) -> Array:
    """The strongest onset within 35 ms of each time, at most 1.5: the shape of ``times_s``."""
    if not len(onsets):
        return np.zeros(len(times_s))
    rate_hz = 2 * FRAME_RATE_HZ
    reach = max(1, round(_NEAR_S * rate_hz))
    centre = np.round(times_s * rate_hz - 0.5).astype(np.intp)
    around = np.clip(centre[:, None] + np.arange(-reach, reach + 1), 0, len(onsets) - 1)
    return np.asarray(np.minimum(onsets[around].max(axis=1), _LOUDEST_ONSET), np.float64)


def _standardised(values: Array) -> Array:
    """``values`` with mean 0 and deviation 1; zeros if they are all equal."""
    away = values - values.mean()
    return np.asarray(away / max(float(away.std()), 1e-9)) if away.any() else away
