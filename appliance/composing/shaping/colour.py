"""More sevenths: a doubled root, or a fifth, of a chord's strokes becomes its seventh. Fewer: the reverse.

Chords of one function are coloured together, dominants first. A tone is not set a semitone beside what is
sung: then a sixth or a ninth takes its place. :func:`renamed` names the changed chords in the chart.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from appliance.composing.shaping.chord_colours import colours_of, is_dominant, label_of_triad, label_with
from appliance.composing.shaping.edits import Edit, Gauge, until
from appliance.composing.shaping.song import (
    RANGES,
    SHORTEST_S,
    PlacedChord,
    Song,
    carriers,
    free_pitches,
    is_upper,
)
from appliance.composing.shaping.strokes import Place, Stroke, has_bass_line, strokes_of
from appliance.music.attributes import COLOURED, UpperParts, beyond_share
from appliance.music.chord_chart import Chart, ChordSpan
from appliance.music.chord_filling import EARLY_S
from appliance.music.score import Note

CLASH_SHARE = 0.25
"""Share of a chord's sung time a semitone beside its seventh from which the seventh is left out."""


def shape_colour(
    notes: Sequence[Note], song: Song, bars: frozenset[int], gauge: Gauge, target: float
) -> list[Note]:
    """Bring the share of coloured chords to ``target``. In a given chart no written tone is taken away."""
    found = gauge(notes)
    if found != found or (song.chart_given and target < found):
        return list(notes)
    make = _coloured if found < target else _plain
    return until(notes, list(make(notes, song, bars)), gauge, target)


def renamed(before: Sequence[Note], after: Sequence[Note], song: Song) -> Chart:
    """The chart, with the chords that are coloured ``after`` but not ``before``, or the reverse, renamed."""
    old, new = UpperParts.of(before), UpperParts.of(after)
    chart: Chart = []
    for span, chord in zip(song.chart, song.chords, strict=True):
        was, now = (_is_coloured(parts, chord) for parts in (old, new))
        label = span.label
        if now and not was:
            label = label_with(chord, _loudest_colour(new, chord))
        elif was and not now and not song.chart_given:
            label = label_of_triad(chord)
        chart.append(ChordSpan(span.start_s, span.end_s, label))
    return chart


def _is_coloured(parts: UpperParts, chord: PlacedChord) -> bool:
    share = beyond_share(parts, chord.start_s, chord.end_s, chord.label)
    return share is not None and share >= COLOURED


def _loudest_colour(parts: UpperParts, chord: PlacedChord) -> int:
    """The tone beyond the triad that sounds longest in a chord."""
    overlap_s = np.minimum(parts.end_s, chord.end_s) - np.maximum(parts.start_s, chord.start_s)
    classes = parts.pitch % 12

    def sounds_s(tone: int) -> float:
        return float(np.maximum(overlap_s[classes == tone], 0.0).sum())

    return max(sorted(chord.beyond), key=sounds_s)


def _after(song: Song, k: int) -> PlacedChord | None:
    return song.chords[k + 1] if k + 1 < len(song.chords) else None


def _in_chords(notes: Sequence[Note], song: Song, bars: frozenset[int]) -> list[list[Stroke]]:
    """The strokes in ``bars`` that belong to each chord of the song."""
    found: list[list[Stroke]] = [[] for _ in song.chords]
    strokes = strokes_of(notes, song, bars)
    starts = np.array([chord.start_s for chord in song.chords])
    for stroke in strokes:
        k = int(np.searchsorted(starts, stroke.time_s + EARLY_S, side="right")) - 1
        if k >= 0 and stroke.time_s < song.chords[k].end_s:
            found[k].append(stroke)
    return found


def _function(song: Song, k: int) -> Place:
    """The chord's function: its tones above the tonic, and the next root."""
    chord, following = song.chords[k], _after(song, k)
    tones = tuple((tone - song.key.tonic) % 12 for tone in chord.triad)
    step = (following.triad[0] - chord.triad[0]) % 12 if following and following.triad else -1
    return tones, step


def _coloured(notes: Sequence[Note], song: Song, bars: frozenset[int]) -> Iterator[Edit]:
    parts, kept, bass_line = UpperParts.of(notes), carriers(notes, song), has_bass_line(notes)
    for k, strokes in enumerate(_in_chords(notes, song, bars)):
        chord, following = song.chords[k], _after(song, k)
        free = (tone for tone in colours_of(chord, following, song.key) if not _clashes(chord, tone, song))
        seventh = next(free, None)
        if seventh is None or not strokes or _is_coloured(parts, chord):
            continue
        removed: list[Note] = []
        added: list[Note] = []
        for stroke in strokes:
            old, new = _with_seventh(stroke, chord, seventh, kept, bass_line)
            removed += old
            added += new
        if added:
            tonic = chord.triad[0] == song.key.tonic
            rank = 0.0 if is_dominant(chord, following, song.key) else 2.0 if tonic else 1.0
            yield Edit(tuple(removed), tuple(added), (rank,), _function(song, k), strokes[0].bar)


def _clashes(chord: PlacedChord, seventh: int, song: Song) -> bool:
    """Whether a semitone beside the seventh is sung for much of the chord."""
    if not len(song.sung):
        return False
    overlap_s = np.minimum(song.sung[:, 1], chord.end_s) - np.maximum(song.sung[:, 0], chord.start_s)
    overlap_s = np.maximum(overlap_s, 0.0)
    beside = np.isin(np.rint(song.sung[:, 2]) % 12, [(seventh + 1) % 12, (seventh - 1) % 12])
    return float(overlap_s[beside].sum()) > CLASH_SHARE * max(float(overlap_s.sum()), 1e-6)


def _with_seventh(
    stroke: Stroke, chord: PlacedChord, seventh: int, kept: set[Note], bass_line: bool
) -> tuple[list[Note], list[Note]]:
    """Notes of a stroke to replace, and their replacement with the seventh."""
    upper = stroke.above_bass(bass_line)
    if not upper or any(note.pitch % 12 == seventh for note in upper):
        return [], []
    classes = [note.pitch % 12 for note in stroke.notes]
    root, _, fifth = chord.triad

    def need(note: Note) -> int:
        if note.pitch % 12 == root and (not bass_line or classes.count(root) > 1 or len(upper) > 2):
            return 0
        return 1 if note.pitch % 12 == fifth else 2 if classes.count(note.pitch % 12) > 1 else 9

    for note in sorted((n for n in upper if n not in kept and need(n) < 9), key=lambda n: (need(n), n.pitch)):
        pitch = _near(note, seventh, [n.pitch for n in stroke.notes if n != note])
        if pitch is not None:
            return [note], [replace(note, pitch=pitch)]
    if len(stroke.notes) > 1:
        pitch = _near(upper[-1], seventh, [n.pitch for n in stroke.notes])
        if pitch is not None:
            return [], [replace(upper[-1], pitch=pitch)]
    return [], []


def _near(note: Note, pitch_class: int, taken: Sequence[int]) -> int | None:
    """The nearest free pitch of a pitch class, a whole tone or more from all taken ones."""
    lowest, highest = RANGES[note.group]
    free = free_pitches(taken, [pitch_class], max(lowest, note.pitch - 11), min(highest, note.pitch + 11), 2)
    return min(free, key=lambda pitch: (abs(pitch - note.pitch), pitch), default=None)


def _plain(notes: Sequence[Note], song: Song, bars: frozenset[int]) -> Iterator[Edit]:
    parts = UpperParts.of(notes)
    for k, strokes in enumerate(_in_chords(notes, song, bars)):
        chord = song.chords[k]
        if not strokes or not _is_coloured(parts, chord):
            continue
        removed: list[Note] = []
        added: list[Note] = []
        for stroke in strokes:
            old, new = _as_triad(stroke, chord)
            removed += old
            added += new
        old, new = _ringing_in(notes, chord)
        removed += old
        added += new
        if removed:
            following = _after(song, k)
            rank = 2.0 if is_dominant(chord, following, song.key) else 1.0
            yield Edit(tuple(removed), tuple(added), (rank,), _function(song, k), strokes[0].bar)


def _ringing_in(notes: Sequence[Note], chord: PlacedChord) -> tuple[list[Note], list[Note]]:
    """Earlier notes that colour a chord because they ring into it, and the same notes without that."""
    ringing = [
        note
        for note in notes
        if is_upper(note)
        and note.pitch % 12 in chord.beyond
        and note.start_s < chord.start_s - max(EARLY_S, SHORTEST_S)
        and note.end_s > chord.start_s + EARLY_S
    ]
    return ringing, [replace(note, end_s=chord.start_s) for note in ringing]


def _as_triad(stroke: Stroke, chord: PlacedChord) -> tuple[list[Note], list[Note]]:
    """The tones of a stroke beyond the triad, and the triad's tones that replace them."""
    beyond = [note for note in stroke.notes if note.pitch % 12 in chord.beyond]
    taken = [note.pitch for note in stroke.notes if note not in beyond]
    added = []
    for note in beyond:
        lowest, highest = RANGES[note.group]
        bounds = max(lowest, note.pitch - 7), min(highest, note.pitch + 7)
        free = free_pitches(taken, chord.triad, *bounds, 1)
        if free:
            pitch = min(free, key=lambda p: (abs(p - note.pitch), p))
            taken.append(pitch)
            added.append(replace(note, pitch=pitch))
    return (beyond, added) if len(taken) else ([], [])
