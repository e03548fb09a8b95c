"""A hand-made reading of a song, and a plain score for it: two chords in turn, eight bars of four beats."""

from __future__ import annotations

import math

import numpy as np

from appliance.composing.reading import Reading
from appliance.grid import FRAME_RATE_HZ
from appliance.music.chord_chart import ChordSpan
from appliance.music.keys import Key
from appliance.music.score import BeatGrid, Note, Score
from appliance.networks.condition_rows import PLAN_GIVEN, PLAN_PREDICTED
from appliance.vocal.features import FEATURE_ROWS, PITCH, VOICED

BARS = 8
DURATION_S = 2.0 * BARS
GRID = BeatGrid(tuple(0.5 * k for k in range(4 * BARS + 1)), tuple(range(0, 4 * BARS, 4)), 1.0, 4)


def reading(certainty: float = PLAN_PREDICTED) -> Reading:
    """C and G in turn, a bar each, as a chart that the user gave if ``certainty`` says so; G is sung over
    both."""
    frames = 4 * math.ceil(DURATION_S * FRAME_RATE_HZ / 4)
    features = np.zeros((FEATURE_ROWS, frames), np.float32)
    features[PITCH.start + 67 - 36] = features[VOICED] = 1.0
    chart = [ChordSpan(2.0 * k, 2.0 * k + 2.0, "CG"[k % 2]) for k in range(BARS)]
    plan = np.zeros((24, frames // 4), np.float32)
    fixed = chart if certainty == PLAN_GIVEN else []
    return Reading(features, DURATION_S, GRID, Key(0, "major"), 1.0, plan, chart, certainty, fixed=fixed)


def score() -> Score:
    """A triad on every beat but the second."""
    notes = [
        Note(2.0 * bar + 0.5 * beat, 2.0 * bar + 0.5 * beat + 0.4, pitch, 80, "keys")
        for bar in range(BARS)
        for beat in (0, 2, 3)
        for pitch in ((60, 64, 67) if bar % 2 == 0 else (59, 62, 67))
    ]
    return Score.of(notes, DURATION_S)
