"""More of the tune in the band: top notes of strokes follow the singer. Less: other chord tones are struck.

Only sung notes that belong to the chord are doubled. Their rhythm is the singer's: where no stroke is near,
one note is added.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from appliance.composing.shaping.edits import Edit, Gauge, until
from appliance.composing.shaping.song import RANGES, SHORTEST_S, Song, carriers, free_pitches
from appliance.composing.shaping.strokes import Stroke, has_bass_line, strokes_of
from appliance.music.attributes import SHORTEST_SUNG_S, TOGETHER_S, UpperParts, doubled
from appliance.music.score import Note

_CHANGED, _ADDED = range(2)
"""Ways to double, in the order in which they are tried."""


def shape_doubling(
    notes: Sequence[Note], song: Song, bars: frozenset[int], gauge: Gauge, target: float
) -> list[Note]:
    """Bring the share of the sung time that is doubled to ``target``."""
    found = gauge(notes)
    if found != found:
        return list(notes)
    make = _doubled if found < target else _parted
    return until(notes, list(make(notes, song, bars)), gauge, target)


def _sung(notes: Sequence[Note], song: Song, doubled_now: bool) -> list[tuple[float, float, int]]:
    """Start, end and pitch of the sung notes that are, or are not, doubled now."""
    sung = song.sung[song.sung[:, 1] - song.sung[:, 0] >= SHORTEST_SUNG_S]
    mine = doubled(UpperParts.of(notes), sung) == doubled_now
    return [(float(a), float(b), round(float(p))) for a, b, p in sung[mine]]


def _doubled(notes: Sequence[Note], song: Song, bars: frozenset[int]) -> Iterator[Edit]:
    strokes = strokes_of(notes, song)
    starts_s = np.array([stroke.time_s for stroke in strokes])
    bass_line, kept = has_bass_line(notes), carriers(notes, song)
    for start_s, end_s, pitch in _sung(notes, song, doubled_now=False):
        chord = song.chord_at(start_s)
        if song.bar_of(start_s) not in bars or not strokes or chord is None or pitch % 12 not in chord.tones:
            continue
        nearest = strokes[int(np.abs(starts_s - start_s).argmin())]
        if nearest.bar not in bars:
            continue
        upper = nearest.above_bass(bass_line)
        if abs(nearest.time_s - start_s) <= TOGETHER_S and upper:
            edit = _on_top(nearest, upper, pitch, kept, song)
        else:
            edit = _alone(nearest, start_s, end_s, pitch, song)
        if edit is not None:
            yield edit


def _on_top(stroke: Stroke, upper: Sequence[Note], sung: int, kept: set[Note], song: Song) -> Edit | None:
    """The top note of a stroke becomes the sung one, in the nearest octave; a needed one stays beside it."""
    top = upper[-1]
    others = [note.pitch for note in upper[:-1]]
    pitch = _octave(sung, top, [*others, top.pitch] if top in kept else others)
    if pitch is None:
        return None
    made = replace(top, pitch=pitch)
    made = replace(made, end_s=max(min(made.end_s, song.last_s(made)), made.start_s + SHORTEST_S))
    removed = () if top in kept else (top,)
    return Edit(removed, (made,), (_CHANGED, -float(stroke.weight)), stroke.place, stroke.bar)


def _alone(nearest: Stroke, start_s: float, end_s: float, sung: int, song: Song) -> Edit | None:
    """A single note with the singer, as loud and as high as the top of the nearest stroke."""
    top = nearest.notes[-1]
    pitch = _octave(sung, top, [])
    if pitch is None or end_s - start_s < SHORTEST_S:
        return None
    made = replace(top, pitch=pitch, start_s=start_s, end_s=end_s)
    made = replace(made, end_s=max(min(end_s, song.last_s(made)), start_s + SHORTEST_S))
    return Edit((), (made,), (_ADDED, -float(nearest.weight)), nearest.place, nearest.bar)


def _octave(sung: int, near: Note, taken: Sequence[int]) -> int | None:
    """The octave of the sung pitch that is nearest to a note, and free."""
    lowest, highest = RANGES[near.group]
    lowest, highest = max(lowest, near.pitch - 11), min(highest, near.pitch + 12)
    free = free_pitches(taken, [sung % 12], lowest, highest, 2)
    return min(free, key=lambda pitch: (abs(pitch - near.pitch), pitch), default=None)


def _parted(notes: Sequence[Note], song: Song, bars: frozenset[int]) -> Iterator[Edit]:
    kept, bass_line = carriers(notes, song), has_bass_line(notes)
    strokes = strokes_of(notes, song, bars)
    for start_s, _, sung in _sung(notes, song, doubled_now=True):
        removed: list[Note] = []
        added: list[Note] = []
        near = [s for s in strokes if abs(s.time_s - start_s) <= TOGETHER_S + 0.03]
        for stroke in near:
            for note in stroke.above_bass(bass_line):
                if note.pitch % 12 == sung % 12:
                    removed.append(note)
                    added += _instead(note, stroke, sung, song)
        if not removed or any(note in kept for note in removed):
            continue
        stroke = near[0]
        if not added and len(stroke.notes) == len(removed):
            continue  # the stroke would fall silent
        yield Edit(tuple(removed), tuple(added), (float(stroke.weight),), stroke.place, stroke.bar)


def _instead(note: Note, stroke: Stroke, sung: int, song: Song) -> list[Note]:
    """The chord tone next to a note that is not the sung one and not struck yet; nothing if none is free."""
    chord = song.chord_at(note.start_s)
    if chord is None:
        return []
    others = [n.pitch for n in stroke.notes if n != note]
    lowest, highest = RANGES[note.group]
    lowest, highest = max(lowest, note.pitch - 9), min(highest, note.pitch + 9)
    free = free_pitches(others, chord.tones - {sung % 12}, lowest, highest)
    if not free:
        return []
    made = replace(note, pitch=min(free, key=lambda pitch: (abs(pitch - note.pitch), pitch)))
    return [replace(made, end_s=max(min(made.end_s, song.last_s(made)), made.start_s + SHORTEST_S))]
