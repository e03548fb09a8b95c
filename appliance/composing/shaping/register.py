"""Higher or lower: octave placement of the upper parts, which inverts their chords, within their ranges.

Notes below a pitch move up by octaves until they lie above it, or notes above a pitch move down. Where a note
goes depends on its pitch alone, so repeated bars stay repeated, and melodies keep their pitch classes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from appliance.composing.shaping.edits import Gauge
from appliance.composing.shaping.song import BY_TIME, LOWEST_INNER, RANGES, Song
from appliance.composing.shaping.strokes import has_bass_line, strokes_of
from appliance.music.score import Note

OCTAVE = 12


def shape_register(
    notes: Sequence[Note], song: Song, bars: frozenset[int], gauge: Gauge, target: float
) -> list[Note]:
    """Bring the mean pitch of the upper parts, without the bass line, to ``target``."""
    found = gauge(notes)
    if found != found:
        return list(notes)
    step = 1 if target > found else -1
    bass_line = has_bass_line(notes)
    chords = [stroke.above_bass(bass_line) for stroke in strokes_of(notes, song, bars)]
    pitches = sorted({note.pitch for chord in chords for note in chord}, reverse=step < 0)
    if not pitches:
        return list(notes)
    bounds = range(pitches[0] + step, pitches[-1] + step * (OCTAVE + 2), step)
    low, high = 0, len(bounds) - 1
    while high - low > 1:
        middle = (low + high) // 2
        if (gauge(_placed(notes, chords, bounds[middle], step)) < target) == (step > 0):
            low = middle
        else:
            high = middle
    placed = [list(notes), *(_placed(notes, chords, bounds[k], step) for k in (low, high))]
    return min(placed, key=lambda made: abs(gauge(made) - target))


def _placed(notes: Sequence[Note], chords: Sequence[Sequence[Note]], bound: int, step: int) -> list[Note]:
    """``notes`` with those of ``chords`` moved by octaves to ``bound`` or beyond; up if ``step`` is 1."""
    moved: dict[Note, Note] = {}
    for chord in chords:
        taken = {(note.group, note.pitch) for note in chord if not _is_short(note.pitch, bound, step)}
        for note in sorted(chord, key=lambda n: -step * n.pitch):
            if not _is_short(note.pitch, bound, step):
                continue
            pitch = _octave(note, bound, step, taken)
            taken.add((note.group, pitch))
            moved[note] = replace(note, pitch=pitch)
    return sorted((moved.get(note, note) for note in notes), key=BY_TIME)


def _octave(note: Note, bound: int, step: int, taken: set[tuple[str, int]]) -> int:
    """Where a note goes: by octaves to the bound, or as far as its range reaches and no other note is."""
    lowest, highest = RANGES[note.group]
    found = pitch = note.pitch
    while _is_short(pitch, bound, step):
        pitch += step * OCTAVE
        if not max(lowest, LOWEST_INNER) <= pitch <= highest:
            break
        if (note.group, pitch) not in taken:
            found = pitch
    return found


def _is_short(pitch: int, bound: int, step: int) -> bool:
    """Whether a pitch does not reach the bound yet."""
    return pitch < bound if step > 0 else pitch > bound
