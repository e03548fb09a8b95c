"""More strokes: those before long gaps are repeated inside them. Fewer: weak ones are left out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from appliance.composing.shaping.edits import Edit, Gauge, until
from appliance.composing.shaping.song import SHORTEST_S, Song, carriers, free_pitches
from appliance.composing.shaping.strokes import Stroke, strokes_of
from appliance.music.bar_lines import TICKS
from appliance.music.chord_filling import EARLY_S
from appliance.music.metrical_weight import weights
from appliance.music.score import Note

ROUNDS = 4
"""A round divides each gap once."""

SHORTEST_GAP_S = 0.12
"""Strokes are not set closer: sixteenths at 125 beats a minute."""

LIGHTER = 6
"""A repeated stroke is this much softer in velocity."""


def shape_density(
    notes: Sequence[Note], song: Song, bars: frozenset[int], gauge: Gauge, target: float
) -> list[Note]:
    """Bring the log2 of strokes a beat to ``target``."""
    notes = list(notes)
    for _ in range(ROUNDS):
        found = gauge(notes)
        if found != found:
            return notes
        edits = list(_repeats(notes, song, bars) if found < target else _omissions(notes, song, bars))
        changed = until(notes, edits, gauge, target)
        if changed == notes:
            return notes
        notes = changed
    return notes


def _repeats(notes: Sequence[Note], song: Song, bars: frozenset[int]) -> Iterator[Edit]:
    for stroke in strokes_of(notes, song, bars):
        beat = _between(stroke, song)
        if beat is None:
            continue
        time_s = float(song.lines.seconds(np.array([beat]))[0])
        until_s = float(song.lines.seconds(np.array([stroke.next_beat]))[0])
        chord = song.chord_at(time_s)
        if chord is None or not chord.tones or min(time_s - stroke.time_s, until_s - time_s) < SHORTEST_GAP_S:
            continue
        edit = _repeated(stroke, time_s, until_s, song)
        if edit is not None:
            yield replace(edit, rank=(-round((stroke.next_beat - stroke.beat) * TICKS),))


def _between(stroke: Stroke, song: Song) -> float | None:
    """The strongest place in the gap after a stroke, in beats; of equal ones that nearest to its middle.

    No place is stronger than the stroke's own, because that would resolve its syncopation.
    """
    first, last = round(stroke.beat * TICKS), round(stroke.next_beat * TICKS)
    step = TICKS // 6 if song.lines.compound else TICKS // 4
    ticks = np.arange((first // step + 1) * step, last, step)
    ticks = ticks[(ticks - first >= step) & (last - ticks >= step)]
    if not len(ticks):
        return None
    places = song.lines.ticks_in_bar(ticks / TICKS)
    strength = weights(places, song.lines.meter, song.lines.compound)
    ticks, strength = ticks[strength <= stroke.weight], strength[strength <= stroke.weight]
    if not len(ticks):
        return None
    return float(ticks[(strength - np.abs(2 * ticks - first - last) / 1e4).argmax()] / TICKS)


def _repeated(stroke: Stroke, time_s: float, until_s: float, song: Song) -> Edit | None:
    """Strike the notes of the leading group once more; a single note is followed by another chord tone."""
    group = next(g for g in ("keys", "pluck", "pad") if any(n.group == g for n in stroke.notes))
    own = [note for note in stroke.notes if note.group == group]
    removed, added = [], []
    if len(own) == 1:
        pitch = _neighbour(own[0], time_s, song)
        if pitch is None:
            return None
        share = (own[0].end_s - stroke.time_s) / (until_s - stroke.time_s)
        length_s = max(share * (until_s - time_s), SHORTEST_S)
        added.append(_softer(own[0], pitch, time_s, time_s + length_s, song))
        return Edit((), tuple(added), (), stroke.place, stroke.bar)
    chord = song.chord_at(time_s)
    assert chord is not None
    for note in own:
        if note.pitch % 12 not in chord.tones:
            continue
        share = min((note.end_s - note.start_s) / (until_s - note.start_s), 1.0)
        removed.append(note)
        cut_s = note.start_s + max(share * (time_s - note.start_s), SHORTEST_S)
        added.append(replace(note, end_s=min(cut_s, time_s)))
        end_s = max(note.end_s, time_s + SHORTEST_S) if share == 1.0 else time_s + share * (until_s - time_s)
        added.append(_softer(note, note.pitch, time_s, max(end_s, time_s + SHORTEST_S), song))
    return Edit(tuple(removed), tuple(added), (), stroke.place, stroke.bar) if added else None


def _neighbour(note: Note, time_s: float, song: Song) -> int | None:
    """The chord tone nearest to a note that is another pitch; of two the higher."""
    chord = song.chord_at(time_s)
    assert chord is not None
    lowest = max(note.pitch - 9, 40)
    free = free_pitches([note.pitch], chord.tones, lowest, note.pitch + 9, 2)
    return min(free, key=lambda pitch: (abs(pitch - note.pitch), -pitch), default=None)


def _softer(note: Note, pitch: int, start_s: float, end_s: float, song: Song) -> Note:
    made = replace(note, start_s=start_s, pitch=pitch, velocity=max(note.velocity - LIGHTER, 1))
    return replace(made, end_s=max(min(end_s, song.last_s(made)), start_s + SHORTEST_S))


def _omissions(notes: Sequence[Note], song: Song, bars: frozenset[int]) -> Iterator[Edit]:
    kept = carriers(notes, song)
    for stroke in strokes_of(notes, song, bars):
        chord = song.chord_at(stroke.time_s)
        opens = chord is not None and abs(stroke.time_s - chord.start_s) <= EARLY_S
        if opens or any(note in kept for note in stroke.notes):
            continue
        yield Edit(stroke.notes, (), (float(stroke.weight), stroke.next_beat - stroke.before_beat),
                   stroke.place, stroke.bar)  # fmt: skip
