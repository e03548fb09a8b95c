"""A hand-made reading of a vocal."""

from __future__ import annotations

import numpy as np

from appliance.composing.reading import Reading
from appliance.grid import FRAME_RATE_HZ
from appliance.music.keys import Key
from appliance.music.score import BeatGrid
from appliance.vocal.features import FEATURE_ROWS, PITCH, VOICED

FRAME_S = 1.0 / FRAME_RATE_HZ
DURATION_S = 7.05


def reading() -> Reading:
    """The reading of a C major scale, one second per note."""
    features = np.zeros((FEATURE_ROWS, 152), np.float32)
    scale = [0, 2, 4, 5, 7, 9, 11]
    for t in range(152):
        features[scale[t // 22], t] = features[PITCH.start + scale[t // 22], t] = features[VOICED, t] = 1.0
    plan = np.zeros((24, 38), np.float32)
    return Reading(features, DURATION_S, BeatGrid(), Key(0, "major"), 1.0, plan, [], 0.5)
