"""A key that the user asks for, against what the model would play.

A singer rarely fits one key alone: the relative key shares all notes, a neighbour on the circle of fifths
all but one. What decides is the harmony, so a request is carried out in the harmony: the plan keeps to
the scale, and the key's own chords are preferred as little as makes a listener name the key. A request
far from what is sung is obeyed as well, and sounds like it.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from appliance.chords import QUALITIES, Chart, merged
from appliance.condition import PLAN_GIVEN, PLAN_PREDICTED
from appliance.keys import Key, estimate_key
from appliance.plan_chart import ESTIMATED_QUALITIES, chart_from_plan, plan_from_chart
from appliance.score import DRUM_GROUP, BeatGrid, Score
from appliance.voicing import follow_chart

FOREIGN = 0.2
"""What is left of a pitch class outside the scale: enough for a chromatic chord the planner is sure of."""

STRESSES = (0.0, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0)
"""Nats a beat that the key's own chords gain, tried in this order."""

CLEAR = 0.25
"""Least confidence of the key's estimate: what just makes it may sound like its neighbour to others."""

_TONIC, _DOMINANT, _OUTSIDE = 1.0, 0.4, -1.0
"""Shares of the stress: of the tonic chord, of the dominant, and for each tone outside the scale."""

_MAJOR, _MINOR = (0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 10, 11)
"""Minor has both sevenths: its dominant takes the raised one."""

Array = NDArray[np.float32]


def plan_in_key(plan: Array, key: Key, grid: BeatGrid, duration_s: float) -> tuple[Array, Chart, float]:
    """``plan`` (24, P) moved into ``key`` as far as needed, its chart, and how certain the plan is.

    Where the plan is in the key as it stands, or only has to lose what is foreign, it stays the planner's.
    Where it has to be stressed its chart becomes the plan, as certain as a chart from the user.
    """
    plan = _in_scale(plan, key)
    for stress in STRESSES:
        chart = chart_from_plan(plan, grid, duration_s, _prior(key, stress))
        if stress:
            chart = _in_root_position(chart)
        sounding = plan_from_chart(chart, plan.shape[1])
        found, confidence = estimate_key(sounding[:12].sum(1), sounding[12:].sum(1))
        if found == key and confidence >= CLEAR:
            break
    else:
        return plan, chart, PLAN_PREDICTED  # nothing sounds, or one chord alone: no key to be had
    return (sounding, chart, PLAN_GIVEN) if stress else (plan, chart, PLAN_PREDICTED)


def obeyed(score: Score, key: Key, chart: Chart) -> Score:
    """``score`` if a listener would say that it is in ``key``, or else made to follow ``chart``."""
    found, confidence = key_of_score(score)
    return score if found == key and confidence >= CLEAR else follow_chart(score, chart)


def key_of_score(score: Score) -> tuple[Key, float]:
    """The key of the notes and its confidence, by :func:`appliance.keys.estimate_key`."""
    chroma, bass = np.zeros(12), np.zeros(12)
    lowest_until = 0.0
    for note in sorted(score.notes, key=lambda n: (n.start_s, n.pitch)):
        if note.group == DRUM_GROUP:
            continue
        chroma[note.pitch % 12] += note.end_s - note.start_s
        if note.start_s >= lowest_until - 0.02:
            bass[note.pitch % 12] += note.end_s - note.start_s
            lowest_until = note.end_s
    return estimate_key(chroma, bass)


def _in_root_position(chart: Chart) -> Chart:
    """``chart`` over its roots: the old key's bass under a new chord would speak for the old key."""
    return merged([replace(span, label=span.label.partition("/")[0]) for span in chart])


def _in_scale(plan: Array, key: Key) -> Array:
    """``plan`` with pitch classes outside the scale turned down."""
    weights = np.full(12, FOREIGN, np.float32)
    weights[[(key.tonic + degree) % 12 for degree in _scale(key)]] = 1.0
    return plan * np.tile(weights, 2)[:, None]


def _scale(key: Key) -> tuple[int, ...]:
    return _MINOR if key.mode == "minor" else _MAJOR


def _prior(key: Key, stress: float) -> Array:
    """(109,): what each chord of :func:`appliance.plan_chart.chart_from_plan` gains in ``key``."""
    scale = {(key.tonic + degree) % 12 for degree in _scale(key)}
    tonic = {(key.tonic + step) % 12 for step in ((0, 3, 7) if key.mode == "minor" else (0, 4, 7))}
    dominant = {(key.tonic + step) % 12 for step in (7, 11, 2)}
    gain = []
    for quality in ESTIMATED_QUALITIES:
        for root in range(12):
            tones = {(root + step) % 12 for step in QUALITIES[quality]}
            of_key = _TONIC * (tones == tonic) + _DOMINANT * (tones == dominant)
            gain.append(of_key + _OUTSIDE * len(tones - scale))
    return np.array([stress * g for g in (*gain, 0.0)], np.float32)
