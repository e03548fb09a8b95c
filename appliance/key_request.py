"""A key that the user asks for, against what the model would play.

A singer rarely fits one key alone: the relative key shares all notes, a neighbour on the circle of fifths
all but one. What decides is the harmony, so a request is carried out in the harmony: the plan keeps to
the scale, and its tonic is stressed as little as makes a listener name the key. A request far from what is
sung is obeyed as well, and sounds like it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from appliance.chords import Chart
from appliance.keys import Key, estimate_key
from appliance.plan_chart import chart_from_plan, plan_from_chart
from appliance.score import DRUM_GROUP, BeatGrid, Score
from appliance.voicing import follow_chart

FOREIGN = 0.2
"""What is left of a pitch class outside the scale: enough for a chromatic chord the planner is sure of."""

STRESSES = (0.0, 0.5, 1.0, 2.0, 4.0, 8.0)
"""How much more the tonic chord's tones are made to count, tried in this order."""

_MAJOR, _MINOR = (0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 10, 11)
"""Minor has both sevenths: its dominant takes the raised one."""

Array = NDArray[np.float32]


def plan_in_key(plan: Array, key: Key, grid: BeatGrid, duration_s: float) -> tuple[Array, Chart]:
    """``plan`` (24, P) moved into ``key`` as far as needed, and its chart, whose key is ``key``.

    Without any stress that makes it so (nothing sounds), the strongest is kept.
    """
    moved, chart = plan, chart_from_plan(plan, grid, duration_s)
    for stress in STRESSES:
        moved = _weighted(plan, key, stress)
        chart = chart_from_plan(moved, grid, duration_s)
        if _key_of_chart(chart, plan.shape[1]) == key:
            break
    return moved, chart


def obeyed(score: Score, key: Key, chart: Chart) -> Score:
    """``score`` if a listener would say that it is in ``key``, or else made to follow ``chart``."""
    return score if key_of_score(score) == key else follow_chart(score, chart)


def key_of_score(score: Score) -> Key:
    """The key that the notes are in, as :func:`appliance.keys.estimate_key` hears it."""
    chroma, bass = np.zeros(12), np.zeros(12)
    notes = [n for n in score.notes if n.group != DRUM_GROUP]
    lowest_until = 0.0
    for note in sorted(notes, key=lambda n: (n.start_s, n.pitch)):
        chroma[note.pitch % 12] += note.end_s - note.start_s
        if note.start_s >= lowest_until - 0.02:
            bass[note.pitch % 12] += note.end_s - note.start_s
            lowest_until = note.end_s
    return estimate_key(chroma, bass)[0]


def _weighted(plan: Array, key: Key, stress: float) -> Array:
    """``plan`` with foreign pitch classes turned down and the tonic chord turned up."""
    minor = key.mode == "minor"
    weights = np.full((2, 12), FOREIGN)
    for degree in _MINOR if minor else _MAJOR:
        weights[:, (key.tonic + degree) % 12] = 1.0
    for degree in (0, 3 if minor else 4, 7):
        weights[0, (key.tonic + degree) % 12] += stress
    for degree in (0, 7):  # a bass rests on tonic and dominant
        weights[1, (key.tonic + degree) % 12] += stress
    return np.clip(plan * weights.reshape(24, 1), 0.0, 1.0).astype(np.float32)


def _key_of_chart(chart: Chart, frames: int) -> Key:
    sounding = plan_from_chart(chart, frames)
    return estimate_key(sounding[:12].sum(1), sounding[12:].sum(1))[0]
