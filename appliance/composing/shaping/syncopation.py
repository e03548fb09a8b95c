"""More against the beat: strokes move off it by half a beat. Less: they move onto it.

A stroke that begins a chord is never early, because its notes would be foreign there; it may be late. Bass
and drums keep the beat.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from appliance.composing.shaping.edits import Edit, Gauge, until
from appliance.composing.shaping.song import SHORTEST_S, Song, carriers
from appliance.composing.shaping.strokes import Stroke, strokes_of
from appliance.music.bar_lines import TICKS
from appliance.music.chord_filling import EARLY_S
from appliance.music.metrical_weight import syncopation
from appliance.music.score import Note

ROUNDS = 4
NEAR_BEATS = 0.7
"""A stroke on the beat may be left out if another, off the beat, is this near."""

_EARLY, _OMITTED, _LATE = range(3)
"""Ways to syncopate, in the order in which they are tried."""


def shape_syncopation(
    notes: Sequence[Note], song: Song, bars: frozenset[int], gauge: Gauge, target: float
) -> list[Note]:
    """Bring the mean strength of syncopation a stroke to ``target``."""
    notes = list(notes)
    for _ in range(ROUNDS):
        found = gauge(notes)
        if found != found:
            return notes
        make = _against_the_beat if found < target else _onto_the_beat
        changed = until(notes, list(make(notes, song, bars)), gauge, target)
        if changed == notes:
            return notes
        notes = changed
    return notes


def _half(song: Song) -> float:
    """Half a beat, or a third of a compound one."""
    return 1 / 3 if song.lines.compound else 0.5


def _against_the_beat(notes: Sequence[Note], song: Song, bars: frozenset[int]) -> Iterator[Edit]:
    half, kept = _half(song), carriers(notes, song)
    changed_beat = -1.0  # neighbours do not both move in one round
    for stroke in strokes_of(notes, song, bars):
        if stroke.tick % TICKS or stroke.beat - changed_beat < 0.9:
            continue
        edit = _off(stroke, half, kept, song)
        if edit is not None:
            changed_beat = stroke.beat
            yield edit


def _off(stroke: Stroke, half: float, kept: set[Note], song: Song) -> Edit | None:
    """Move one stroke off the beat: early, late, or left out beside one that is off the beat already."""
    rank = float(stroke.weight)  # weak beats first
    if not _opens(stroke, song):
        before = stroke.beat - stroke.before_beat
        if before > half + 0.2 and _same_chord(stroke, stroke.beat - half, song):
            return _moved(stroke, stroke.beat - half, (_EARLY, rank), song)
        if before < NEAR_BEATS and not any(note in kept for note in stroke.notes):
            return Edit(stroke.notes, (), (_OMITTED, rank), stroke.place, stroke.bar)
        return None
    chord = song.chord_at(stroke.time_s)
    beat_s = float(np.median(np.diff(song.lines.beats_s)))
    long = chord is not None and chord.end_s - chord.start_s > 1.8 * beat_s
    after = stroke.next_beat - stroke.beat
    if long and after > 1.05:
        return _moved(stroke, stroke.beat + half, (_LATE, rank), song)
    if long and after < NEAR_BEATS and not any(note in kept for note in stroke.notes):
        return Edit(stroke.notes, (), (_LATE, rank + 10), stroke.place, stroke.bar)
    return None


def _onto_the_beat(notes: Sequence[Note], song: Song, bars: frozenset[int]) -> Iterator[Edit]:
    half = _half(song)
    strokes = strokes_of(notes, song)
    strength = syncopation(np.array([stroke.beat for stroke in strokes]), song.lines).tolist()
    for stroke, strong in zip(strokes, strength, strict=True):
        if not strong or stroke.bar not in bars:
            continue
        rank = (0.0, -float(strong))
        after, before = stroke.next_beat - stroke.beat, stroke.beat - stroke.before_beat
        if stroke.tick % TICKS == 0:
            repeat = _struck_again(stroke, song)
            if repeat is not None:
                yield repeat
        elif after > half + 0.2 and _same_chord(stroke, stroke.beat + half, song):
            yield _moved(stroke, stroke.beat + half, rank, song)
        elif before > half + 0.2 and _same_chord(stroke, stroke.beat - half, song):
            yield _moved(stroke, stroke.beat - half, rank, song)


def _struck_again(stroke: Stroke, song: Song) -> Edit | None:
    """Strike a held stroke again on the stronger beat that follows it."""
    beat = stroke.beat + 1.0
    if beat > stroke.next_beat - 0.2 or not _same_chord(stroke, beat, song):
        return None
    time_s = _seconds(beat, song)
    cut, again = [], []
    for note in stroke.notes:
        end_s = max(note.end_s, time_s + SHORTEST_S)
        cut.append(replace(note, end_s=min(note.end_s, time_s)))
        again.append(replace(note, start_s=time_s, end_s=end_s))
    return Edit(stroke.notes, (*cut, *again), (1.0, 0.0), stroke.place, stroke.bar)


def _opens(stroke: Stroke, song: Song) -> bool:
    """Whether a stroke begins a chord."""
    chord = song.chord_at(stroke.time_s)
    return chord is not None and abs(stroke.time_s - chord.start_s) <= EARLY_S


def _same_chord(stroke: Stroke, beat: float, song: Song) -> bool:
    """Whether the stroke's chord also holds at another moment."""
    return song.chord_at(stroke.time_s) == song.chord_at(_seconds(beat, song))


def _moved(stroke: Stroke, beat: float, rank: tuple[float, ...], song: Song) -> Edit:
    time_s = _seconds(beat, song)
    moved = (
        replace(note, start_s=time_s, end_s=max(note.end_s, time_s + SHORTEST_S)) for note in stroke.notes
    )
    return Edit(stroke.notes, tuple(moved), rank, stroke.place, stroke.bar)


def _seconds(beat: float, song: Song) -> float:
    return max(float(song.lines.seconds(np.array([beat]))[0]), 0.0)
