"""The written piano part with a player's touch: metric accents, top voice, phrases, small deviations."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from appliance.music.score import Note
from train.arrange.context import Context
from train.arrange.grid import Grid

TIMING_S = 0.008
"""Standard deviation of onsets in the loosest playing."""


def chords_struck(notes: Sequence[Note]) -> list[list[Note]]:
    """Notes grouped by onset (within a millisecond), each chord low to high."""
    ordered = sorted(notes, key=lambda n: (round(n.start_s, 3), n.pitch))
    return [list(chord) for _, chord in groupby(ordered, key=lambda n: round(n.start_s, 3))]


def accent(grid: Grid, time_s: float) -> float:
    """Velocity that the metre adds at ``time_s``: most on bar lines, negative between pulses."""
    position = grid.position(time_s)
    pulses = grid.bars[grid.index(time_s)].pulses
    if position < 0.06:
        return 6.0
    if abs(position - round(position)) > 0.06:
        return -5.0
    return 3.0 if pulses % 2 == 0 and round(position) == pulses // 2 else 0.0


def piano(context: Context) -> list[Note]:
    """The written notes in group ``keys`` with new velocities and small timing deviations."""
    random = context.random
    looseness = random.choice((0.0, 0.6, 1.0))
    touch = random.uniform(56, 68)
    top_accent = random.uniform(6, 11)
    played: list[Note] = []
    for chord in chords_struck(context.song.written):
        onset_s = chord[0].start_s
        middle = touch + accent(context.grid, onset_s) + 34 * (context.dynamics.swell(onset_s) - 0.45)
        late_s = random.gauss(0.0, TIMING_S * looseness)
        for note in chord:
            level = middle + random.gauss(0.0, 2.0 * looseness)
            if note is chord[-1]:
                level += top_accent * min(1.0, 0.5 + 0.02 * (note.pitch - 55))
            elif note is chord[0]:
                level += 2.0
            else:
                level -= 5.0
            start_s = note.start_s + late_s
            end_s = max(note.end_s + late_s, start_s + 0.05)
            played.append(Note(start_s, end_s, note.pitch, _velocity(level), "keys"))
    return played


def _velocity(level: float) -> int:
    return round(min(max(level, 18.0), 120.0))
