"""The strokes of the upper parts: notes that begin together, and their place in the bar."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from appliance.composing.shaping.song import BY_TIME, Song, is_upper
from appliance.music.attributes import BASS_BELOW, STROKE_S
from appliance.music.bar_lines import TICKS
from appliance.music.metrical_weight import weights
from appliance.music.score import Note

Place = tuple[tuple[int, ...], int]
"""The rhythm of a bar, as the ticks of its strokes, and a tick in it: equal places are shaped alike."""


@dataclass(frozen=True, slots=True)
class Stroke:
    """Notes that begin together at ``time_s``, which is ``beat`` beats after the grid's first."""

    time_s: float
    beat: float
    bar: int
    tick: int
    """Place in the bar."""
    weight: int
    """Metrical weight of that place, 0 for the first beat."""
    notes: tuple[Note, ...]
    """In order of pitch."""
    place: Place
    next_beat: float
    """Where the next stroke begins; after the last one, the end of its bar."""
    before_beat: float
    """Where the stroke before it began."""

    def above_bass(self, bass_line: bool) -> tuple[Note, ...]:
        """Its notes without the bass line, if the score has one here (``bass_line``)."""
        if bass_line and self.notes[0].pitch < BASS_BELOW:
            return self.notes[1:]
        return self.notes


def strokes_of(notes: Iterable[Note], song: Song, bars: frozenset[int] | None = None) -> list[Stroke]:
    """The strokes of the upper parts in ``bars`` (default: all), in order."""
    together: list[list[Note]] = []
    for note in sorted((n for n in notes if is_upper(n)), key=BY_TIME):
        if together and note.start_s <= together[-1][0].start_s + STROKE_S:
            together[-1].append(note)
        else:
            together.append([note])
    if not together:
        return []
    lines = song.lines
    beats = np.round(lines.beats(np.array([own[0].start_s for own in together])) * TICKS) / TICKS
    bar, tick = lines.bar_of(beats), lines.ticks_in_bar(beats)
    weight = weights(tick, lines.meter, lines.compound).tolist()
    ticks: dict[int, list[int]] = {}
    for number, place in zip(bar.tolist(), tick.tolist(), strict=True):
        ticks.setdefault(number, []).append(place)
    rhythm = {number: tuple(places) for number, places in ticks.items()}
    edges = lines.edges()
    following = [*beats[1:].tolist(), max(float(edges[min(int(bar[-1]) + 1, len(edges) - 1)]), beats[-1])]
    before = [float(beats[0]) - lines.meter, *beats[:-1].tolist()]
    found = [
        Stroke(
            own[0].start_s,
            float(beats[k]),
            int(bar[k]),
            int(tick[k]),
            weight[k],
            tuple(sorted(own, key=lambda n: (n.pitch, n.group))),
            (rhythm[int(bar[k])], int(tick[k])),
            following[k],
            before[k],
        )
        for k, own in enumerate(together)
    ]
    return [stroke for stroke in found if bars is None or stroke.bar in bars]


def has_bass_line(notes: Sequence[Note]) -> bool:
    """Whether the lowest notes of the upper parts are the bass line, because no group is the bass."""
    return not any(note.group == "bass" for note in notes)


def sounding_at(notes: Sequence[Note], strokes: Sequence[Stroke]) -> list[list[int]]:
    """For each stroke, the pitches of the upper parts that it strikes or that still sound."""
    upper = sorted((n for n in notes if is_upper(n)), key=BY_TIME)
    found: list[list[int]] = []
    still: list[Note] = []
    k = 0
    for stroke in strokes:
        while k < len(upper) and upper[k].start_s <= stroke.time_s + STROKE_S:
            still.append(upper[k])
            k += 1
        still = [n for n in still if n.end_s > stroke.time_s + STROKE_S]
        found.append([n.pitch for n in still])
    return found
