"""How much of each frame each pitch sounds, and the pitch classes of chords and bass that follow from it.

Shapes: M notes, T frames of any length, P = 128 MIDI pitches.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

MIDI_PITCHES = 128

_SOUNDS = 0.25
"""Least share of a frame that a pitch must sound to be the frame's bass."""

Array = NDArray[np.float32]


def coverage(
    pitch: NDArray[np.integer[Any]],
    start: NDArray[np.floating[Any]],
    end: NDArray[np.floating[Any]],
    frames: int,
) -> Array:
    """Share of each frame that each pitch sounds: (P, T), 0-1; ``start`` and ``end`` (M,) are in frames."""
    # A note covers frame t by clip(end - t, 0, 1) - clip(start - t, 0, 1): two ramps, each 1 before the
    # frame of its time, a fraction in it and 0 after it. One pitch at a time: an hour has many frames.
    covered = np.zeros((MIDI_PITCHES, frames), np.float32)
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


def chroma_and_bass(covered: Array) -> Array:
    """Fold ``covered`` (P, T) to pitch classes: 12 rows of all pitches, 12 of the lowest; (24, T), 0-1."""
    frames = covered.shape[1]
    rows = np.zeros((24, frames), np.float32)
    octaves = np.pad(covered, ((0, -MIDI_PITCHES % 12), (0, 0))).reshape(-1, 12, frames)
    rows[:12] = np.minimum(octaves.sum(axis=0), 1.0)
    sounds = covered > _SOUNDS
    lowest, present = sounds.argmax(axis=0), np.flatnonzero(sounds.any(axis=0))
    rows[12 + lowest[present] % 12, present] = covered[lowest[present], present]
    return rows
