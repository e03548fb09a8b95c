"""N notes as an array (N, 5), with the columns start_s, end_s, MIDI pitch, velocity, index in ALL_GROUPS."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from appliance.music.score import DRUM_GROUP, GROUPS, Note, Score

ALL_GROUPS = (*GROUPS, DRUM_GROUP)

DRUMS = len(GROUPS)
"""Index of the drums, the last group."""

NOTE_COLUMNS = 5

NoteRows = NDArray[np.floating[Any]]


def note_rows(score: Score, dtype: type[np.floating[Any]] = np.float64) -> NoteRows:
    """The N notes of ``score`` in its order, (N, 5)."""
    rows = [(n.start_s, n.end_s, n.pitch, n.velocity, ALL_GROUPS.index(n.group)) for n in score.notes]
    return np.array(rows, dtype).reshape(-1, NOTE_COLUMNS)


def score_of(rows: NoteRows, duration_s: float) -> Score:
    """The inverse of :func:`note_rows`, from ``rows`` (N, 5)."""
    notes = (Note(float(a), float(b), int(p), int(v), ALL_GROUPS[int(g)]) for a, b, p, v, g in rows)
    return Score.of(notes, duration_s)
