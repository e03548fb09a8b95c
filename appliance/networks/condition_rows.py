"""The condition of the denoiser as one array: vocal, beats and plan at the score frame rate.

Written once, for training and for the appliance. Letters: T score frames, P = T/4 plan frames, S styles.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from appliance.grid import FRAMES_PER_PLAN
from appliance.music.score import STYLES
from appliance.vocal.features import FEATURE_ROWS

PHASE_ROWS = 5
PLAN_ROWS = 24
CONDITION_ROWS = FEATURE_ROWS + PHASE_ROWS + PLAN_ROWS + 1
STYLE_ROWS = len(STYLES) + 1

PLAN_GIVEN = 1.0
"""Certainty of a plan from a chord chart; the denoiser follows it closely."""

PLAN_PREDICTED = 0.5
"""Certainty of the planner's own plan; the denoiser weighs it against the melody."""

Array = NDArray[np.float32]


def condition_rows(
    frames: int,
    features: Array | None = None,
    phases: Array | None = None,
    plan: Array | None = None,
    certainty: float = 0.0,
) -> Array:
    """(CONDITION_ROWS, T) of ``frames`` score frames; what is absent is zero.

    Args:
        frames: T, a multiple of 4.
        features: (64, T) vocal features in the model's key.
        phases: (5, T) beat and bar phases, from :func:`appliance.music.beat_grid.phases`.
        plan: (24, P) pitch-class and bass activity in the model's key.
        certainty: PLAN_GIVEN or PLAN_PREDICTED with a plan.
    """
    rows = np.zeros((CONDITION_ROWS, frames), np.float32)
    if features is not None:
        rows[:FEATURE_ROWS] = features
    if phases is not None:
        rows[FEATURE_ROWS : FEATURE_ROWS + PHASE_ROWS] = phases
    if plan is not None:
        rows[FEATURE_ROWS + PHASE_ROWS : -1] = np.repeat(plan, FRAMES_PER_PLAN, axis=1)
        rows[-1] = certainty
    return rows


def style_row(style: int | None) -> Array:
    """(S + 1, 1) one-hot of a style's index; the last row stands for any style."""
    row = np.zeros((STYLE_ROWS, 1), np.float32)
    row[STYLE_ROWS - 1 if style is None else style] = 1.0
    return row
