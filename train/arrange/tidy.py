"""Turns an arranger's notes into a score that obeys the rules of :mod:`appliance.music.score`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from operator import attrgetter

from appliance.music.score import DRUM_GROUP, DRUM_KEYS, LOWEST_PITCH, PITCHES, Note, Score

SHORTEST_S = 0.04
"""Shorter notes are dropped: a frame of a roll lasts 46 ms."""


def tidy(notes: Iterable[Note], duration_s: float) -> Score:
    """A score within ``duration_s`` and the compass, in which notes of one pitch and group do not overlap.

    Raises:
        ValueError: a drum note has a key that scores cannot hold.
    """
    lanes: dict[tuple[str, int], list[Note]] = defaultdict(list)
    for note in notes:
        pitch = note.pitch if note.group == DRUM_GROUP else _folded(note.pitch)
        if note.group == DRUM_GROUP and pitch not in DRUM_KEYS:
            raise ValueError(f"drum key {pitch} has no row in a score; use one of {DRUM_KEYS}")
        start_s, end_s = max(0.0, note.start_s), min(note.end_s, duration_s)
        if end_s - start_s >= SHORTEST_S:
            velocity = min(max(round(note.velocity), 1), 127)
            lanes[note.group, pitch].append(Note(start_s, end_s, pitch, velocity, note.group))
    return Score.of((note for lane in lanes.values() for note in _one_at_a_time(lane)), duration_s)


def _folded(pitch: int) -> int:
    while pitch < LOWEST_PITCH:
        pitch += 12
    while pitch >= LOWEST_PITCH + PITCHES:
        pitch -= 12
    return pitch


def _one_at_a_time(lane: list[Note]) -> list[Note]:
    """Notes of one pitch without overlap: an onset ends the note before; onsets too close are joined."""
    lane.sort(key=attrgetter("start_s", "end_s", "velocity"))
    kept: list[Note] = []
    for note in lane:
        if kept and note.start_s < kept[-1].end_s:
            last = kept.pop()
            if note.start_s - last.start_s < SHORTEST_S:
                note = Note(
                    last.start_s,
                    max(last.end_s, note.end_s),
                    note.pitch,
                    max(last.velocity, note.velocity),
                    note.group,
                )
            else:
                kept.append(Note(last.start_s, note.start_s, last.pitch, last.velocity, last.group))
        kept.append(note)
    return kept
