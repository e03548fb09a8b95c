"""More notes a stroke: chord tones between and around the others. Fewer: inner notes are left out.

The outer notes of a stroke stay, and so does the only root or third of a chord.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from appliance.composing.shaping.edits import Edit, Gauge, until
from appliance.composing.shaping.song import LOWEST_INNER, RANGES, SHORTEST_S, Song, carriers, free_pitches
from appliance.composing.shaping.strokes import Stroke, has_bass_line, sounding_at, strokes_of
from appliance.music.score import Note

ROUNDS = 5
"""A round adds or removes one note of each stroke."""

REACH = 12
"""Semitones around the present notes in which one is added."""

LIGHTER = 4


def shape_voices(
    notes: Sequence[Note], song: Song, bars: frozenset[int], gauge: Gauge, target: float
) -> list[Note]:
    """Bring the mean number of notes a stroke to ``target``."""
    notes = list(notes)
    for _ in range(ROUNDS):
        found = gauge(notes)
        if found != found:
            return notes
        edits = list(_additions(notes, song, bars) if found < target else _removals(notes, song, bars))
        changed = until(notes, edits, gauge, target)
        if changed == notes:
            return notes
        notes = changed
    return notes


def _additions(notes: Sequence[Note], song: Song, bars: frozenset[int]) -> Iterator[Edit]:
    strokes = strokes_of(notes, song, bars)
    for stroke, sounding in zip(strokes, sounding_at(notes, strokes), strict=True):
        added = _added(stroke, sounding, song, has_bass_line(notes))
        if added is not None:
            rank = (float(len(stroke.notes)), -float(stroke.weight))
            yield Edit((), (added,), rank, stroke.place, stroke.bar)


def _added(stroke: Stroke, sounding: Sequence[int], song: Song, bass_line: bool) -> Note | None:
    """One more chord tone for a stroke: inside it if there is room, otherwise below or above."""
    chord = song.chord_at(stroke.time_s)
    upper = stroke.above_bass(bass_line) or stroke.notes
    model = upper[-1]
    lowest, highest = RANGES[model.group]
    if chord is None or not chord.tones:
        return None
    low, high = upper[0].pitch, upper[-1].pitch
    bounds = max(lowest, LOWEST_INNER, low - REACH), min(highest, high + REACH)
    free = free_pitches(sounding, chord.tones, *bounds)
    struck = {note.pitch % 12 for note in stroke.notes}

    def badness(pitch: int) -> tuple[bool, float]:
        outside = max(low - pitch, pitch - high, 0)
        above = 4 if pitch > high else 0  # the top note is a melody of its own
        return pitch % 12 in struck, outside + above + abs(pitch - (low + high) / 2) / 12

    pitch = min(free, key=lambda p: (badness(p)[1] + 3 * badness(p)[0], p), default=None)
    if pitch is None:
        return None
    added = replace(model, pitch=pitch, velocity=max(model.velocity - LIGHTER, 1))
    return replace(added, end_s=max(min(model.end_s, song.last_s(added)), added.start_s + SHORTEST_S))


def _removals(notes: Sequence[Note], song: Song, bars: frozenset[int]) -> Iterator[Edit]:
    kept, bass_line = carriers(notes, song), has_bass_line(notes)
    for stroke in strokes_of(notes, song, bars):
        removed = _least_needed(stroke, kept, song, bass_line)
        if removed is not None:
            rank = (-float(len(stroke.notes)), float(stroke.weight))
            yield Edit((removed,), (), rank, stroke.place, stroke.bar)


def _least_needed(stroke: Stroke, kept: set[Note], song: Song, bass_line: bool) -> Note | None:
    """The inner note whose loss is least heard: a doubled one, then the fifth; last a seventh.

    Below the upper parts lies the bass, so their lowest note is an inner one, unless it is the bass itself.
    """
    inner = stroke.notes[1:-1] if bass_line and len(stroke.notes) > 2 else stroke.notes[:-1]
    chord = song.chord_at(stroke.time_s)
    classes = [note.pitch % 12 for note in stroke.notes]

    def need(note: Note) -> tuple[float, int]:
        if classes.count(note.pitch % 12) > 1:
            return 0.0, -note.pitch
        if chord is None:
            return 2.0, -note.pitch
        fifth, colour = note.pitch % 12 in chord.triad[2:], note.pitch % 12 in chord.beyond
        return (1.0 if fifth else 3.0 if colour else 2.0), -note.pitch

    return min((note for note in inner if note not in kept), key=need, default=None)
