"""Onsets: what a part strikes, one after another, without key, tempo and octaves.

Notes that begin together are one onset. Of an onset three things are kept: its pitch classes; its pace, which
is how the time since the onset before relates to the time before that; and its spacing, which is the shape of
the chord and the leap of its lowest note. Pitch classes and pace stay when a part is played faster, and turn
by one rotation when it is transposed; they also survive other octaves and inversions. The spacing stays when
a part is transposed as a whole.

Letters: N onsets, M notes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from appliance.music.bar_lines import UNKNOWN_BEAT_S
from appliance.music.beat_grid import extrapolated, trusted
from appliance.music.score import DRUM_GROUP, BeatGrid, Score

Ints = NDArray[np.int64]

TICKS = 48
"""Points of a beat at which an onset may lie; notes nearer than one of them begin together."""

PACES = 16
"""Number of paces. Pace 8 is even; each step is half an octave of duration; 0 is unknown."""

_EVEN = 8
_FARTHEST_LEAP = 127

PITCH_CLASSES = 4095
"""The bits of all twelve pitch classes."""

_SETS, _UP = np.arange(PITCH_CLASSES + 1, dtype=np.int64), np.arange(12, dtype=np.int64)[:, None]
TRANSPOSED: Ints = (_SETS << _UP | _SETS >> (12 - _UP)) & PITCH_CLASSES
"""Pitch classes as 12 bits, transposed up by 0 to 11 semitones: (12, 4096)."""


@dataclass(frozen=True, slots=True, eq=False)
class Onsets:
    """The N onsets of a part, in order."""

    pitch_classes: Ints
    """(N,) Bit k is set if pitch class k is struck."""
    paces: Ints
    """(N,) See :data:`PACES`; 0 for the first two onsets."""
    spacings: Ints
    """(N,) The leap of the lowest note, in the upper byte, and a hash of the intervals above it."""
    lowest: Ints
    """(N,) MIDI pitch of the lowest note."""
    beats: NDArray[np.float64]
    """(N,) Where each onset lies, in beats from the first one of the grid."""

    def __len__(self) -> int:
        return len(self.pitch_classes)


def onsets_of(score: Score, grid: BeatGrid) -> Onsets:
    """The onsets of the pitched notes of ``score``, which lie on the points of ``grid`` where it is played to
    beats (:func:`appliance.music.beat_grid.snap`)."""
    return onsets_at(*placed_notes(score, grid))


def placed_notes(score: Score, grid: BeatGrid) -> tuple[NDArray[np.float64], Ints]:
    """Where the M pitched notes of ``score`` begin, in beats of ``grid`` (M,), and their MIDI pitches
    (M,)."""
    notes = [note for note in score.notes if note.group != DRUM_GROUP]
    start_s = np.array([note.start_s for note in notes], np.float64)
    pitches = np.array([note.pitch for note in notes], np.int64)
    if not trusted(grid):
        return start_s / UNKNOWN_BEAT_S, pitches
    beats_s = np.asarray(grid.beats_s, np.float64)
    return extrapolated(start_s, beats_s, np.arange(len(beats_s), dtype=np.float64)), pitches


def onsets_at(beats: NDArray[np.float64], pitches: Ints) -> Onsets:
    """The onsets of M notes at ``beats`` (M,) with MIDI ``pitches`` (M,), in any order.

    >>> found = onsets_at(np.array([0.0, 0.0, 1.0, 1.5]), np.array([48, 64, 67, 72]))
    >>> found.pitch_classes.tolist(), found.paces.tolist()
    ([17, 128, 1], [0, 0, 6])
    """
    ticks = np.rint(beats * TICKS).astype(np.int64)
    order = np.lexsort((pitches, ticks))
    ticks, pitches = ticks[order], pitches[order]
    new = np.ones(len(ticks), bool)
    new[1:] = ticks[1:] != ticks[:-1]
    firsts = np.flatnonzero(new)
    if not len(firsts):
        none = np.zeros(0, np.int64)
        return Onsets(none, none, none, none, np.zeros(0))
    lowest = pitches[firsts]
    above = pitches - np.repeat(lowest, np.diff(np.append(firsts, len(pitches))))
    shapes = np.bitwise_xor.reduceat(_scrambled(above, 24).astype(np.int64), firsts) & 255
    leaps = np.clip(np.diff(lowest, prepend=lowest[:1]), -_FARTHEST_LEAP, _FARTHEST_LEAP) + 128
    return Onsets(
        np.bitwise_or.reduceat(np.left_shift(1, pitches % 12), firsts),
        _paces(ticks[firsts]),
        leaps << 8 | shapes,
        lowest,
        ticks[firsts] / TICKS,
    )


def _scrambled(numbers: Ints, bits: int) -> NDArray[np.uint64]:
    """A number of so many ``bits`` for each, as Fibonacci hashing gives (Knuth, vol. 3, section 6.4)."""
    product = (numbers.astype(np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
    scrambled: NDArray[np.uint64] = product >> np.uint64(64 - bits)
    return scrambled


def _paces(ticks: Ints) -> Ints:
    paces = np.zeros(len(ticks), np.int64)
    if len(ticks) > 2:
        gaps = np.diff(ticks).astype(np.float64)
        steps = np.rint(2.0 * np.log2(gaps[1:] / gaps[:-1]))
        paces[2:] = np.clip(steps, 1 - _EVEN, PACES - 1 - _EVEN).astype(np.int64) + _EVEN
    return paces


def turned(*pitch_classes: Ints) -> tuple[Ints, Ints]:
    """The same number for the same chords in every key: onsets side by side, (N,) each.

    Returns the smallest of the twelve numbers that the chords have when transposed, (N,), and by how many
    semitones they had to be transposed, (N,).
    """
    numbers = np.zeros((12, len(pitch_classes[0])), np.int64)
    for chord in pitch_classes:
        numbers = numbers << 12 | TRANSPOSED[:, chord]
    semitones = numbers.argmin(axis=0)
    return np.take_along_axis(numbers, semitones[None], axis=0)[0], semitones


def figures(pitch_classes: Ints, paces: Ints) -> tuple[Ints, Ints]:
    """The figure that ends with each onset from the third on: three chords and a pace, in any key.

    Takes (N,) pitch classes and paces; returns numbers of 40 bits (N - 2,), and by how many semitones each
    figure is turned (N - 2,).
    """
    if len(pitch_classes) < 3:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    chords, semitones = turned(pitch_classes[:-2], pitch_classes[1:-1], pitch_classes[2:])
    return chords | paces[2:] << 36, semitones


def figure_hashes(numbers: Ints) -> NDArray[np.uint32]:
    """32 bits of each figure, by which it is looked up; rarely, two figures share one."""
    return _scrambled(numbers, 32).astype(np.uint32)
