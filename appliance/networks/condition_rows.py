"""The condition as an input array of the denoiser: vocal features, beats, harmony plan, rhythm plan and dials
at the score frame rate.

Training and the appliance share this code. Shapes: T score frames, P = T/4 plan frames, S styles, D dials.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from appliance.errors import PackError
from appliance.grid import FRAMES_PER_PLAN
from appliance.music.dials import DIALS
from appliance.music.score import STYLES
from appliance.vocal.features import FEATURE_ROWS

PHASE_ROWS = 5
PLAN_ROWS = 24
RHYTHM_ROWS = 4
DIAL_COUNT = len(DIALS)
FIRST_CONDITION_ROWS = FEATURE_ROWS + PHASE_ROWS + PLAN_ROWS + 1
"""Rows of packs that know neither rhythm plan nor dials."""
CONDITION_ROWS = FIRST_CONDITION_ROWS + RHYTHM_ROWS + 2 * DIAL_COUNT
STYLE_ROWS = len(STYLES) + 1
"""Rows S + 1 of the networks' style input today; networks trained earlier know fewer styles."""

PLAN_GIVEN = 1.0
"""Certainty of a plan from a given chart: the denoiser follows it closely."""

PLAN_PREDICTED = 0.5
"""Certainty of a plan from the planner: the denoiser weighs it against the melody."""

PLAN_COMPOSED = 1.0
"""Certainty of a plan from chords that the chord network composed."""

Array = NDArray[np.float32]


def condition_rows(
    frames: int,
    features: Array | None = None,
    phases: Array | None = None,
    plan: Array | None = None,
    certainty: float = 0.0,
    rhythm: Array | None = None,
    dials: Array | None = None,
) -> Array:
    """The condition of ``frames`` score frames: (CONDITION_ROWS, T). Rows of absent inputs are 0.

    Args:
        frames: T, a multiple of 4.
        features: (64, T) vocal features, transposed to C major or A minor.
        phases: (5, T) beat and bar phases, from :func:`appliance.music.beat_grid.phases`.
        plan: (24, P) pitch classes of chords (12) and bass (12), in the same transposition.
        certainty: PLAN_GIVEN, PLAN_PREDICTED or PLAN_COMPOSED if there is a plan.
        rhythm: (4, T), from :func:`appliance.music.rhythm_plan.rhythm_rows`.
        dials: (D, T) in standard deviations of the style, NaN where a dial is not set.
    """
    rows = np.zeros((CONDITION_ROWS, frames), np.float32)
    if features is not None:
        rows[:FEATURE_ROWS] = features
    if phases is not None:
        rows[FEATURE_ROWS : FEATURE_ROWS + PHASE_ROWS] = phases
    if plan is not None:
        certain = FIRST_CONDITION_ROWS - 1
        rows[certain - PLAN_ROWS : certain] = np.repeat(plan, FRAMES_PER_PLAN, axis=1)
        rows[certain] = certainty
    further = rows[FIRST_CONDITION_ROWS:]
    if rhythm is not None:
        further[:RHYTHM_ROWS] = rhythm
    if dials is not None:
        further[RHYTHM_ROWS : RHYTHM_ROWS + DIAL_COUNT] = np.nan_to_num(dials)
        further[RHYTHM_ROWS + DIAL_COUNT :] = ~np.isnan(dials)
    return rows


def style_row(style: int | None) -> Array:
    """One-hot vector of a style's index, (S + 1, 1); the last row means no particular style."""
    row = np.zeros((STYLE_ROWS, 1), np.float32)
    row[STYLE_ROWS - 1 if style is None else style] = 1.0
    return row


def known_style_rows(style: Array, rows: int) -> Array:
    """``style`` (..., S + 1, 1) for a network whose style input has ``rows`` rows: (..., rows, 1).

    The network knows the first ``rows - 1`` styles. Its last row, too, means no particular style.

    Raises:
        PackError: ``style`` is one that the network does not know.

    >>> known_style_rows(style_row(2), 9).ravel().tolist()
    [0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]
    """
    if style.shape[-2] == rows:
        return style
    unknown = np.flatnonzero(style[..., rows - 1 : -1, 0].reshape(-1, style.shape[-2] - rows).any(axis=0))
    if len(unknown):
        name = STYLES[rows - 1 + int(unknown[0])]
        raise PackError(
            f"One of the pack's networks does not know the style '{name}'; choose one of "
            f"{', '.join(STYLES[: rows - 1])}, or another pack."
        )
    return np.concatenate([style[..., : rows - 1, :], style[..., -1:, :]], axis=-2)
