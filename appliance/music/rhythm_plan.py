"""The rhythm plan: when the band strikes, bar by bar, in three registers.

A place is a point of a bar at which something can begin: each beat has six, its quarters and its thirds. A
rhythm says at which places a note begins that is low, of the middle or high. Drums are not part of it.

As text, one line for bars of one rhythm, with places as musicians count them::

    1-4  low: 1 3  mid: 2 4  high: 1 1& 2 2& 3 3& 4 4&
    5    low: 1

``1e 1& 1a`` are the quarters after beat 1, ``1t 1l`` its second and third triplet. A register that a line
does not name is silent there; a bar that no line names is free.

Letters: T score frames.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, groupby, pairwise

import numpy as np
from numpy.typing import NDArray

from appliance.errors import UsageError
from appliance.grid import FRAME_RATE_HZ
from appliance.music.score import DRUM_GROUP, BeatGrid, Score

REGISTERS = ("low", "mid", "high")

MIDDLE_FROM, HIGH_FROM = 50, 67
"""MIDI numbers of the lowest note of the middle (D3) and of the high register (G4), in the key without
accidentals in which the networks play."""

PARTS = (0.0, 1 / 4, 1 / 3, 1 / 2, 2 / 3, 3 / 4)
"""The places of a beat, as parts of it."""

_SIGNS = ("", "e", "t", "&", "l", "a")
_PLACE = re.compile(r"(\d{1,2})([et&la]?)")
_LINE = re.compile(r"(\d+)(?:\s*-\s*(\d+))?\s+(.*)")


@dataclass(frozen=True, slots=True)
class BarRhythm:
    """The places of one bar at which notes begin: for each of :data:`REGISTERS` their numbers, in order.

    Place 6·b + p is part p of beat b, both counted from 0.
    """

    places: tuple[tuple[int, ...], ...] = ((), (), ())


RhythmPlan = tuple[BarRhythm | None, ...]
"""A rhythm for each bar of a song, from one downbeat to the next; None where the bar is free."""


def rhythm_of(score: Score, grid: BeatGrid) -> RhythmPlan:
    """The rhythm that ``score`` plays in each bar of ``grid``; an onset counts at its nearest place.

    Empty if the grid has no bars.
    """
    edges = _bar_edges(grid)
    found: list[tuple[set[int], ...]] = [(set(), set(), set()) for _ in pairwise(edges)]
    places_s = [_places_s(grid, first, stop) for first, stop in pairwise(edges)]
    if not found:
        return ()
    all_s = np.concatenate([*places_s, [_beat_s(grid, edges[-1])]])
    bar_of = np.concatenate([np.full(len(times), bar) for bar, times in enumerate(places_s)] + [[-1]])
    place_of = np.concatenate([np.arange(len(times)) for times in places_s] + [[0]])
    middles = (all_s[:-1] + all_s[1:]) / 2
    for note in score.notes:
        at = int(np.searchsorted(middles, note.start_s))
        too_early = at == 0 and all_s[0] - note.start_s > middles[0] - all_s[0]
        if note.group == DRUM_GROUP or bar_of[at] < 0 or too_early:
            continue
        register = 0 if note.pitch < MIDDLE_FROM else 1 if note.pitch < HIGH_FROM else 2
        found[int(bar_of[at])][register].add(int(place_of[at]))
    return tuple(BarRhythm(tuple(tuple(sorted(places)) for places in bar)) for bar in found)


def density_of(bars: Sequence[BarRhythm], meter: int) -> float:
    """Onsets for each beat, all registers together; onsets at one place of a bar count once."""
    onsets = sum(len(set(chain(*bar.places))) for bar in bars)
    return onsets / max(1, meter * len(bars))


def syncopation_of(bars: Sequence[BarRhythm]) -> float:
    """Share of the onsets that lie off the beat while nothing begins on the next beat of their bar.

    The definition of Longuet-Higgins and Lee (Music Perception 1984), at the level of the beat.
    """
    onsets = syncopes = 0
    for bar in bars:
        places = set(chain(*bar.places))
        onsets += len(places)
        for place in places:
            following = (place // len(PARTS) + 1) * len(PARTS)
            syncopes += place % len(PARTS) != 0 and following not in places
    return syncopes / max(1, onsets)


def rhythm_rows(plan: RhythmPlan, grid: BeatGrid, frames: int) -> NDArray[np.float32]:
    """The plan as input of a network, (4, T) with T = ``frames``.

    Rows: 1 where a low, middle or high note begins, a place between two frames being shared by both; then
    1 where the bar has a rhythm.
    """
    rows = np.zeros((4, frames), np.float32)
    for (first, stop), bar in zip(pairwise(_bar_edges(grid)), plan, strict=False):
        if bar is None:
            continue
        times_s = _places_s(grid, first, stop)
        for row, places in zip(rows, bar.places, strict=False):
            for place in places:
                if place < len(times_s):
                    _mark(row, times_s[place] * FRAME_RATE_HZ - 0.5)
        from_frame, to_frame = (round(_beat_s(grid, beat) * FRAME_RATE_HZ) for beat in (first, stop))
        rows[3, max(0, from_frame) : max(0, to_frame)] = 1.0
    return rows


def rhythm_text(plan: RhythmPlan) -> str:
    """The plan as text; free bars have no line."""
    lines = []
    bar = 1
    for rhythm, same in groupby(plan):
        count = len(list(same))
        if rhythm is not None:
            bars = f"{bar}" if count == 1 else f"{bar}-{bar + count - 1}"
            told = [
                f"{name}: {' '.join(map(_counted, places))}"
                for name, places in zip(REGISTERS, rhythm.places, strict=True)
                if places
            ]
            lines.append("  ".join([bars, *(told or ["low:"])]) + "\n")
        bar += count
    return "".join(lines)


def parse_rhythm(text: str, grid: BeatGrid, name: str) -> RhythmPlan:
    """Read what :func:`rhythm_text` writes. Empty lines and lines that begin with ``#`` say nothing.

    Raises:
        UsageError: a line is not of this form, or names a bar or a beat that the song does not have; the
            error names the file ``name`` and the line.
    """
    bars = len(_bar_edges(grid)) - 1
    plan: list[BarRhythm | None] = [None] * max(0, bars)
    for number, line in enumerate(text.splitlines(), 1):
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        where = f"{name}, line {number}"
        found = _LINE.fullmatch(line)
        if found is None:
            raise UsageError(f"{where}: {line!r} does not begin with a bar; write such as '1-4 low: 1 3'.")
        first, last = int(found[1]), int(found[2] or found[1])
        if not 1 <= first <= last <= bars:
            raise UsageError(f"{where}: there are no bars {first}-{last}; the song has bars 1 to {bars}.")
        plan[first - 1 : last] = [_parse_bar(found[3], grid.meter, where)] * (last - first + 1)
    return tuple(plan)


def _parse_bar(text: str, meter: int, where: str) -> BarRhythm:
    places: list[tuple[int, ...]] = [(), (), ()]
    words = text.replace(":", ": ").split()
    register: int | None = None
    for word in words:
        if word.endswith(":") and word[:-1] in REGISTERS:
            register = REGISTERS.index(word[:-1])
            continue
        found = _PLACE.fullmatch(word)
        if register is None or found is None:
            names = ", ".join(REGISTERS)
            raise UsageError(f"{where}: {word!r} is no place; name a register ({names}), then count: 1 2& 3.")
        beat = int(found[1])
        if not 1 <= beat <= meter:
            raise UsageError(f"{where}: {word!r} is in no beat of a bar of {meter}.")
        place = 6 * (beat - 1) + _SIGNS.index(found[2])
        places[register] = tuple(sorted({*places[register], place}))
    return BarRhythm(tuple(places))


def _counted(place: int) -> str:
    beat, part = divmod(place, len(PARTS))
    return f"{beat + 1}{_SIGNS[part]}"


def _bar_edges(grid: BeatGrid) -> list[int]:
    """Indices of the beats between which bars lie; a last bar without an end has the usual length."""
    if not grid.downbeats or len(grid.beats_s) < 2:
        return []
    last = grid.downbeats[-1] + grid.meter
    return [*grid.downbeats, last] if grid.downbeats[-1] < len(grid.beats_s) else list(grid.downbeats)


def _beat_s(grid: BeatGrid, beat: int) -> float:
    """Time of a beat; after the last one the tempo continues."""
    beats = grid.beats_s
    over = beat - (len(beats) - 1)
    return beats[beat] if over <= 0 else beats[-1] + over * (beats[-1] - beats[-2])


def _places_s(grid: BeatGrid, first: int, stop: int) -> list[float]:
    """Times of all places of the beats from ``first`` to before ``stop``."""
    times = [_beat_s(grid, beat) for beat in range(first, stop + 1)]
    return [start + part * (end - start) for start, end in pairwise(times) for part in PARTS]


def _mark(row: NDArray[np.float32], at: float) -> None:
    """Puts an onset at the position ``at`` in frames, shared by the frames on both sides."""
    left = int(np.floor(at))
    for frame, share in ((left, left + 1 - at), (left + 1, at - left)):
        if 0 <= frame < len(row):
            row[frame] = max(row[frame], share)
