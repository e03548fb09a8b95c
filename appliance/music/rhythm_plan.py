"""The rhythm plan: when the band strikes, bar by bar, in three registers.

A place is a point of a bar at which something can begin: the quarters and thirds of each beat. It is counted
in ticks from the first beat of the bar (:data:`appliance.music.bar_lines.TICKS`). A rhythm says at which
places a note begins that is low, of the middle or high. Drums are not part of it.

As text, one line for bars of one rhythm, with places as musicians count them::

    1-4  low: 1 3  mid: 2 4  high: 1 1& 2 2& 3 3& 4 4&
    5    low: 1

``1e 1& 1a`` are the quarters after beat 1, ``1t 1l`` its second and third triplet. A register that a line
does not name is silent there; a bar that no line names is free.

Letters: N notes, T score frames.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from appliance.errors import UsageError
from appliance.grid import FRAME_RATE_HZ
from appliance.music.bar_lines import TICKS, BarLines
from appliance.music.score import DRUM_GROUP, Score

REGISTERS = ("low", "mid", "high")

MIDDLE_FROM, HIGH_FROM = 50, 67
"""MIDI numbers of the lowest note of the middle (D3) and of the high register (G4), in the key without
accidentals in which the networks play."""

_SIGNS = {0: "", 3: "e", 4: "t", 6: "&", 8: "l", 9: "a"}
"""The places of a beat in ticks, and how each is counted."""

_PLACE = re.compile(r"(\d{1,2})([et&la]?)")
_LINE = re.compile(r"(\d+)(?:\s*-\s*(\d+))?\s+(.*)")


@dataclass(frozen=True, slots=True)
class BarRhythm:
    """The places of one bar at which notes begin: for each of :data:`REGISTERS` in ticks, in order."""

    places: tuple[tuple[int, ...], ...] = ((), (), ())


RhythmPlan = tuple[BarRhythm | None, ...]
"""A rhythm for each bar of a song, the first is bar 1; None where the bar is free."""


def rhythm_of(score: Score, lines: BarLines) -> RhythmPlan:
    """The rhythm that ``score`` plays in each bar; an onset counts at its nearest place.

    An upbeat, bar 0, has no rhythm.
    """
    notes = [note for note in score.notes if note.group != DRUM_GROUP]
    found: list[tuple[set[int], ...]] = [(set(), set(), set()) for _ in range(lines.bars)]
    if notes:
        placed = _nearest_places(lines.beats(np.array([note.start_s for note in notes])))
        bars, places = lines.bar_of(placed), lines.ticks_in_bar(placed)
        for note, bar, place in zip(notes, bars.tolist(), places.tolist(), strict=True):
            if bar:
                register = 0 if note.pitch < MIDDLE_FROM else 1 if note.pitch < HIGH_FROM else 2
                found[bar - 1][register].add(place)
    return tuple(BarRhythm(tuple(tuple(sorted(places)) for places in bar)) for bar in found)


def in_meter(plan: RhythmPlan, lines: BarLines) -> RhythmPlan:
    """``plan`` without the rhythm of bars that are shorter or longer than the meter: those are free."""
    beats = np.diff(lines.firsts)
    return tuple(bar if count == lines.meter else None for bar, count in zip(plan, beats, strict=True))


def typical_bars(plan: RhythmPlan, longest: int) -> tuple[BarRhythm, ...]:
    """The phrase of ``plan`` whose bars are the commonest ones, without a silent bar: ``longest`` bars, or
    the half, a quarter and so on where there is none so long; empty if every bar is silent or free.

    Phrases begin at every half of their length. Of equal ones the first is taken.
    """
    common = Counter(plan)
    for length in (longest >> k for k in range(longest.bit_length())):
        phrases = [
            tuple(bar for bar in plan[first : first + length] if bar is not None and any(bar.places))
            for first in range(0, len(plan) - length + 1, max(1, length // 2))
        ]
        whole = [phrase for phrase in phrases if len(phrase) == length]
        if whole:
            return max(whole, key=lambda phrase: sum(common[bar] for bar in phrase))
    return ()


def _nearest_places(beats: NDArray[np.float64]) -> NDArray[np.float64]:
    """Moments (N,) in beats, moved to the nearest place."""
    ticks = np.array([*_SIGNS, TICKS])
    whole = np.floor(beats)
    distance = np.abs((beats - whole)[:, None] * TICKS - ticks)
    moved: NDArray[np.float64] = whole + ticks[distance.argmin(axis=1)] / TICKS
    return moved


def rhythm_rows(plan: RhythmPlan, lines: BarLines, frames: int) -> NDArray[np.float32]:
    """The plan as input of a network, (4, T) with T = ``frames``.

    Rows: 1 where a low, middle or high note begins, a place between two frames being shared by both; then
    1 where the bar has a rhythm.
    """
    rows = np.zeros((4, frames), np.float32)
    firsts = lines.firsts.tolist()
    for bar, rhythm in enumerate(plan[: lines.bars]):
        if rhythm is None:
            continue
        first, stop = firsts[bar], firsts[bar + 1]
        for row, places in zip(rows, rhythm.places, strict=False):
            inside = np.array([p for p in places if p < TICKS * (stop - first)], np.float64)
            for time_s in lines.seconds(first + inside / TICKS).tolist():
                _mark(row, time_s * FRAME_RATE_HZ - 0.5)
        edges = np.rint(lines.seconds(np.array([first, stop], np.float64)) * FRAME_RATE_HZ).astype(int)
        rows[3, max(0, edges[0]) : max(0, edges[1])] = 1.0
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


def parse_rhythm(text: str, lines: BarLines, name: str) -> RhythmPlan:
    """Read what :func:`rhythm_text` writes. Empty lines and lines that begin with ``#`` say nothing.

    Raises:
        UsageError: a line is not of this form, or names a bar or a beat that the song does not have; the
            error names the file ``name`` and the line.
    """
    return _parsed(text, lines.meter, lines.bars, name)


def parse_phrase(text: str, meter: int, bars: int, name: str) -> tuple[BarRhythm, ...]:
    """Read the text of a phrase of ``bars`` bars that is of no song; a bar without a line is silent.

    Raises:
        UsageError: as :func:`parse_rhythm`.
    """
    return tuple(bar or BarRhythm() for bar in _parsed(text, meter, bars, name))


def _parsed(text: str, meter: int, bars: int, name: str) -> RhythmPlan:
    plan: list[BarRhythm | None] = [None] * bars
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
            said = f"is no bar {first}" if first == last else f"are no bars {first}-{last}"
            raise UsageError(f"{where}: there {said}; the song has bars 1 to {bars}.")
        plan[first - 1 : last] = [_parse_bar(found[3], meter, where)] * (last - first + 1)
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
        place = TICKS * (beat - 1) + next(tick for tick, sign in _SIGNS.items() if sign == found[2])
        places[register] = tuple(sorted({*places[register], place}))
    return BarRhythm(tuple(places))


def _counted(place: int) -> str:
    beat, tick = divmod(place, TICKS)
    return f"{beat + 1}{_SIGNS[tick]}"


def _mark(row: NDArray[np.float32], at: float) -> None:
    """Puts an onset at the position ``at`` in frames, shared by the frames on both sides."""
    left = int(np.floor(at))
    for frame, share in ((left, left + 1 - at), (left + 1, at - left)):
        if 0 <= frame < len(row):
            row[frame] = max(row[frame], share)
