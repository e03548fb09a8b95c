"""Small changes of a score, applied one after the other until an attribute is what was asked.

Changes at equal places of equal bars are made together, so that repeated bars stay repeated. Where all of
them would be too many, they are made in every other bar, or in one of four: as long as phrases are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

from appliance.composing.shaping.song import BY_TIME
from appliance.composing.shaping.strokes import Place
from appliance.music.score import Note

PHASES = (0, 2, 1, 3)
"""Order in which the bars of four are changed: each step is spread evenly."""

Gauge = Callable[[Sequence[Note]], float]
"""Measures the attribute of notes in the bars that are shaped; NaN if there is nothing to measure."""


@dataclass(frozen=True, slots=True)
class Edit:
    """Replaces notes by others. Lower ``rank`` comes first; ``place`` and ``bar`` say where it is."""

    removed: tuple[Note, ...]
    added: tuple[Note, ...]
    rank: tuple[float, ...]
    place: Place
    bar: int


def applied(notes: Sequence[Note], edits: Iterable[Edit]) -> list[Note]:
    """The notes after ``edits``. An edit whose notes an earlier one has taken is left out."""
    gone: set[Note] = set()
    added: list[Note] = []
    for edit in edits:
        if gone.isdisjoint(edit.removed):
            gone.update(edit.removed)
            added += edit.added
    return sorted([*(note for note in notes if note not in gone), *added], key=BY_TIME)


def until(notes: Sequence[Note], edits: Iterable[Edit], gauge: Gauge, target: float) -> list[Note]:
    """Apply as many of ``edits``, in their order, as bring ``gauge`` nearest to ``target``.

    The attribute is assumed to move in one direction with the number of edits.
    """
    ordered = sorted(edits, key=_order)
    steps = [list(group) for _, group in groupby(ordered, key=_order)]

    def after(count: int) -> list[Note]:
        return applied(notes, (edit for step in steps[:count] for edit in step))

    start = gauge(notes)
    if start != start or not steps:
        return list(notes)
    rising = target > start
    low, high = 0, len(steps)  # the last count known to be short of the target, the first that may be beyond
    while high - low > 1:
        middle = (low + high) // 2
        found = gauge(after(middle))
        if found == found and (found < target) == rising:
            low = middle
        else:
            high = middle
    best = min((low, high), key=lambda count: _distance(gauge(after(count)), target))
    return after(best)


def _order(edit: Edit) -> tuple[tuple[float, ...], Place, int]:
    return edit.rank, edit.place, PHASES[edit.bar % len(PHASES)]


def _distance(found: float, target: float) -> float:
    return abs(found - target) if found == found else float("inf")
