"""Transcribes a recording of a band with the audio encoder.

The encoder turns the spectrum into a roll, from which the notes are read. Evaluation and references that are
recordings (:mod:`appliance.rendering.reference`) use it. Shapes: n samples, T score frames, R rows of a roll,
S styles + 1.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from appliance.grid import FRAME_SAMPLES, SAMPLE_RATE_HZ
from appliance.music.roll import Roll, RollReader, Thresholds
from appliance.music.score import STYLE_GROUPS, STYLES, Score
from appliance.networks.condition_rows import style_row
from appliance.networks.log_frequency import spectrum_rows

Array = NDArray[np.float32]

Hear = Callable[[Array, Array], Array]
"""The audio encoder: spectrum (SPECTRUM_ROWS, T), style (S, 1) -> roll probabilities (R, T)."""

HEARD = Thresholds(onset=0.4, sustain=0.3)
"""Best on renders of validation songs: F1 of onsets 0.78, of sustained frames 0.83 (with 0.5: 0.78, 0.80)."""

PART_FRAMES = 1024
MARGIN_FRAMES = 24
"""Score frames on each side of a part that the encoder's convolutions reach."""


def heard_score(hear: Hear, audio: Array, style: str | None = None, thresholds: Thresholds = HEARD) -> Score:
    """Transcribe ``audio`` (n,), mono at 44.1 kHz, in parts, so that memory does not grow with its length.

    If ``style`` is given, the result has only notes of the groups of that style.
    """
    told = style_row(None if style is None else STYLES.index(style))
    frames = -(-len(audio) // FRAME_SAMPLES)
    reader = RollReader(thresholds)
    for first in range(0, frames, PART_FRAMES):
        last = min(first + PART_FRAMES, frames)
        left, right = max(0, first - MARGIN_FRAMES), min(frames, last + MARGIN_FRAMES)
        beyond = 2 * FRAME_SAMPLES  # the long window's reach
        start = max(0, left * FRAME_SAMPLES - beyond)
        spectrum = spectrum_rows(audio[start : right * FRAME_SAMPLES + beyond])
        skipped = left - start // FRAME_SAMPLES
        roll = hear(spectrum[:, skipped : skipped + right - left], told)
        reader.add(Roll.unstacked(roll[:, first - left : last - left]))
    score = reader.score(len(audio) / SAMPLE_RATE_HZ)
    return score if style is None else score.only(*STYLE_GROUPS[style])
