"""Measures what the seven dials (:mod:`appliance.music.dials`) turn, of any score, bar by bar.

They describe the *upper parts*: all pitched groups but the bass. Where no group is the bass, the lowest note
of a stroke is the bass line if it lies below C3. Notes that begin within 30 ms of each other form a *stroke*.

- density: log2 of the strokes a beat (as note density in FIGARO, arXiv 2201.10936, without chord size)
- register: mean MIDI pitch without the bass line, weighted by length (FIGARO's mean pitch)
- syncopation: mean strength of syncopation a stroke (:mod:`appliance.music.metrical_weight`)
- articulation: mean log2 of a note's length by the time to the next stroke of its group; 0 is legato, −1 half
  as long (the overlap ratio of B. Repp, *J. Acoust. Soc. Am.* 97(6), 1995)
- voices: mean number of notes a stroke (the attacked voices of MuseMorphose's polyphony, arXiv 2105.04090)
- doubling: share of the sung time whose notes are struck together with the singer, in any octave
- colour: share of the chords' time with tones beyond the triad: sevenths, sixths, ninths

Every attribute is a sum over bars divided by another, so that a bar, a section and a song are measured alike.

Letters: B bars and the upbeat, M notes, S strokes, V sung notes, C parts of chords.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from operator import attrgetter

import numpy as np
from numpy.typing import NDArray

from appliance.music.bar_lines import BarLines
from appliance.music.chord_chart import Chart
from appliance.music.chord_names import parse_chord
from appliance.music.chord_quality import tones_of
from appliance.music.dials import DIALS
from appliance.music.metrical_weight import syncopation
from appliance.music.score import DRUM_GROUP, Note

STROKE_S = 0.03
"""Notes that begin this close together are one stroke."""

BASS_BELOW = 48
"""Without a bass group, the lowest note of a stroke below C3 belongs to the bass line."""

TOGETHER_S = 0.1
"""A note doubles a sung one if it begins this close to it: a voice has no sharper onset."""

SHORTEST_SUNG_S = 0.1
REST_BEATS = 2.0
"""Longest time to the next stroke that articulation counts; what is longer is a rest of the part."""

LOG_RATIO = (-3.0, 2.0)
"""Limits of a note's articulation."""

COLOURED = 0.4
"""Share of a chord's sounding time that a tone beyond the triad must sound to colour it."""

_BEYOND = (1, 2, 9, 10, 11)
"""Semitones above the root that no triad has, apart from the fourth, which replaces a third."""

Array = NDArray[np.float64]
Sums = tuple[Array, Array]
"""Numerator and denominator of an attribute in each bar, (B,) each."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What a score is measured against: bars, chords, and what is sung (V, 3: start_s, end_s, MIDI pitch)."""

    lines: BarLines
    chart: Chart
    sung: Array


@dataclass(frozen=True)
class UpperParts:
    """The upper parts of a score as arrays over M notes, in order of time, and its S strokes."""

    start_s: Array
    end_s: Array
    pitch: NDArray[np.int64]
    group: NDArray[np.str_]
    stroke: NDArray[np.int64]
    """Index of each note's stroke, (M,)."""
    bass_line: NDArray[np.bool_]
    strokes_s: Array
    """Start of each stroke, (S,)."""

    @staticmethod
    def of(notes: Iterable[Note]) -> UpperParts:
        """The upper parts among ``notes`` of any order."""
        notes = list(notes)
        upper = [n for n in notes if n.group not in ("bass", DRUM_GROUP)]
        upper.sort(key=attrgetter("start_s", "end_s", "pitch"))
        start_s = np.array([n.start_s for n in upper], np.float64)
        pitch = np.array([n.pitch for n in upper], np.int64)
        new = np.ones(len(upper), np.bool_)
        first = -1.0
        for k, start in enumerate(start_s.tolist()):
            new[k] = k == 0 or start > first + STROKE_S
            if new[k]:
                first = start
        stroke = np.cumsum(new) - 1
        bass_line = np.zeros(len(upper), np.bool_)
        if not any(n.group == "bass" for n in notes) and len(upper):
            lowest = np.full(int(stroke[-1]) + 1, 128)
            np.minimum.at(lowest, stroke, pitch)
            bass_line = (pitch == lowest[stroke]) & (pitch < BASS_BELOW)
        end_s = np.array([n.end_s for n in upper], np.float64)
        group = np.array([n.group for n in upper], np.str_)
        return UpperParts(start_s, end_s, pitch, group, stroke, bass_line, start_s[new])


def measure(notes: Sequence[Note], song: Measured) -> dict[str, Sums]:
    """Numerator and denominator of every attribute in each bar; element 0 is the upbeat."""
    parts = UpperParts.of(notes)
    return {name: _MEASURES[name](parts, song) for name in DIALS}


def measure_one(name: str, parts: UpperParts, song: Measured) -> Sums:
    """As :func:`measure`, for the attribute ``name`` of ``parts`` alone."""
    return _MEASURES[name](parts, song)


def value(name: str, sums: Sums, bars: Sequence[int] | None = None) -> float:
    """The attribute ``name`` of all bars, or of ``bars`` alone; NaN if nothing in them can be measured."""
    top, bottom = sums if bars is None else (sums[0][list(bars)], sums[1][list(bars)])
    total, weight = float(top.sum()), float(bottom.sum())
    if weight <= 1e-9 or (name == "density" and total <= 0):
        return float("nan")
    return float(np.log2(total / weight)) if name == "density" else total / weight


def _per_bar(bars: int, bar: NDArray[np.int64], amount: Array | None = None) -> Array:
    return np.bincount(bar, weights=amount, minlength=bars + 1).astype(np.float64)


def _bars_of(times_s: Array, lines: BarLines) -> NDArray[np.int64]:
    return lines.bar_of(lines.beats(times_s))


def density(parts: UpperParts, song: Measured) -> Sums:
    """Strokes, and beats."""
    lines = song.lines
    beats = np.diff(lines.edges())
    return _per_bar(lines.bars, _bars_of(parts.strokes_s, lines)), beats


def register(parts: UpperParts, song: Measured) -> Sums:
    """Pitch times length, and length, without the bass line."""
    kept = ~parts.bass_line
    lines, length_s = song.lines, (parts.end_s - parts.start_s)[kept]
    bar = _bars_of(parts.start_s[kept], lines)
    return _per_bar(lines.bars, bar, parts.pitch[kept] * length_s), _per_bar(lines.bars, bar, length_s)


def syncopated(parts: UpperParts, song: Measured) -> Sums:
    """Strength of the syncopations, and strokes; without known beats nothing."""
    lines = song.lines
    if not lines.known:
        return np.zeros(lines.bars + 1), np.zeros(lines.bars + 1)
    beats = lines.beats(parts.strokes_s)
    bar = lines.bar_of(beats)
    strength = syncopation(beats, lines).astype(np.float64)
    return _per_bar(lines.bars, bar, strength), _per_bar(lines.bars, bar)


def articulation(parts: UpperParts, song: Measured) -> Sums:
    """Log2 of length by time to the next stroke of the group, and notes."""
    lines = song.lines
    ratio = np.zeros(len(parts.start_s))
    beat_s = float(np.median(np.diff(lines.beats_s)))
    for group in np.unique(parts.group):
        own = np.flatnonzero(parts.group == group)
        starts = parts.strokes_s[np.unique(parts.stroke[own])]
        following = np.append(starts, np.inf)[np.searchsorted(starts, parts.start_s[own] + STROKE_S)]
        length_s = parts.end_s[own] - parts.start_s[own]
        gap_s = np.minimum(following - parts.start_s[own], np.maximum(length_s, REST_BEATS * beat_s))
        ratio[own] = np.log2(np.maximum(length_s, 1e-3) / gap_s)
    bar = _bars_of(parts.start_s, lines)
    return _per_bar(lines.bars, bar, np.clip(ratio, *LOG_RATIO)), _per_bar(lines.bars, bar)


def voices(parts: UpperParts, song: Measured) -> Sums:
    """Notes, and strokes."""
    lines = song.lines
    bars = _bars_of(parts.strokes_s, lines)
    return _per_bar(lines.bars, bars[parts.stroke]), _per_bar(lines.bars, bars)


def doubling(parts: UpperParts, song: Measured) -> Sums:
    """Seconds of the doubled sung notes, and of all sung notes."""
    lines = song.lines
    sung = song.sung[song.sung[:, 1] - song.sung[:, 0] >= SHORTEST_SUNG_S]
    length_s = sung[:, 1] - sung[:, 0]
    bar = _bars_of(sung[:, 0], lines)
    amount = np.where(doubled(parts, sung), length_s, 0.0)
    return _per_bar(lines.bars, bar, amount), _per_bar(lines.bars, bar, length_s)


def doubled(parts: UpperParts, sung: Array) -> NDArray[np.bool_]:
    """Whether each sung note (V, 3) is struck by the upper parts together with the singer."""
    classes = np.rint(sung[:, 2]).astype(np.int64) % 12
    found = np.zeros(len(sung), np.bool_)
    for pitch_class in np.unique(classes):
        starts = parts.start_s[~parts.bass_line & (parts.pitch % 12 == pitch_class)]
        mine = classes == pitch_class
        first = np.searchsorted(starts, sung[mine, 0] - TOGETHER_S)
        found[mine] = np.append(starts, np.inf)[first] <= sung[mine, 0] + TOGETHER_S
    return found


def colour(parts: UpperParts, song: Measured) -> Sums:
    """Seconds of chords with tones beyond the triad, and of all chords that sound."""
    lines = song.lines
    coloured_s, total_s = np.zeros(lines.bars + 1), np.zeros(lines.bars + 1)
    for bar, start_s, end_s, label in chord_parts(song):
        share = beyond_share(parts, start_s, end_s, label)
        if share is not None:
            total_s[bar] += end_s - start_s
            coloured_s[bar] += (end_s - start_s) * (share >= COLOURED)
    return coloured_s, total_s


def chord_parts(song: Measured) -> list[tuple[int, float, float, str]]:
    """The chords of the chart cut at bar lines: bar, start and end in seconds, label."""
    lines = song.lines
    inner_s = lines.seconds(lines.downbeats.astype(np.float64)).tolist()
    found = []
    for span in song.chart:
        cuts = [t for t in inner_s if span.start_s + 0.05 < t < span.end_s - 0.05]
        edges = [span.start_s, *cuts, span.end_s]
        starts = np.array(edges[:-1]) + 1e-3
        bars = lines.bar_of(lines.beats(starts)).tolist()
        found += [(bar, a, b, span.label) for bar, a, b in zip(bars, edges, edges[1:], strict=False)]
    return found


def triad_of(label: str) -> tuple[int, ...] | None:
    """Root, third (or what replaces it) and fifth of a chord as pitch classes; None for no chord."""
    chord = parse_chord(label)
    if chord is None:
        return None
    tones = tones_of(chord.quality)
    fifth = next((tone for tone in (7, 6, 8) if tone in tones), 7)
    third = tones[1] if len(tones) > 1 and tones[1] in (2, 3, 4, 5) else 4
    return tuple((chord.root_pitch_class + tone) % 12 for tone in (0, third, fifth))


@lru_cache(maxsize=512)
def beyond_triad(label: str) -> frozenset[int]:
    """Pitch classes that colour a chord: sixth, sevenths and ninths that are not in its triad."""
    triad = triad_of(label)
    if triad is None:
        return frozenset()
    return frozenset((triad[0] + step) % 12 for step in _BEYOND) - frozenset(triad)


def beyond_share(parts: UpperParts, start_s: float, end_s: float, label: str) -> float | None:
    """Share of the upper parts' sounding time in a span in which tones beyond the triad sound; None if
    nothing sounds or there is no chord."""
    beyond = beyond_triad(label)
    inside = (parts.start_s < end_s - 0.02) & (parts.end_s > start_s + 0.02)
    if not beyond or not inside.any():
        return None
    a = np.maximum(parts.start_s[inside], start_s)
    b = np.minimum(parts.end_s[inside], end_s)
    wanted = np.zeros(12, np.bool_)
    wanted[list(beyond)] = True
    mine = wanted[parts.pitch[inside] % 12]
    sounding_s = _union_s(a, b)
    return _union_s(a[mine], b[mine]) / sounding_s if sounding_s > 0 else None


def _union_s(start_s: Array, end_s: Array) -> float:
    """Seconds that spans, ascending by their start, cover together."""
    if not len(start_s):
        return 0.0
    reached = np.maximum.accumulate(end_s)
    free = np.maximum(start_s, np.concatenate([[-np.inf], reached[:-1]]))
    return float(np.maximum(reached - free, 0.0)[end_s > free].sum())


_MEASURES: dict[str, Callable[[UpperParts, Measured], Sums]] = {
    "density": density,
    "register": register,
    "syncopation": syncopated,
    "articulation": articulation,
    "voices": voices,
    "doubling": doubling,
    "colour": colour,
}
