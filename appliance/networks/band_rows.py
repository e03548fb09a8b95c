"""An accompaniment as an input array of the fit network: what sounds and what begins in each score frame.

The array is drawn from notes, not from a recording, so loudness and instruments do not count, and drawing
takes milliseconds. Pitches are folded to pitch classes: transposing the notes rotates these rows. Training
and the appliance share this code.

Shapes: M notes, T score frames.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from appliance.grid import FRAME_RATE_HZ
from appliance.music.note_rows import DRUMS, NoteRows, note_rows
from appliance.music.score import Score
from appliance.music.sounding import chroma_and_bass, coverage

CHROMA = slice(0, 12)
"""Share of the frame that each pitch class sounds."""

BASS = slice(12, 24)
"""The same for the lowest sounding pitch alone."""

STARTS = slice(24, 36)
"""1 if a note of the pitch class begins in the frame."""

PITCHED_ROWS = 36
ONSETS = slice(36, 38)
"""Number of pitched notes that begin in the first and in the second half of the frame, log-scaled."""

DRUM_ONSETS = slice(38, 40)
"""The same for drums."""

DENSITY = 40
"""Number of pitches that sound together, divided by eight."""

BAND_ROWS = 41

Array = NDArray[np.float32]


def band_rows(score: Score, frames: int) -> Array:
    """The first T = ``frames`` score frames of ``score``: (BAND_ROWS, T) float32."""
    return draw_band(note_rows(score), 0, frames)


def draw_band(notes: NoteRows, first: int, frames: int) -> Array:
    """Score frames ``first`` to ``first + frames`` of ``notes`` (M, 5): (BAND_ROWS, T), T = ``frames``."""
    rows = np.zeros((BAND_ROWS, frames), np.float32)
    start = notes[:, 0] * FRAME_RATE_HZ - first
    end = notes[:, 1] * FRAME_RATE_HZ - first
    near = (end > 0) & (start < frames)
    start, end, pitch = start[near], end[near], notes[near, 2].astype(np.intp)
    drum = notes[near, 4] == DRUMS
    sounding = coverage(pitch[~drum], start[~drum], end[~drum], frames)
    rows[CHROMA.start : BASS.stop] = chroma_and_bass(sounding)
    rows[DENSITY] = sounding.sum(axis=0) / 8.0
    begins = (start >= 0) & (start < frames)
    frame, half = start[begins].astype(np.intp), (start[begins] % 1.0 >= 0.5).astype(np.intp)
    drums = drum[begins]
    rows[STARTS.start + pitch[begins][~drums] % 12, frame[~drums]] = 1.0
    for target, chosen in ((ONSETS, ~drums), (DRUM_ONSETS, drums)):
        np.add.at(rows[target], (half[chosen], frame[chosen]), 1.0)
        rows[target] = np.log1p(rows[target]) / 2.0
    return rows
