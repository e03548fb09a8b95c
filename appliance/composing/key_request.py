"""Composes in a key that the user requests.

A melody rarely fits one key only: the relative key shares all notes, a neighbour on the circle of fifths all
but one. The harmony decides which key is heard. So the plan is limited to the scale, and the key's main
chords are preferred just enough for listeners to hear the key. A key far from the melody is followed too,
and sounds so.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from appliance.composing.plan_chart import ESTIMATED_QUALITIES, chart_from_plan, plan_from_chart
from appliance.music.chart_keeping import follow_chart
from appliance.music.chord_chart import Chart, merged
from appliance.music.chord_names import parse_chord
from appliance.music.chord_quality import QUALITIES
from appliance.music.keys import Key, estimate_key
from appliance.music.score import DRUM_GROUP, BeatGrid, Score
from appliance.networks.condition_rows import PLAN_GIVEN, PLAN_PREDICTED

FOREIGN = 0.2
"""Factor for pitch classes outside the scale; a chromatic chord of which the planner is sure remains."""

STRESSES = (0.0, 1.0, 1.4, 2.0, 2.8, 4.0, 5.6, 8.0, 9.5, 11.0, 13.5, 16.0, 22.0, 32.0)
"""Preferences for the key's main chords in nats per beat, tried in this order."""

MAX_TONIC = 0.6
"""Largest share of time of the tonic chord if the melody is in the key anyway; more would be a drone."""

MIN_CONFIDENCE = 0.35
"""Least confidence of the estimated key: below it, other listeners may hear a neighbouring key."""

MIN_LEAD = 0.05
"""Least lead of the key's correlation with :data:`RATED_MAJOR` or minor over that of any other key."""

RATED_MAJOR = (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88)
RATED_MINOR = (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17)
"""Listeners' ratings of how well each degree fits a key: Krumhansl and Kessler, *Psychological Review* 89(4),
1982. They are a second opinion beside the degree profiles of :mod:`appliance.music.keys`.
"""

_TONIC, _DOMINANT, _SUBDOMINANT, _OUTSIDE = 1.0, 0.6, 0.4, -1.0
"""Shares of the preference: of the three main chords, and for each tone outside the scale."""

_MAJOR, _MINOR = (0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 10, 11)
"""Scale degrees in semitones. Minor has both sevenths, because its dominant uses the raised one."""

Array = NDArray[np.float32]
Chroma = NDArray[np.floating]


def plan_in_key(
    plan: Array, key: Key, heard: Key, grid: BeatGrid, duration_s: float
) -> tuple[Array, Chart, float]:
    """Change ``plan`` (24, P) until it is heard in ``key``; returns the plan, its chart and its certainty.

    If reducing foreign pitch classes suffices, the plan remains a prediction. If chords must be preferred,
    the chart becomes the plan, with the certainty of a given chart. If the estimated key ``heard`` is the
    requested one already, the share of the tonic chord is limited, to keep the harmony varied.
    """
    plan = in_scale(plan, key)
    chart = chart_from_plan(plan, grid, duration_s)
    most = max(MAX_TONIC, _share_of_tonic(chart, key)) if key == heard else 1.0
    sounding, certainty = plan, PLAN_PREDICTED
    for stress in STRESSES:
        tried = chart_from_plan(plan, grid, duration_s, _prior(key, stress))
        if stress:
            tried = _in_root_position(tried)
            if _share_of_tonic(tried, key) > most:
                break
        spelled = plan_from_chart(tried, plan.shape[1])
        if stress:
            chart, sounding, certainty = tried, spelled, PLAN_GIVEN
        if heard_in(key, spelled):
            break
    return sounding, chart, certainty


def heard_in(key: Key, plan: Array) -> bool:
    """Whether listeners hear ``plan`` (24, P), that of a chart, in ``key``."""
    return _heard_as(key, plan[:12].sum(1), plan[12:].sum(1))


def keep_in_key(score: Score, key: Key, chart: Chart) -> Score:
    """``score`` if listeners hear it in ``key``, otherwise the score with its notes moved to ``chart``."""
    return score if _heard_as(key, *_chromas(score)) else follow_chart(score, chart)


def key_of_score(score: Score) -> tuple[Key, float]:
    """The key of the notes and its confidence; see :func:`appliance.music.keys.estimate_key`."""
    return estimate_key(*_chromas(score))


def key_clarity(score: Score, key: Key) -> int:
    """How clear ``key`` is in ``score``: 0 if another is heard, 1 if some listeners hear it, 2 if all do."""
    chromas = _chromas(score)
    return 2 if _heard_as(key, *chromas) else int(estimate_key(*chromas)[0] == key)


def _heard_as(key: Key, chroma: Chroma, bass: Chroma) -> bool:
    """Whether the profiles of scores and of listeners find ``key`` in pitch classes (12,) and bass (12,)."""
    found, confidence = estimate_key(chroma, bass)
    if found != key or confidence < MIN_CONFIDENCE:
        return False
    ratings = [np.roll(profile, k) for profile in (RATED_MAJOR, RATED_MINOR) for k in range(12)]
    fits = [float(np.corrcoef(rating, chroma)[0, 1]) for rating in ratings]
    asked = fits.pop(key.tonic + 12 * (key.mode == "minor"))
    return asked - max(fits) >= MIN_LEAD


def _chromas(score: Score) -> tuple[Chroma, Chroma]:
    """Seconds that each pitch class sounds, (12,), and that it sounds as the lowest note, (12,)."""
    chroma, bass = np.zeros(12), np.zeros(12)
    lowest_until = 0.0
    for note in sorted(score.notes, key=lambda n: (n.start_s, n.pitch)):
        if note.group == DRUM_GROUP:
            continue
        chroma[note.pitch % 12] += note.end_s - note.start_s
        if note.start_s >= lowest_until - 0.02:
            bass[note.pitch % 12] += note.end_s - note.start_s
            lowest_until = note.end_s
    return chroma, bass


def _share_of_tonic(chart: Chart, key: Key) -> float:
    """Share of the time with chords in which the chord has the tonic as its root."""
    total = tonic = 0.0
    for span in chart:
        chord = parse_chord(span.label)
        if chord is not None:
            total += span.end_s - span.start_s
            tonic += (span.end_s - span.start_s) * (chord.root_pitch_class == key.tonic)
    return tonic / total if total else 1.0


def _in_root_position(chart: Chart) -> Chart:
    """``chart`` without inversions, because a bass note of the old key would suggest the old key."""
    return merged([replace(span, label=span.label.partition("/")[0]) for span in chart])


def in_scale(plan: Array, key: Key) -> Array:
    """``plan`` (24, P) with pitch classes outside the scale reduced."""
    weights = np.full(12, FOREIGN, np.float32)
    weights[[(key.tonic + degree) % 12 for degree in _scale(key)]] = 1.0
    return plan * np.tile(weights, 2)[:, None]


def _scale(key: Key) -> tuple[int, ...]:
    return _MINOR if key.mode == "minor" else _MAJOR


def _prior(key: Key, stress: float) -> Array:
    """The preference of each chord in ``key``, (109,), for
    :func:`appliance.composing.plan_chart.chart_from_plan`."""
    scale = {(key.tonic + degree) % 12 for degree in _scale(key)}
    tonic = {(key.tonic + step) % 12 for step in ((0, 3, 7) if key.mode == "minor" else (0, 4, 7))}
    dominant = {(key.tonic + step) % 12 for step in (7, 11, 2)}
    subdominant = {(key.tonic + step) % 12 for step in ((5, 8, 0) if key.mode == "minor" else (5, 9, 0))}
    gain = []
    for quality in ESTIMATED_QUALITIES:
        for root in range(12):
            tones = {(root + step) % 12 for step in QUALITIES[quality]}
            of_key = _TONIC * (tones == tonic) + _DOMINANT * (tones == dominant)
            of_key += _SUBDOMINANT * (tones == subdominant)
            gain.append(of_key + _OUTSIDE * len(tones - scale))
    return np.array([stress * g for g in (*gain, 0.0)], np.float32)
