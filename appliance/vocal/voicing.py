"""Voicing: the probability that a frame is sung, by logistic regression on the evidence for its pitch."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from appliance.grid import SAMPLE_RATE_HZ
from appliance.vocal.frames import HOP_SAMPLES
from appliance.vocal.path import Path

# Fitted to voices of espeak-ng made to sing by WORLD (clean, and with hum, hiss, babble and room), and to
# noise alone.
_BIAS = -3.64
_MATCH, _MATCH_SQUARED = 24.66, -20.37
_PERIODICITY = 1.03
_MATCH_PERIODICITY = 3.55
_MATCH_LEVEL = 3.62

_LOUD_S = 2.0
"""The level of a recording's two loudest seconds is the full voice, regardless of pauses."""


def voicing(path: Path) -> NDArray[np.float32]:
    """Probability (T,) that each of the T frames of ``path`` is sung; ``path`` is of the whole recording."""
    match = np.clip(path.match, 0.0, 0.7)
    periodicity = np.clip(path.periodicity, 0.0, 1.0)
    level = np.clip(path.band_db - _full_voice_db(path.band_db), -50.0, 0.0) / 10.0
    logit = (
        _BIAS
        + match * (_MATCH + _MATCH_SQUARED * match)
        + periodicity * (_PERIODICITY + _MATCH_PERIODICITY * match)
        + _MATCH_LEVEL * match * level
    )
    logit = np.convolve(np.pad(logit, 1, mode="edge"), (0.25, 0.5, 0.25), mode="valid")
    sung = 1.0 / (1.0 + np.exp(-logit))
    return np.where(path.f0_hz > 0.0, sung, 0.0).astype(np.float32)


def _full_voice_db(band_db: NDArray[np.float32]) -> float:
    loud_frames = _LOUD_S * SAMPLE_RATE_HZ / HOP_SAMPLES
    return float(np.quantile(band_db, max(0.95, 1.0 - loud_frames / len(band_db))))
