"""Turns frame-wise note and onset activations into notes.

This is the post-processing of Bittner et al., "A Lightweight Instrument-Agnostic Model for Polyphonic Note
Transcription and Multipitch Estimation", ICASSP 2022 (arXiv 2203.09893), section 2.3, with the thresholds of
the authors' package. Peaks of the onset activation start notes; a note ends when its activation has been low
for some frames. The remaining activation (soft attacks) becomes further notes, strongest first.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

LOWEST_PITCH = 21
"""MIDI number of the first of the 88 columns."""

ONSET_THRESHOLD = 0.5
FRAME_THRESHOLD = 0.3
MIN_NOTE_FRAMES = 11
"""Notes of at most this length are dropped (11 frames of 11.6 ms: 128 ms)."""

RELEASE_FRAMES = 11
"""A note ends when its activation has been below the threshold for this many frames."""

FrameNote = tuple[int, int, int, float]
"""First frame, frame after the last, MIDI pitch, mean activation."""


def create_notes(notes: NDArray[np.float32], onsets: NDArray[np.float32]) -> list[FrameNote]:
    """Notes in the activations of a transcription network.

    Shape: ``notes`` and ``onsets`` are (T, 88): T frames of 88 semitones from A0, values from 0 to 1.
    """
    frames = len(notes)
    if frames < 2 or not np.any(notes):
        return []
    left = np.array(notes, dtype=np.float32)
    found: list[FrameNote] = []

    starts, columns = _onset_peaks(_with_inferred_onsets(onsets, notes))
    # Latest first, so that a note ends where the next one of its pitch starts.
    for start, column in zip(starts[::-1], columns[::-1], strict=True):
        if start >= frames - 1:
            continue
        end = _release(left[:, column], start + 1)
        if end - start > MIN_NOTE_FRAMES:
            _clear(left, start, end, column)
            found.append(_note(notes, start, end, column))

    while True:
        middle, column = divmod(int(np.argmax(left)), left.shape[1])
        if left[middle, column] <= FRAME_THRESHOLD:
            return sorted(found)
        line = left[:, column]
        end, after = _trace(line, middle + 1, frames - 1)
        start, before = _trace(line[::-1], frames - middle, frames - 1)
        left[middle, column] = 0.0
        _clear(left, middle + 1, after, column)
        _clear(left, frames - before, middle, column)
        start, end = frames - start, end - 1
        if end - start > MIN_NOTE_FRAMES:
            found.append(_note(notes, start, end, column))


def _with_inferred_onsets(onsets: NDArray[np.float32], notes: NDArray[np.float32]) -> NDArray[np.float32]:
    """The onset activation, raised where the note activation rises within both one and two frames."""
    jump = np.zeros_like(notes)
    jump[2:] = np.minimum(notes[2:] - notes[1:-1], notes[2:] - notes[:-2])
    np.maximum(jump, 0.0, out=jump)
    peak = float(jump.max())
    if peak == 0.0:
        return onsets
    raised: NDArray[np.float32] = np.maximum(onsets, jump * (float(onsets.max()) / peak))
    return raised


def _onset_peaks(onsets: NDArray[np.float32]) -> tuple[list[int], list[int]]:
    """Frames and columns of temporal maxima above the threshold, in time order."""
    inner = onsets[1:-1]
    peaks = (inner > onsets[:-2]) & (inner > onsets[2:]) & (inner >= ONSET_THRESHOLD)
    starts, columns = np.nonzero(peaks)
    return (starts + 1).tolist(), columns.tolist()


def _trace(line: NDArray[np.float32], begin: int, limit: int) -> tuple[int, int]:
    """Follow a note from ``begin``; returns (frame after its last loud one, frame after the last
    examined)."""
    quiet = 0
    frame = begin
    while frame < limit and quiet < RELEASE_FRAMES:
        quiet = quiet + 1 if line[frame] < FRAME_THRESHOLD else 0
        frame += 1
    return frame - quiet, frame


def _release(line: NDArray[np.float32], begin: int) -> int:
    return _trace(line, begin, len(line) - 1)[0]


def _clear(left: NDArray[np.float32], start: int, end: int, column: int) -> None:
    """Remove a note and its leakage into neighbouring semitones from the remaining activation."""
    left[start:end, max(0, column - 1) : column + 2] = 0.0


def _note(notes: NDArray[np.float32], start: int, end: int, column: int) -> FrameNote:
    return start, end, column + LOWEST_PITCH, float(np.mean(notes[start:end, column]))
