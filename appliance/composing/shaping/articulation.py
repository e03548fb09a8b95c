"""More legato or more detached: the lengths of all notes are scaled alike.

Where that is not legato enough, repeated notes are tied, as long as their stroke has others.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import replace

from appliance.composing.shaping.edits import Edit, Gauge, until
from appliance.composing.shaping.song import BY_TIME, SHORTEST_S, Song, is_upper
from appliance.composing.shaping.strokes import strokes_of
from appliance.music.score import Note

MOST_OCTAVES = 4.0
STEPS = 10
"""Halvings of the interval in which the factor is sought."""


def shape_articulation(
    notes: Sequence[Note], song: Song, bars: frozenset[int], gauge: Gauge, target: float
) -> list[Note]:
    """Bring the mean log2 of length by time to the next stroke to ``target``.

    A note grows at most to the next note of its pitch, and to a chord that it does not belong to.
    """
    found = gauge(notes)
    if found != found:
        return list(notes)
    latest_s = _latest(notes, song, bars)
    low, high = (0.0, MOST_OCTAVES) if target > found else (-MOST_OCTAVES, 0.0)
    for _ in range(STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if gauge(_scaled(notes, latest_s, middle)) < target else (low, middle)
    made = _scaled(notes, latest_s, (low + high) / 2)
    if gauge(made) < target and low > 0:
        made = until(made, list(_ties(made, song, bars)), gauge, target)
    return made


def _ties(notes: Sequence[Note], song: Song, bars: frozenset[int]) -> Iterator[Edit]:
    """Notes of a stroke that continue the same pitch are tied to it; one note of each stroke stays."""
    ended = {(note.group, note.pitch, round(note.end_s, 3)): note for note in notes}
    for stroke in strokes_of(notes, song, bars):
        repeated = [
            (before, note)
            for note in stroke.notes
            if (before := ended.get((note.group, note.pitch, round(note.start_s, 3)))) is not None
        ]
        for before, note in repeated[: len(stroke.notes) - 1]:
            tied = replace(before, end_s=note.end_s)
            yield Edit((before, note), (tied,), (-float(stroke.weight),), stroke.place, stroke.bar)


def _latest(notes: Sequence[Note], song: Song, bars: frozenset[int]) -> dict[Note, float]:
    """Latest end of each note that may change."""
    following: dict[tuple[str, int], list[float]] = {}
    for note in sorted(notes, key=BY_TIME):
        following.setdefault((note.group, note.pitch), []).append(note.start_s)
    found = {}
    for note in notes:
        if is_upper(note) and song.bar_of(note.start_s) in bars:
            starts = following[note.group, note.pitch]
            k = bisect_right(starts, note.start_s)
            next_s = starts[k] if k < len(starts) else song.lines.duration_s
            found[note] = max(min(next_s, song.last_s(note)), note.end_s)
    return found


def _scaled(notes: Sequence[Note], latest_s: dict[Note, float], octaves: float) -> list[Note]:
    factor = 2.0**octaves
    made = []
    for note in notes:
        if note in latest_s:
            length_s = note.end_s - note.start_s
            new_s = max(length_s * factor, min(SHORTEST_S, length_s))
            end_s = min(note.start_s + new_s, latest_s[note])
            note = Note(note.start_s, end_s, note.pitch, note.velocity, note.group)
        made.append(note)
    return made
