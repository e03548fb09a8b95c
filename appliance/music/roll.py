"""The roll, a score as an image: drawn from notes, and read back as notes.

The score VAE encodes and decodes rolls. For T score frames of 2,048 samples a roll holds:

- ``pitched`` (G, 4, P, T): G pitched groups, P = 88 pitches, four planes per group: *onset* (1 if a note
  starts in the frame), *offset* (where in the frame, 0-1; valid at onsets only), *sustain* (the share of the
  frame that sounds) and *velocity* (0-1 at onsets);
- ``drums`` (D, 3, T): D drums, with the planes onset, offset and velocity.

*Offset* times onsets more finely than a frame; *sustain* of the last frame does so for ends.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from appliance.grid import FRAME_RATE_HZ
from appliance.music.note_rows import DRUMS, NoteRows, note_rows
from appliance.music.score import DRUM_GROUP, DRUM_KEYS, GROUPS, LOWEST_PITCH, PITCHES, Note, Score

ONSET, OFFSET, SUSTAIN, VELOCITY = range(4)
PLANES = 4
DRUM_ONSET, DRUM_OFFSET, DRUM_VELOCITY = range(3)
DRUM_PLANES = 3
_PITCHED_PLANES, _DRUM_PLANES = (ONSET, OFFSET, VELOCITY), (DRUM_ONSET, DRUM_OFFSET, DRUM_VELOCITY)
DRUM_LENGTH_S = 0.1

SHORTEST_NOTE_S = 0.03
FULL_CELL = 255
LEAST_BODY = 0.3
"""Least sustain in the frame of an onset; in the training data only notes under 14 ms have less."""

Array = NDArray[np.float32]
Cells = NDArray[np.uint8]
"""Probabilities as bytes: 255 is 1."""


@dataclass(frozen=True, slots=True)
class Roll:
    """``pitched`` (G, 4, P, T) and ``drums`` (D, 3, T), float32 from 0 to 1; letters as above."""

    pitched: Array
    drums: Array

    @property
    def frames(self) -> int:
        """T, the number of score frames."""
        return int(self.pitched.shape[-1])

    def stacked(self) -> Array:
        """The roll as one array (G·4·P + D·3, T), the input and output format of the graphs."""
        t = self.frames
        return np.concatenate([self.pitched.reshape(-1, t), self.drums.reshape(-1, t)])

    @staticmethod
    def unstacked(rows: Array) -> Roll:
        """The inverse of :meth:`stacked`, from ``rows`` (G·4·P + D·3, T)."""
        split = len(GROUPS) * PLANES * PITCHES
        t = rows.shape[-1]
        return Roll(
            rows[:split].reshape(len(GROUPS), PLANES, PITCHES, t),
            rows[split:].reshape(len(DRUM_KEYS), DRUM_PLANES, t),
        )


ROLL_ROWS = len(GROUPS) * PLANES * PITCHES + len(DRUM_KEYS) * DRUM_PLANES
"""Rows of a stacked roll."""


def roll_of(score: Score, frames: int | None = None) -> Roll:
    """Draw a score over ``frames`` score frames (default: its duration, rounded up)."""
    count = frames if frames is not None else int(np.ceil(score.duration_s * FRAME_RATE_HZ))
    return draw_roll(note_rows(score), 0, count)


def draw_roll(notes: NoteRows, first: int, frames: int) -> Roll:
    """Draw score frames ``first`` to ``first + frames`` of N ``notes`` (N, 5).

    Of two onsets of one pitch in a frame, the first one stays. Notes that started earlier continue with their
    sustain. Notes outside the range of MIDI 21-108 are left out.
    """
    pitched = np.zeros((len(GROUPS), PLANES, PITCHES, frames), np.float32)
    drums = np.zeros((len(DRUM_KEYS), DRUM_PLANES, frames), np.float32)
    starts = notes[:, 0].astype(np.float64) * FRAME_RATE_HZ - first
    ends = notes[:, 1].astype(np.float64) * FRAME_RATE_HZ - first
    for k in np.flatnonzero((ends > 0) & (starts < frames)):
        start, pitch, group = starts[k], int(notes[k, 2]), int(notes[k, 4])
        velocity = float(notes[k, 3]) / 127.0
        if group == DRUMS and start >= 0:
            _draw_onset(drums[DRUM_KEYS.index(pitch)], _DRUM_PLANES, start, velocity)
        elif group != DRUMS and 0 <= pitch - LOWEST_PITCH < PITCHES:
            key = pitched[group, :, pitch - LOWEST_PITCH]
            if start < 0 or _draw_onset(key, _PITCHED_PLANES, start, velocity):
                _draw_sustain(key[SUSTAIN], start, ends[k])
    return Roll(pitched, drums)


def _draw_onset(key: Array, planes: tuple[int, int, int], start: float, velocity: float) -> bool:
    """Draw an onset in ``key`` (planes, T), one pitch or drum; False if its cell already has one."""
    frame, (onset, offset, loud) = int(start), planes
    free = not key[onset, frame]
    if free:
        key[onset, frame], key[offset, frame], key[loud, frame] = 1.0, start - frame, velocity
    return free


def _draw_sustain(row: Array, start: float, end: float) -> None:
    first, last = int(np.floor(start)), int(end)
    if first == last:
        row[first] = max(row[first], end - start)
        return
    # OFFSET already holds the share of the first frame; the network learns a full cell more easily.
    row[max(first, 0) : last] = 1.0
    if last < len(row):
        row[last] = max(row[last], end - last)


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Least values of cells that start a note (``onset``), continue it (``sustain``), or hit a ``drum``."""

    onset: float = 0.5
    sustain: float = 0.5
    drum: float = 0.5


class RollReader:
    """Reads notes from a roll of the VAE, part by part: the whole roll of a long song is never in memory.

    An onset is a cell over the threshold that is not exceeded by its neighbours in time, so that an onset
    spread across two frames gives one note. The note sounds until its sustain falls below the threshold, or
    until the next onset of its pitch. An onset without sustain in its own frame is dropped. An hour takes
    54 MB.
    """

    def __init__(self, thresholds: Thresholds = Thresholds()) -> None:
        self._thresholds = thresholds
        self._onsets: list[Cells] = []
        self._sustains: list[Cells] = []
        self._hits: list[Cells] = []
        self._details: dict[tuple[int, ...], tuple[float, float]] = {}
        self._frames = 0

    def add(self, roll: Roll) -> None:
        """Add the next part of the roll."""
        onset, hit = roll.pitched[:, ONSET], roll.drums[:, DRUM_ONSET]
        self._onsets.append(_cells(onset))
        self._sustains.append(_cells(roll.pitched[:, SUSTAIN]))
        self._hits.append(_cells(hit))
        for group, row, frame in zip(*np.nonzero(onset > self._thresholds.onset), strict=True):
            offset, velocity = roll.pitched[group, [OFFSET, VELOCITY], row, frame]
            self._details[int(group), int(row), self._frames + int(frame)] = float(offset), float(velocity)
        for row, frame in zip(*np.nonzero(hit > self._thresholds.drum), strict=True):
            offset, velocity = roll.drums[row, [DRUM_OFFSET, DRUM_VELOCITY], frame]
            self._details[int(row), self._frames + int(frame)] = float(offset), float(velocity)
        self._frames += roll.frames

    def score(self, duration_s: float) -> Score:
        """All notes that start before ``duration_s``; notes that sound longer end there."""
        notes = [*self._pitched_notes(), *self._drum_notes()]
        inside = (
            Note(n.start_s, min(n.end_s, duration_s), n.pitch, n.velocity, n.group)
            for n in notes
            if n.start_s < duration_s - 0.02
        )
        return Score.of(inside, duration_s)

    def _pitched_notes(self) -> Iterator[Note]:
        onsets = np.concatenate(self._onsets, axis=-1)
        sustains = np.concatenate(self._sustains, axis=-1)
        for group, name in enumerate(GROUPS):
            for row in range(PITCHES):
                starts = np.flatnonzero(_peaks(onsets[group, row], self._thresholds.onset))
                follow = np.append(starts, self._frames)[1:]
                for frame, until in zip(starts.tolist(), follow.tolist(), strict=True):
                    offset, velocity = self._details[group, row, frame]
                    next_offset = self._details[group, row, until][0] if until < self._frames else None
                    sustain = sustains[group, row, frame:until]
                    if sustain[0] < LEAST_BODY * FULL_CELL:
                        continue
                    start_s, end_s = self._sounding(frame, offset, sustain, next_offset)
                    yield Note(start_s, end_s, row + LOWEST_PITCH, _velocity(velocity), name)

    def _sounding(
        self, frame: int, offset: float, sustain: Cells, next_offset: float | None
    ) -> tuple[float, float]:
        """Start and end (s) of the note in ``frame``; ``sustain`` (n,) are n cells up to the next onset."""
        offset = min(max(offset, 0.0), 1.0)
        start_s = (frame + offset) / FRAME_RATE_HZ
        silent = np.flatnonzero(sustain[1:] < self._thresholds.sustain * FULL_CELL)
        stop = int(silent[0]) + 1 if silent.size else len(sustain)
        end = float(frame + stop)
        if stop < len(sustain):
            end += float(sustain[stop]) / FULL_CELL
        elif next_offset is not None:  # up to the next onset of the same pitch, within its frame
            end += min(max(next_offset, 0.0), 1.0)
        first = float(sustain[0]) / FULL_CELL
        if stop == 1 and first < 0.95:  # the note begins and ends in one frame
            end = min(end, frame + offset + max(first, 0.2))
        return start_s, max(end / FRAME_RATE_HZ, start_s + SHORTEST_NOTE_S)

    def _drum_notes(self) -> Iterator[Note]:
        hits = _peaks(np.concatenate(self._hits, axis=-1), self._thresholds.drum)
        for row, frame in zip(*np.nonzero(hits), strict=True):
            offset, velocity = self._details[int(row), int(frame)]
            start_s = (int(frame) + min(max(offset, 0.0), 1.0)) / FRAME_RATE_HZ
            yield Note(start_s, start_s + DRUM_LENGTH_S, DRUM_KEYS[row], _velocity(velocity), DRUM_GROUP)


def notes_of(roll: Roll, duration_s: float, thresholds: Thresholds = Thresholds()) -> Score:
    """Read the notes of a whole roll; see :class:`RollReader`."""
    reader = RollReader(thresholds)
    reader.add(roll)
    return reader.score(duration_s)


def _cells(plane: Array) -> Cells:
    return np.rint(np.clip(plane, 0.0, 1.0) * FULL_CELL).astype(np.uint8)


def _peaks(onset: Cells, threshold: float) -> NDArray[np.bool_]:
    """Whether each cell (..., T) starts a note."""
    edge = [(0, 0)] * (onset.ndim - 1)
    before = np.pad(onset, [*edge, (1, 0)])[..., :-1]
    after = np.pad(onset, [*edge, (0, 1)])[..., 1:]
    # Two clear onsets in neighbouring frames are a fast repetition, not one onset spread over both.
    clear = onset > 0.5 * (1.0 + threshold) * FULL_CELL
    over = onset > np.ceil(threshold * FULL_CELL)
    result: NDArray[np.bool_] = over & (clear | ((onset >= before) & (onset > after)))
    return result


def _velocity(value: float) -> int:
    return min(max(round(value * 127), 1), 127)
