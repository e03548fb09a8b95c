"""A walking bass: one note a pulse, chosen for the whole song at once.

A Viterbi path over the pitches of a double bass pays for each note and each step between notes. Strong beats
have chord tones, a new chord its bass. Before a chord change the line approaches: by a semitone, by a step of
the scale, or from the fifth above. (The rules of thumb are those of jazz methods, e.g. Friedland, "Building
Walking Bass Lines", 1995; the costs are set by hand and checked by the tests.)

Letters: B beats, N pitches.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from appliance.music.keys import Key
from appliance.numerics.viterbi import Arrival, best_path
from train.arrange.band import Band
from train.arrange.chord import Chord
from train.arrange.context import Context
from train.arrange.grid import Bar

LOW, HIGH = 28, 52
"""Compass of the line: E1, a double bass's lowest string, to E3."""

CENTRE = 40
WALKS_FROM = 0.2
"""Below this phrase level the bass plays in two."""

SKIPS = 0.12
"""Probability of a skip: a soft repeat on the swung half of a weak beat."""

JITTER = 0.35
"""Standard deviation of a random cost, so that verses differ."""

FOREIGN = 50.0
"""Cost that no line pays."""

_LEAP = np.array([2.2, 0.0, 0.0, 0.35, 0.45, 0.6, 2.5, 0.9, 1.8, 1.8, 2.5, 2.8, 1.6])
"""Cost of a step by its semitones; a repeated note says nothing, a tritone and sevenths are hard to sing."""

Costs = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Beat:
    """One beat of the line; ``strong`` on the first and middle beat of a bar, ``fresh`` at a new chord."""

    start_s: float
    end_s: float
    chord: Chord
    strong: bool
    fresh: bool
    first: bool
    """Whether it begins a bar."""


def is_strong(pulse: int, pulses: int) -> bool:
    """Whether a bar of so many pulses stresses this one: the first, and the middle of four, six or more.

    >>> [is_strong(k, 4) for k in range(4)], [is_strong(k, 3) for k in range(3)]
    ([True, False, True, False], [True, False, False])
    """
    return pulse == 0 or (pulses >= 4 and pulses % 2 == 0 and pulse == pulses // 2)


def walk(band: Band, context: Context) -> None:
    """Play the bass of the song up to the last hold."""
    beats: list[Beat] = []
    for number, bar in enumerate(context.grid.bars):
        level = context.dynamics.phrase(number).level
        beats += _beats(bar, context, band.hold_s, in_two=level < WALKS_FROM)
    if not beats:
        return
    random = context.random
    jitter = np.array([[random.gauss(0.0, JITTER) for _ in range(HIGH - LOW + 1)] for _ in beats])
    for beat, pitch in zip(beats, line(beats, context.song.key, jitter), strict=True):
        level = band.level(beat.start_s) + (8 if beat.first else 4)
        length_s = beat.end_s - beat.start_s
        skip = not beat.strong and length_s > 0.35 and random.random() < SKIPS
        skip_s = beat.start_s + band.swing * length_s
        band.add("bass", pitch, beat.start_s, (skip_s if skip else beat.end_s) - 0.02, level)
        if skip:
            band.add("bass", pitch, skip_s, beat.end_s - 0.02, level - 12)


def _beats(bar: Bar, context: Context, hold_s: float, in_two: bool) -> list[Beat]:
    stride = max(1, bar.pulses // 2) if in_two else 1
    found = []
    for k in range(0, bar.pulses, stride):
        start_s, end_s = bar.pulses_s[k], bar.pulses_s[min(k + stride, bar.pulses)]
        if start_s >= hold_s - 0.01:
            break
        chord = context.harmony.at(start_s)
        fresh = abs(chord.start_s - start_s) < 0.02
        strong = is_strong(k, bar.pulses)
        found.append(Beat(start_s, min(end_s, hold_s), chord, strong, fresh, k == 0))
    return found


def line(beats: Sequence[Beat], key: Key, jitter: Costs) -> list[int]:
    """MIDI pitches (B,) of the cheapest line; ``jitter`` (B, N) is added to the cost of each note."""
    scale = {0, 2, 4, 5, 7, 9, 11} if key.mode == "major" else {0, 2, 3, 5, 7, 8, 10, 11}
    pitches = np.arange(LOW, HIGH + 1)
    in_scale = np.isin((pitches - key.tonic) % 12, sorted(scale))
    notes = np.array([_note_costs(beat, pitches, in_scale) for beat in beats]) + jitter
    steps = [_step_costs(a, b, pitches) for a, b in pairwise(beats)]

    def arrival(scores: NDArray[np.floating], beat: int) -> Arrival:
        totals = scores[:, None] - steps[beat - 1]
        before = totals.argmax(axis=0)
        return totals[before, np.arange(len(pitches))], before

    path = best_path(-notes, arrival)
    return [int(pitches[state]) for state in path]


def _note_costs(beat: Beat, pitches: NDArray[np.int64], in_scale: NDArray[np.bool_]) -> Costs:
    """Cost (N,) of each pitch on a beat."""
    classes = pitches % 12
    in_chord = np.isin(classes, beat.chord.pitch_classes)
    is_bass = classes == beat.chord.bass
    pull = 0.03 * np.abs(pitches - CENTRE)
    if beat.fresh:
        return np.where(is_bass, 0.0, FOREIGN) + pull
    if beat.strong:
        return np.where(is_bass, 0.2 if beat.first else 0.4, np.where(in_chord, 0.5, FOREIGN)) + pull
    passing = np.where(in_scale, 0.7, 1.6)
    return np.where(in_chord, 0.2, passing) + pull


def _step_costs(beat: Beat, following: Beat, pitches: NDArray[np.int64]) -> Costs:
    """Cost (N, N) of going from each pitch (rows) on ``beat`` to each (columns) on ``following``."""
    moves = pitches[None, :] - pitches[:, None]
    size = np.abs(moves)
    cost = np.where(size < len(_LEAP), _LEAP[np.minimum(size, len(_LEAP) - 1)], 4.0)
    foreign = ~np.isin(pitches % 12, beat.chord.pitch_classes)[:, None]
    cost = cost + np.where(foreign & (size > 2), 3.0, 0.0)  # what does not belong resolves by step
    if following.fresh and not beat.strong:
        from_fifth = (pitches[:, None] - pitches[None, :]) % 12 == 7
        approach = np.where(size == 1, -0.9, np.where(size == 2, -0.6, np.where(from_fifth, -0.5, 0.0)))
        cost = cost + approach
    return cost
