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
    """(bar, pass) in playing order, with passes counted from 1. After a jump, repeats are not taken.

    Every bar is played: a "fine" ends the piece only if no unplayed bar follows the jump that led to it.
    """
    order: list[tuple[int, int]] = []
    bar, section, turn = 0, 0, 1
    jumped_from: int | None = None
    jumps: set[int] = set()
    limit = 20 * len(marks)  # contradictory marks must not loop forever
    while bar < len(marks) and len(order) < limit:
        mark = marks[bar]
        if mark.forward and bar != section:
            section, turn = bar, 1
        if _skips(marks, bar, section, turn, jumped_from is not None):
            bar += 1
            continue
        order.append((bar, turn))
        if jumped_from is not None and "fine" in mark.jumps:
            if _all_played(order, jumped_from + 1, len(marks)):
                break
            bar, jumped_from = jumped_from + 1, None
            section, turn = bar, 1
            continue
        coda = [i for i in range(bar + 1, len(marks)) if "coda" in marks[i].jumps]
        if jumped_from is not None and "tocoda" in mark.jumps and coda:
            bar = coda[0]
            continue
        if jumped_from is None and _goes_back(marks, bar, section) and turn < _turns(marks, bar, section):
            bar, turn = section, turn + 1
            continue
        if jumped_from is None and bar not in jumps and mark.jumps & {"dacapo", "dalsegno"}:
            jumps.add(bar)
            segno = [i for i, m in enumerate(marks) if "segno" in m.jumps]
            jumped_from = bar
            bar = segno[0] if "dalsegno" in mark.jumps and segno else 0
            section, turn = bar, 1
            continue
        if _closes_section(marks, bar):
            section, turn = bar + 1, 1
        bar += 1
    return order


def _all_played(order: Sequence[tuple[int, int]], first: int, stop: int) -> bool:
    return {bar for bar, _ in order}.issuperset(range(first, stop))


def _endings(marks: Sequence[BarMarks], bar: int) -> tuple[int, int]:
    """First and last bar of the group of endings around ``bar``; ``bar`` alone where it has none.

    Neighbouring groups are told apart by their numbers, which begin again.
    """
    first = last = bar
    if marks[bar].ending:
        while first > 0 and _same_group(marks[first - 1].ending, marks[first].ending):
            first -= 1
        while last + 1 < len(marks) and _same_group(marks[last].ending, marks[last + 1].ending):
            last += 1
    return first, last


def _same_group(before: frozenset[int], after: frozenset[int]) -> bool:
    return bool(before and after) and min(before) <= min(after)


def _goes_back(marks: Sequence[BarMarks], bar: int, section: int) -> bool:
    """Whether ``bar`` ends with a repeat sign, or with an ending that can only mean one.

    An ending before another ending means a repeat if the section has no sign at all.
    """
    if marks[bar].backward:
        return True
    if bar + 1 == len(marks):
        return False
    here, following = marks[bar].ending, marks[bar + 1].ending
    return _same_group(here, following) and here != following and not _sign_ahead(marks, section)


def _sign_ahead(marks: Sequence[BarMarks], first: int) -> bool:
    """Whether a repeat sign ends a bar from ``first`` on, before another section begins."""
    for bar in range(first, len(marks)):
        if marks[bar].forward and bar > first:
            return False
        if marks[bar].backward:
            return True
    return False


def _closes_section(marks: Sequence[BarMarks], bar: int) -> bool:
    """Whether a new section begins after ``bar``: its last repeat sign or last ending is over.

    Endings without a repeat sign are a variant within a section, which goes on to its sign.
    """
    first, last = _endings(marks, bar)
    if not marks[bar].ending:
        return marks[bar].backward > 0 and not (bar + 1 < len(marks) and marks[bar + 1].ending)
    if bar < last:
        return False
    return any(mark.backward for mark in marks[first : last + 1]) or not _sign_ahead(marks, bar + 1)


def _skips(marks: Sequence[BarMarks], bar: int, section: int, turn: int, jumped: bool) -> bool:
    ending = marks[bar].ending
    if not ending:
        return False
    if jumped:  # the last ending only
        return max(ending) < _turns(marks, bar, section)
    return turn not in ending and ending != _nearest_ending(marks, bar, turn)


def _nearest_ending(marks: Sequence[BarMarks], bar: int, turn: int) -> frozenset[int] | None:
    """What pass ``turn`` plays where none of the endings around ``bar`` has its number.

    It is the last ending of an earlier pass. There is none if one ending stands alone, or if all passes
    with an ending are over and the last one was repeated.
    """
    first, last = _endings(marks, bar)
    endings = [mark.ending for mark in marks[first : last + 1]]
    over = turn > max(max(ending) for ending in endings) and marks[last].backward > 0
    if len(set(endings)) == 1 or over or any(turn in ending for ending in endings):
        return None
    earlier = [ending for ending in endings if min(ending) <= turn]
    return earlier[-1] if earlier else endings[0]


def _turns(marks: Sequence[BarMarks], bar: int, section: int) -> int:
    """Number of times that the section around ``bar`` is played, by its repeat sign or highest ending."""
    first, last = _endings(marks, bar)
    numbers = [n for mark in marks[min(section, first) : last + 1] for n in mark.ending]
    return max(1, marks[bar].backward, *numbers)
