"""The pitches of a walking bass: one note a beat, chosen for the whole song at once.

A Viterbi path over the pitches of a double bass pays for each note and for each step between notes. Strong
beats have chord tones, a new chord begins with its bass. Before a chord change the line approaches: by a
semitone, by a step of the scale, or from the fifth above. (The rules of thumb are those of jazz methods, e.g.
Friedland, *Building Walking Bass Lines*, 1995; the costs are set by hand.)

Training and the appliance share this code. Letters: B beats, N pitches.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from appliance.music.keys import Key
from appliance.numerics.viterbi import Arrival, best_path

LOW, HIGH = 28, 52
"""Compass of the line: E1, a double bass's lowest string, to E3."""

PITCHES = HIGH - LOW + 1
CENTRE = 40

FOREIGN = 50.0
"""Cost that no line pays if it can be avoided."""

HINT = 2.0
"""What a note is worth that was there before."""

_LEAP = np.array([2.2, 0.0, 0.0, 0.35, 0.45, 0.6, 2.5, 0.9, 1.8, 1.8, 2.5, 2.8, 1.6])
"""Cost of a step by its semitones; a repeated note says nothing, a tritone and sevenths are hard to hear."""

_FAR = 4.0
"""Cost of a wider step."""

_SCALES = {"major": (0, 2, 4, 5, 7, 9, 11), "minor": (0, 2, 3, 5, 7, 8, 10, 11)}

Costs = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class LineBeat:
    """One beat of the line, and what is known of it."""

    tones: frozenset[int]
    """Pitch classes of the chord; empty if the harmony is free."""
    bass: int
    """Pitch class of the chord's bass."""
    strong: bool
    """Whether the bar stresses the beat: :func:`is_strong`."""
    fresh: bool
    """Whether the chord begins here."""
    first: bool
    """Whether the bar begins here."""
    hint: int | None = None
    """A pitch that is preferred, because it was there before."""
    bass_first: bool = True
    """Whether a fresh chord must begin with its bass; otherwise another chord tone may do."""
    passing: bool = True
    """Whether a weak beat may have a note that the chord does not have."""


def is_strong(beat: int, beats: int) -> bool:
    """Whether a bar of so many beats stresses this one: the first, and the middle of four, six or more.

    >>> [is_strong(k, 4) for k in range(4)], [is_strong(k, 3) for k in range(3)]
    ([True, False, True, False], [True, False, False])
    """
    return beat == 0 or (beats >= 4 and beats % 2 == 0 and beat == beats // 2)


def walking_line(beats: Sequence[LineBeat], key: Key, jitter: Costs | None = None) -> list[int]:
    """MIDI pitches (B,) of the cheapest line; ``jitter`` (B, N), if given, is added to the notes' costs."""
    if not beats:
        return []
    pitches = np.arange(LOW, HIGH + 1)
    in_scale = np.isin((pitches - key.tonic) % 12, _SCALES[key.mode])
    notes = np.array([_note_costs(beat, pitches, in_scale) for beat in beats])
    if jitter is not None:
        notes = notes + jitter
    steps = [_step_costs(a, b, pitches) for a, b in pairwise(beats)]

    def arrival(scores: NDArray[np.floating], beat: int) -> Arrival:
        totals = scores[:, None] - steps[beat - 1]
        before = totals.argmax(axis=0)
        return totals[before, np.arange(len(pitches))], before

    return [int(pitches[state]) for state in best_path(-notes, arrival)]


def _note_costs(beat: LineBeat, pitches: NDArray[np.int_], in_scale: NDArray[np.bool_]) -> Costs:
    """Cost (N,) of each pitch on a beat."""
    cost: Costs = 0.03 * np.abs(pitches - CENTRE)
    if beat.hint is not None:
        cost = cost - HINT * (pitches == beat.hint) - 0.5 * HINT * ((pitches - beat.hint) % 12 == 0)
    classes = pitches % 12
    in_chord = np.isin(classes, sorted(beat.tones))
    is_bass = classes == beat.bass
    if not beat.tones:
        return cost + np.where(in_scale, 0.2, 0.8)
    if beat.fresh:
        other = np.where(in_chord, FOREIGN if beat.bass_first else 1.0, FOREIGN)
        return cost + np.where(is_bass, 0.0, other)
    if beat.strong:
        return cost + np.where(is_bass, 0.2 if beat.first else 0.4, np.where(in_chord, 0.5, FOREIGN))
    foreign = np.where(in_scale, 1.0, 1.8) if beat.passing else FOREIGN
    return cost + np.where(in_chord, 0.2, foreign)


def _step_costs(beat: LineBeat, following: LineBeat, pitches: NDArray[np.int_]) -> Costs:
    """Cost (N, N) of going from each pitch (rows) on ``beat`` to each (columns) on ``following``."""
    size = np.abs(pitches[None, :] - pitches[:, None])
    cost: Costs = np.where(size < len(_LEAP), _LEAP[np.minimum(size, len(_LEAP) - 1)], _FAR)
    if beat.tones:  # what does not belong to the chord resolves by step
        foreign = ~np.isin(pitches % 12, sorted(beat.tones))[:, None]
        cost = cost + np.where(foreign & (size > 2), 3.0, 0.0)
    if following.fresh and not beat.strong:
        from_fifth = (pitches[:, None] - pitches[None, :]) % 12 == 7
        approach = np.where(size == 1, -0.9, np.where(size == 2, -0.6, np.where(from_fifth, -0.5, 0.0)))
        cost = cost + approach
    return cost
