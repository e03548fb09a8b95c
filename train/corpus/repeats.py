"""The playing order of a score's bars: repeats, endings, da capo, dal segno."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from train.corpus.musicxml import Measure


@dataclass(slots=True)
class BarMarks:
    """The marks of one bar, combined from all parts, because editors put them in any part."""

    forward: bool
    backward: int
    ending: frozenset[int]
    jumps: frozenset[str]


def gather_marks(parts: Sequence[Sequence[Measure]]) -> list[BarMarks]:
    """The marks of every bar; all bars of an ending get its numbers."""
    marks: list[BarMarks] = []
    open_ending: frozenset[int] = frozenset()
    for bar in range(max(map(len, parts))):
        column = [part[bar] for part in parts if bar < len(part)]
        started = frozenset().union(*(m.ending for m in column))
        open_ending = started or open_ending
        jumps = frozenset().union(*(m.jumps for m in column))
        backward = max(m.backward for m in column)
        marks.append(BarMarks(any(m.forward for m in column), backward, open_ending, jumps))
        if any(m.ending_stops for m in column):
            open_ending = frozenset()
    return marks


def playing_order(marks: Sequence[BarMarks]) -> list[tuple[int, int]]:
    """(bar, pass) in playing order, with passes counted from 1. After a jump, repeats are not taken."""
    order: list[tuple[int, int]] = []
    bar, section, turn, jumped = 0, 0, 1, False
    limit = 20 * len(marks)  # contradictory marks must not loop forever
    while bar < len(marks) and len(order) < limit:
        mark = marks[bar]
        if mark.forward and bar != section:
            section, turn = bar, 1
        if _skips(marks, bar, section, turn, jumped):
            bar += 1
            continue
        order.append((bar, turn))
        if jumped and "fine" in mark.jumps:
            break
        coda = [i for i in range(bar + 1, len(marks)) if "coda" in marks[i].jumps]
        if jumped and "tocoda" in mark.jumps and coda:
            bar = coda[0]
            continue
        if not jumped and mark.backward and turn < _turns(marks, bar, section):
            bar, turn = section, turn + 1
            continue
        if not jumped and mark.jumps & {"dacapo", "dalsegno"}:
            segno = [i for i, m in enumerate(marks) if "segno" in m.jumps]
            bar = segno[0] if "dalsegno" in mark.jumps and segno else 0
            jumped, section, turn = True, bar, 1
            continue
        ending_closes = mark.ending and (bar + 1 == len(marks) or marks[bar + 1].ending != mark.ending)
        if mark.backward or ending_closes:
            last = bar + 1 == len(marks) or not marks[bar + 1].ending
            if mark.backward or last:
                section, turn = (bar + 1, 1) if last else (section, turn)
        bar += 1
    return order


def _skips(marks: Sequence[BarMarks], bar: int, section: int, turn: int, jumped: bool) -> bool:
    ending = marks[bar].ending
    if not ending:
        return False
    if jumped:  # the last ending only
        return max(ending) < _turns(marks, bar, section)
    return turn not in ending


def _turns(marks: Sequence[BarMarks], bar: int, section: int) -> int:
    """Number of times that the section around ``bar`` is played, by its repeat sign or highest ending."""
    turns = max(1, marks[bar].backward)
    last = bar
    while last + 1 < len(marks) and marks[last + 1].ending:
        last += 1
    first = bar
    while first > section and marks[first - 1].ending:
        first -= 1
    for mark in marks[first : last + 1]:
        turns = max(turns, *mark.ending) if mark.ending else turns
    return turns
