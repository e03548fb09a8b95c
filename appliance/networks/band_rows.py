"""An accompaniment as the fit network sees it: what sounds and what begins in every score frame.

Drawn from the notes that are played, not from a recording, so loudness and instruments do not count and
the picture costs milliseconds. Everything about pitch is folded to pitch classes: transposing the notes
rotates these rows. Written once, for training and for the appliance.

Letters: M notes, T score frames.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from appliance.grid import FRAME_RATE_HZ
from appliance.music.score import DRUM_GROUP, Score

CHROMA = slice(0, 12)
"""How much of the frame each pitch class sounds."""

BASS = slice(12, 24)
"""The same for the lowest sounding pitch alone."""

STARTS = slice(24, 36)
"""Whether a note of the pitch class begins."""

PITCHED_ROWS = 36
ONSETS = slice(36, 38)
"""Notes that begin in the first and second half of the frame, on a logarithmic scale."""

DRUM_ONSETS = slice(38, 40)
DENSITY = 40
"""Pitches that sound together, eight of them being 1."""

BAND_ROWS = 41

ROWS_OF_A_NOTE = 4
"""Columns that :func:`draw_band` reads: start_s, end_s, MIDI pitch, 1 for a drum."""

_PITCHES = 128
_SOUNDS = 0.25
"""Share of a frame from which on a pitch may be the frame's bass."""

Array = NDArray[np.float32]


def band_rows(score: Score, frames: int) -> Array:
    """(BAND_ROWS, T) of the first ``frames`` score frames of ``score``."""
    notes = [(n.start_s, n.end_s, n.pitch, n.group == DRUM_GROUP) for n in score.notes]
    return draw_band(np.array(notes, np.float64).reshape(-1, ROWS_OF_A_NOTE), 0, frames)


def draw_band(notes: NDArray[np.floating], first: int, frames: int) -> Array:
    """(BAND_ROWS, T) of score frames ``first`` .. ``first + frames`` of ``notes`` (M, 4)."""
    rows = np.zeros((BAND_ROWS, frames), np.float32)
    start = notes[:, 0] * FRAME_RATE_HZ - first
    end = notes[:, 1] * FRAME_RATE_HZ - first
    near = (end > 0) & (start < frames)
    start, end, pitch = start[near], end[near], notes[near, 2].astype(np.intp)
    drum = notes[near, 3] > 0
    sounding = _coverage(pitch[~drum], start[~drum], end[~drum], frames)
    rows[CHROMA] = np.minimum(_folded(sounding), 1.0)
    lowest = (sounding > _SOUNDS).argmax(axis=0)
    present = np.flatnonzero((sounding > _SOUNDS).any(axis=0))
    rows[BASS.start + lowest[present] % 12, present] = sounding[lowest[present], present]
    rows[DENSITY] = sounding.sum(axis=0) / 8.0
    begins = (start >= 0) & (start < frames)
    frame, half = start[begins].astype(np.intp), (start[begins] % 1.0 >= 0.5).astype(np.intp)
    drums = drum[begins]
    rows[STARTS.start + pitch[begins][~drums] % 12, frame[~drums]] = 1.0
    for target, chosen in ((ONSETS, ~drums), (DRUM_ONSETS, drums)):
        np.add.at(rows[target], (half[chosen], frame[chosen]), 1.0)
        rows[target] = np.log1p(rows[target]) / 2.0
    return rows


def _coverage(
    pitch: NDArray[np.intp], start: NDArray[np.floating], end: NDArray[np.floating], frames: int
) -> Array:
    """(128, T): how much of each frame each pitch sounds, 0-1; times (M,) in frames."""
    # A note covers frame t by clip(end - t, 0, 1) - clip(start - t, 0, 1): two ramps, each whole before
    # the frame of its time, a fraction in it and nothing after. Pitch by pitch, as an hour has many frames.
    covered = np.zeros((_PITCHES, frames), np.float32)
    for row in np.unique(pitch):
        mine = pitch == row
        whole, part = np.zeros((2, frames + 1), np.float64)
        for time, sign in ((end[mine], 1.0), (start[mine], -1.0)):
            inside = np.clip(time, 0.0, frames)
            at = inside.astype(np.intp)
            np.add.at(whole, at, sign)
            np.add.at(part, at, sign * (inside - at))
        later = np.cumsum(whole[::-1])[::-1]
        covered[row] = np.clip(later[1:] + part[:-1], 0.0, 1.0)
    return covered


def _folded(sounding: Array) -> Array:
    """(128, T) -> (12, T), octaves added up."""
    padded = np.pad(sounding, ((0, -_PITCHES % 12), (0, 0)))
    folded: Array = padded.reshape(-1, 12, sounding.shape[1]).sum(axis=0)
    return folded
