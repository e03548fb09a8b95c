"""The notes of a melody, read from its features: enough to know which pitch is sung when.

:mod:`appliance.vocal.notes` reads finer notes from the pitch track itself. Letters: F = 64 feature rows,
T score frames, V notes.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from appliance.grid import FRAME_RATE_HZ
from appliance.vocal.features import LOWEST_SUNG_PITCH, ONSET, PITCH, VOICED

VOICED_FROM = 0.5
ONSET_FROM = 0.5
"""Onset strength from which a note begins anew on the same pitch."""

LEAST_FRAMES = 2
"""Shorter notes (46 ms) are glides between two others."""


def sung_notes(features: NDArray[np.float32]) -> NDArray[np.float64]:
    """The notes in ``features`` (F, T): (V, 3), start and end in seconds and MIDI pitch, in order of time.

    Pitches above or below the 48 rows of the features are an octave off.
    """
    voiced = features[VOICED] >= VOICED_FROM
    pitch = np.where(voiced, features[PITCH].argmax(axis=0) + LOWEST_SUNG_PITCH, -1)
    struck = features[ONSET].max(axis=0) >= ONSET_FROM
    begins = np.ones(len(pitch), np.bool_)
    begins[1:] = (pitch[1:] != pitch[:-1]) | (struck[1:] & ~struck[:-1])
    edges = [*np.flatnonzero(begins).tolist(), len(pitch)]
    rows = [
        (first / FRAME_RATE_HZ, last / FRAME_RATE_HZ, pitch[first])
        for first, last in pairwise(edges)
        if pitch[first] >= 0 and last - first >= LEAST_FRAMES
    ]
    return np.array(rows, np.float64).reshape(-1, 3)
