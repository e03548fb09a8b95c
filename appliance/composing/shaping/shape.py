"""The loop over the dials: each asked attribute is brought to its goal, the others are held.

The shapers disturb each other: a repeated chord adds a stroke, and lengths change. Therefore they work in
turn, several times, and every attribute that was not asked for returns to what it was before.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from appliance.composing.shaping.articulation import shape_articulation
from appliance.composing.shaping.colour import renamed, shape_colour
from appliance.composing.shaping.density import shape_density
from appliance.composing.shaping.doubling import shape_doubling
from appliance.composing.shaping.edits import Gauge
from appliance.composing.shaping.register import shape_register
from appliance.composing.shaping.song import Song
from appliance.composing.shaping.syncopation import shape_syncopation
from appliance.composing.shaping.voices import shape_voices
from appliance.music.attributes import UpperParts, measure_one, value
from appliance.music.beat_grid import one_at_a_time
from appliance.music.chord_chart import Chart
from appliance.music.crumbs import is_crumb
from appliance.music.score import Note, Score

PASSES = 3
ASKED_WITHIN, HELD_WITHIN = 0.1, 0.3
"""How near to its goal an asked and a held attribute must be, in standard deviations of the style."""

Shaper = Callable[[Sequence[Note], Song, frozenset[int], Gauge, float], list[Note]]

SHAPERS: dict[str, Shaper] = {
    "colour": shape_colour,
    "density": shape_density,
    "syncopation": shape_syncopation,
    "doubling": shape_doubling,
    "voices": shape_voices,
    "register": shape_register,
    "articulation": shape_articulation,
}
"""In the order of their work: first what decides which strokes there are, last what disturbs nothing."""


@dataclass(frozen=True, slots=True)
class Region:
    """Bars that are shaped alike: the ``goals`` of the attributes that are asked for there."""

    bars: frozenset[int]
    goals: Mapping[str, float]


def shape(
    score: Score, song: Song, regions: Sequence[Region], deviations: Mapping[str, float]
) -> tuple[Score, Chart]:
    """Shape ``score`` region by region; returns it with the chart, in which changed chords are renamed.

    ``deviations`` are the standard deviations of the attributes in the style: the unit of what is near.
    Crumbs that shaping has made are dropped.
    """
    notes = list(score.notes)
    for region in regions:
        if region.goals:
            notes = _shape_region(notes, song, region, deviations)
    crumbs = {_where(n) for n in score.notes if is_crumb(n)}
    made = one_at_a_time(notes, score.duration_s)
    kept = [n for n in made if not is_crumb(n) or _where(n) in crumbs]
    return Score.of(kept, score.duration_s), renamed(score.notes, kept, song)


def _where(note: Note) -> tuple[str, int, float]:
    return note.group, note.pitch, note.start_s


def _shape_region(
    notes: list[Note], song: Song, region: Region, deviations: Mapping[str, float]
) -> list[Note]:
    gauges = gauges_of(song, region.bars)
    goals = {name: region.goals.get(name, gauge(notes)) for name, gauge in gauges.items()}
    within = {name: ASKED_WITHIN if name in region.goals else HELD_WITHIN for name in SHAPERS}

    def off(name: str, notes: Sequence[Note]) -> float:
        """How far beyond what counts as near an attribute is from its goal, in standard deviations."""
        found = abs(gauges[name](notes) - goals[name]) / deviations[name]
        return max(found - within[name], 0.0) if found == found else 0.0

    def badness(notes: Sequence[Note]) -> float:
        return sum(off(name, notes) for name in SHAPERS)

    best, least = notes, badness(notes)
    for _ in range(PASSES):
        if least == 0.0:
            break
        for name, shaper in SHAPERS.items():
            if off(name, notes):
                notes = shaper(notes, song, region.bars, gauges[name], goals[name])
                notes = one_at_a_time(notes, song.lines.duration_s)
        found = badness(notes)
        if found < least:
            best, least = notes, found
    return best


def gauges_of(song: Song, bars: frozenset[int]) -> dict[str, Gauge]:
    """Measures of each attribute in ``bars``. They share the work on notes that were measured just before."""
    counted = sorted(bars)
    last: list[tuple[Sequence[Note], UpperParts]] = []

    def parts_of(notes: Sequence[Note]) -> UpperParts:
        if not last or last[0][0] is not notes:
            last[:] = [(notes, UpperParts.of(notes))]
        return last[0][1]

    def gauge(name: str, notes: Sequence[Note]) -> float:
        return value(name, measure_one(name, parts_of(notes), song.measured), counted)

    return {name: partial(gauge, name) for name in SHAPERS}
