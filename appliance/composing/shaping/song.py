"""What a shaper must respect: the bars, the chords, the key and the tune of a song."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from operator import attrgetter

import numpy as np
from numpy.typing import NDArray

from appliance.music.attributes import Measured, beyond_triad, triad_of
from appliance.music.bar_lines import BarLines
from appliance.music.chord_chart import Chart
from appliance.music.chord_filling import EARLY_S
from appliance.music.chord_names import parse_chord
from appliance.music.keys import Key
from appliance.music.score import DRUM_GROUP, Note

SHORTEST_S = 0.09
"""No shaper makes a shorter note: under 70 ms notes sound like slips."""

RANGES = {"keys": (28, 100), "pluck": (40, 88), "pad": (36, 96)}
"""Lowest and highest MIDI pitch that shapers write for each upper group."""

LOWEST_INNER = 48
"""Below C3, chord tones other than the bass are muddy."""

BY_TIME = attrgetter("start_s", "end_s", "pitch", "velocity", "group")
"""The order of a score's notes, computed faster than by comparing notes."""

LEAST_DISTANCE = 3
"""Semitones between an added note and its neighbours; seconds would form clusters."""


@dataclass(frozen=True, slots=True)
class PlacedChord:
    """A chord of the chart: its time, and its pitch classes. No chord has none."""

    start_s: float
    end_s: float
    label: str
    tones: frozenset[int]
    triad: tuple[int, ...]
    """Root, third and fifth."""
    beyond: frozenset[int]
    """Pitch classes that would colour it."""

    @property
    def needed(self) -> tuple[int, ...]:
        """Root and third."""
        return self.triad[:2]


@dataclass(frozen=True)
class Song:
    """``sung`` (V, 3) are the sung notes: start and end in seconds, MIDI pitch."""

    lines: BarLines
    chart: Chart
    sung: NDArray[np.float64]
    key: Key
    chart_given: bool = False

    @cached_property
    def measured(self) -> Measured:
        """What the attributes are measured against."""
        return Measured(self.lines, self.chart, self.sung)

    @cached_property
    def chords(self) -> tuple[PlacedChord, ...]:
        """The chords of the chart in order."""
        return tuple(_placed(span.start_s, span.end_s, span.label) for span in self.chart)

    def chord_at(self, time_s: float) -> PlacedChord | None:
        """The chord that a note beginning at ``time_s`` belongs to, which it may anticipate a little."""
        for moment_s in (time_s + EARLY_S, time_s):
            k = bisect_right(self.chords, moment_s, key=lambda chord: chord.start_s) - 1
            if k >= 0 and moment_s < self.chords[k].end_s:
                return self.chords[k]
        return None

    def bar_of(self, time_s: float) -> int:
        """Number of the bar in which a moment lies."""
        return int(self.lines.bar_of(self.lines.beats(np.array([time_s])))[0])

    def last_s(self, note: Note) -> float:
        """Latest end of a note: where a chord begins that it does not belong to, or the song ends."""
        first = bisect_right(self.chords, note.start_s + EARLY_S, key=lambda chord: chord.start_s)
        for chord in self.chords[first:]:
            if note.pitch % 12 not in chord.tones:
                return chord.start_s
        return self.lines.duration_s


def _placed(start_s: float, end_s: float, label: str) -> PlacedChord:
    chord = parse_chord(label)
    tones = frozenset() if chord is None else chord.pitch_classes
    return PlacedChord(start_s, end_s, label, tones, triad_of(label) or (), beyond_triad(label))


def is_upper(note: Note) -> bool:
    """Whether a note belongs to the upper parts."""
    return note.group not in ("bass", DRUM_GROUP)


def carriers(notes: Sequence[Note], song: Song) -> set[Note]:
    """Notes that no shaper may take away: in each chord the longest that sounds its root, and its third."""
    kept: set[Note] = set()
    ordered = sorted((n for n in notes if n.group != DRUM_GROUP), key=BY_TIME)
    starts = [n.start_s for n in ordered]
    longest_s = max((n.end_s - n.start_s for n in ordered), default=0.0)
    for chord in song.chords:
        first = bisect_right(starts, chord.start_s - longest_s)
        inside: dict[int, list[tuple[float, Note]]] = {}
        for note in ordered[first : bisect_right(starts, chord.end_s)]:
            overlap_s = min(note.end_s, chord.end_s) - max(note.start_s, chord.start_s)
            if overlap_s > 0.02:
                inside.setdefault(note.pitch % 12, []).append((overlap_s, note))
        for needed in chord.needed:
            if needed in inside:
                kept.add(max(inside[needed], key=lambda found: (round(found[0], 3), -found[1].start_s))[1])
    return kept


def free_pitches(
    taken: Iterable[int], classes: Iterable[int], lowest: int, highest: int, distance: int = LEAST_DISTANCE
) -> list[int]:
    """Pitches of ``classes`` from ``lowest`` to ``highest``, ``distance`` semitones away from all taken."""
    taken, classes = list(taken), set(classes)
    return [
        pitch
        for pitch in range(lowest, highest + 1)
        if pitch % 12 in classes and all(abs(pitch - other) >= distance for other in taken)
    ]
