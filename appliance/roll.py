"""Score <-> roll: the picture of the notes that the score VAE reads and paints.

A roll holds, for T score frames (2048 samples each):

- ``pitched`` (G, 4, P, T): G groups, P = 88 pitches, four planes a group: *onset* (1 where a note
  starts in this frame), *offset* (where in the frame, 0-1; only meaningful at onsets), *sustain*
  (share of the frame that sounds) and *velocity* (0-1 at onsets).
- ``drums`` (D, 3, T): D drum keys with onset, offset and velocity.

Onsets are finer than the frame through *offset*; ends through the last frame's share of *sustain*.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from appliance.score import DRUM_GROUP, DRUM_KEYS, FRAME_RATE_HZ, GROUPS, LOWEST_PITCH, PITCHES, Note, Score

ONSET, OFFSET, SUSTAIN, VELOCITY = range(4)
PLANES = 4
DRUM_ONSET, DRUM_OFFSET, DRUM_VELOCITY = range(3)
DRUM_PLANES = 3
DRUM_LENGTH_S = 0.1

Array = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Roll:
    """``pitched`` (G, 4, P, T) and ``drums`` (D, 3, T), float32 in 0..1."""

    pitched: Array
    drums: Array

    @property
    def frames(self) -> int:
        """T, the number of score frames."""
        return self.pitched.shape[-1]

    def stacked(self) -> Array:
        """(G·4·P + D·3, T): the form in which rolls enter and leave the graphs."""
        t = self.frames
        return np.concatenate([self.pitched.reshape(-1, t), self.drums.reshape(-1, t)])

    @staticmethod
    def unstacked(rows: Array) -> Roll:
        """The inverse of :meth:`stacked`; ``rows`` is (G·4·P + D·3, T)."""
        split = len(GROUPS) * PLANES * PITCHES
        t = rows.shape[-1]
        return Roll(
            rows[:split].reshape(len(GROUPS), PLANES, PITCHES, t),
            rows[split:].reshape(len(DRUM_KEYS), DRUM_PLANES, t),
        )


ROLL_ROWS = len(GROUPS) * PLANES * PITCHES + len(DRUM_KEYS) * DRUM_PLANES
"""Rows of a stacked roll."""


def roll_of(score: Score, frames: int | None = None) -> Roll:
    """Draw a score over ``frames`` score frames (default: its duration, rounded up).

    Of two onsets of one key in one frame the first stays.
    """
    count = frames if frames is not None else int(np.ceil(score.duration_s * FRAME_RATE_HZ))
    pitched = np.zeros((len(GROUPS), PLANES, PITCHES, count), np.float32)
    drums = np.zeros((len(DRUM_KEYS), DRUM_PLANES, count), np.float32)
    for note in score.notes:
        start = note.start_s * FRAME_RATE_HZ
        frame = int(start)
        if not 0 <= frame < count:
            continue
        if note.group == DRUM_GROUP:
            cell = drums[DRUM_KEYS.index(note.pitch), :, frame]
            if not cell[DRUM_ONSET]:
                cell[:] = 1.0, start - frame, note.velocity / 127.0
            continue
        key = pitched[GROUPS.index(note.group), :, note.pitch - LOWEST_PITCH]
        if key[ONSET, frame]:
            continue
        key[ONSET, frame] = 1.0
        key[OFFSET, frame] = start - frame
        key[VELOCITY, frame] = note.velocity / 127.0
        _draw_sustain(key[SUSTAIN], start, min(note.end_s * FRAME_RATE_HZ, float(count)))
    return Roll(pitched, drums)


def _draw_sustain(row: Array, start: float, end: float) -> None:
    first, last = int(start), int(end)
    if first >= len(row):
        return
    if first == last:
        row[first] = max(row[first], end - start)
        return
    row[first] = 1.0  # the onset's own share is in OFFSET; a full cell is easier to paint
    row[first + 1 : last] = 1.0
    if last < len(row):
        row[last] = max(row[last], end - last)


@dataclass(frozen=True, slots=True)
class Thresholds:
    """When a painted cell counts. ``onset`` starts a note, ``sustain`` keeps it, ``drum`` hits."""

    onset: float = 0.5
    sustain: float = 0.5
    drum: float = 0.5


def notes_of(roll: Roll, duration_s: float, thresholds: Thresholds = Thresholds()) -> Score:
    """Read a painted roll back as notes.

    An onset is a cell over the threshold that is also the highest of its neighbours in time, so that
    an onset painted across a frame border gives one note. It sounds until its sustain falls below the
    threshold or the next onset of its key.
    """
    notes: list[Note] = []
    onsets = _peaks(roll.pitched[:, ONSET], thresholds.onset)
    for group, name in enumerate(GROUPS):
        for row in np.flatnonzero(onsets[group].any(axis=-1)):
            planes = roll.pitched[group, :, row]
            starts = np.flatnonzero(onsets[group, row])
            follow = np.append(starts[1:], roll.frames)
            for frame, until in zip(starts, follow, strict=True):
                notes.append(_note(planes, int(frame), int(until), name, int(row) + LOWEST_PITCH, thresholds))
    hits = _peaks(roll.drums[:, DRUM_ONSET], thresholds.drum)
    for row, frame in zip(*np.nonzero(hits), strict=True):
        start_s = (frame + float(np.clip(roll.drums[row, DRUM_OFFSET, frame], 0, 1))) / FRAME_RATE_HZ
        velocity = _velocity(roll.drums[row, DRUM_VELOCITY, frame])
        notes.append(Note(start_s, start_s + DRUM_LENGTH_S, DRUM_KEYS[row], velocity, DRUM_GROUP))
    inside = (
        Note(n.start_s, min(n.end_s, duration_s), n.pitch, n.velocity, n.group)
        for n in notes
        if n.start_s < duration_s - 0.02
    )
    return Score.of(inside, duration_s)


def _peaks(onset: Array, threshold: float) -> NDArray[np.bool_]:
    before = np.pad(onset, [(0, 0)] * (onset.ndim - 1) + [(1, 0)])[..., :-1]
    after = np.pad(onset, [(0, 0)] * (onset.ndim - 1) + [(0, 1)])[..., 1:]
    # Two clear onsets in neighbouring frames are a fast repetition, not one onset painted twice.
    clear = onset > 0.5 * (1.0 + threshold)
    result: NDArray[np.bool_] = (onset > threshold) & (clear | ((onset >= before) & (onset > after)))
    return result


def _note(
    planes: Array, frame: int, until: int, group: str, pitch: int, thresholds: Thresholds
) -> Note:
    offset = float(np.clip(planes[OFFSET, frame], 0.0, 1.0))
    start_s = (frame + offset) / FRAME_RATE_HZ
    sustain = planes[SUSTAIN, frame:until]
    silent = np.flatnonzero(sustain[1:] < thresholds.sustain)
    stop = int(silent[0]) + 1 if silent.size else len(sustain)
    end = float(frame + stop)
    if stop < len(sustain):
        end += float(np.clip(sustain[stop], 0.0, 1.0))
    elif until < planes.shape[-1]:  # up to the next onset of the same key, itself inside its frame
        end += float(np.clip(planes[OFFSET, until], 0.0, 1.0))
    if stop == 1 and sustain[0] < 0.95:
        end = min(end, frame + offset + max(float(sustain[0]), 0.2))
    end_s = max(end / FRAME_RATE_HZ, start_s + 0.03)
    return Note(start_s, end_s, pitch, _velocity(planes[VELOCITY, frame]), group)


def _velocity(value: np.float32) -> int:
    return int(np.clip(round(float(value) * 127), 1, 127))
