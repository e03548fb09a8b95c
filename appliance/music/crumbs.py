"""Crumbs: pitched notes too short to be heard as notes, and what becomes of them.

People do not write notes under 70 ms, but a decoded roll has them: a note broken in two, a chord's tone that
the decoder lets go at once, or a trace beside another note.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from dataclasses import replace

from appliance.music.score import DRUM_GROUP, Note, Score

CRUMB_S = 0.07
"""Shorter pitched notes are crumbs: a sixteenth at 214 beats per minute."""

BREAK_S = 0.03
"""A rest of at most this length between two notes of a pitch is a break in one note."""

TOGETHER_S = 0.03
"""Notes that start within this time are struck together."""

LONGEST_COMPANION_S = 1.0
"""A crumb never becomes longer than this."""


def is_crumb(note: Note) -> bool:
    """Whether ``note`` is pitched and shorter than :data:`CRUMB_S`."""
    return note.group != DRUM_GROUP and note.end_s - note.start_s < CRUMB_S - 1e-6


def without_crumbs(score: Score, *, company: bool = True) -> Score:
    """``score`` without crumbs; drums and all longer notes' onsets stay as they are.

    A crumb that touches another note of its pitch joins it. One that is struck together with other notes of
    its group becomes as long as the shortest of them. Any other becomes a short note, :data:`CRUMB_S` long.
    No note is lengthened past the next onset of its pitch; where that leaves no room, the crumb is dropped.
    With ``company`` false a crumb never becomes longer than :data:`CRUMB_S`, so that it does not ring into
    the next chord.

    >>> chord = [Note(0.0, 0.5, 60, 80, "keys"), Note(0.01, 0.04, 64, 80, "keys")]
    >>> [(n.pitch, n.end_s) for n in without_crumbs(Score.of(chord, 1.0)).notes]
    [(60, 0.5), (64, 0.5)]
    """
    lanes: dict[tuple[str, int], list[Note]] = defaultdict(list)
    by_group: dict[str, list[Note]] = defaultdict(list)
    for note in score.notes:
        lanes[note.group, note.pitch].append(note)
        by_group[note.group].append(note)
    starts = {group: [note.start_s for note in notes] for group, notes in by_group.items()}
    kept: list[Note] = []
    for (group, _), lane in lanes.items():
        if group == DRUM_GROUP:
            kept += lane
            continue
        joined = _joined(lane)
        for note, following in zip(joined, [*joined[1:], None], strict=True):
            if not is_crumb(note):
                kept.append(note)
                continue
            room_s = (following.start_s if following else score.duration_s) - note.start_s
            beside_s = _company_s(note, by_group[group], starts[group]) if company else 0.0
            wanted_s = min(max(beside_s, CRUMB_S), LONGEST_COMPANION_S)
            if room_s >= CRUMB_S:
                kept.append(replace(note, end_s=note.start_s + min(wanted_s, room_s)))
    return Score.of(kept, score.duration_s)


def _joined(lane: list[Note]) -> list[Note]:
    """Notes of one pitch in order of time; a crumb that touches its neighbour is joined with it."""
    result: list[Note] = []
    for note in lane:
        last = result[-1] if result else None
        if last and note.start_s - last.end_s <= BREAK_S and (is_crumb(note) or is_crumb(last)):
            velocity = max(last.velocity, note.velocity)
            result[-1] = replace(last, end_s=max(last.end_s, note.end_s), velocity=velocity)
        else:
            result.append(note)
    return result


def _company_s(crumb: Note, notes: list[Note], starts_s: list[float]) -> float:
    """Length of the shortest longer note that is struck together with ``crumb``; 0 if there is none."""
    first = bisect_right(starts_s, crumb.start_s - TOGETHER_S)
    last = bisect_right(starts_s, crumb.start_s + TOGETHER_S)
    lengths = [n.end_s - crumb.start_s for n in notes[first:last] if not is_crumb(n)]
    return min(lengths, default=0.0)
