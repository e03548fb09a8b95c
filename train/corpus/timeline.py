"""How long notes sound in each cell of a time line.

Letters: C cells between C + 1 edges, M pairs of a note and a cell.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Times = NDArray[np.float64]


class Sounding(Protocol):
    """Anything with a pitch, a start and an end."""

    @property
    def start_s(self) -> float: ...
    @property
    def end_s(self) -> float: ...
    @property
    def pitch(self) -> int: ...


def overlaps(
    notes: Iterable[Sounding], edges_s: Times, slack_s: float = 0.0
) -> tuple[NDArray[np.intp], NDArray[np.intp], Times]:
    """Cell, pitch and overlap in seconds, each (M,), of every note in every cell in which it sounds.

    ``edges_s`` (C + 1,) must increase. Notes keep their order; the cells of a note are consecutive. A note
    that reaches less than ``slack_s`` into a cell does not count there.
    """
    table = np.array([(n.start_s, n.end_s, n.pitch) for n in notes], np.float64).reshape(-1, 3)
    start, end, pitch = table.T
    last = len(edges_s) - 2
    first_cell = np.clip(np.searchsorted(edges_s, start + slack_s, "right") - 1, 0, last)
    last_cell = np.clip(np.searchsorted(edges_s, end - slack_s, "left") - 1, first_cell, last)
    counts = last_cell - first_cell + 1
    note = np.repeat(np.arange(len(table)), counts)
    cell = first_cell[note] + np.arange(len(note)) - np.repeat(np.cumsum(counts) - counts, counts)
    overlap = np.minimum(end[note], edges_s[cell + 1]) - np.maximum(start[note], edges_s[cell])
    return cell, pitch[note].astype(np.intp), np.maximum(overlap, 0.0)


def chroma(notes: Iterable[Sounding], edges_s: Times) -> Times:
    """(C, 12): seconds that each pitch class sounds in each cell; simultaneous notes add up."""
    cells = max(len(edges_s) - 1, 0)
    if not cells:
        return np.zeros((0, 12))
    cell, pitch, overlap = overlaps(notes, edges_s)
    sums: Times = np.bincount(cell * 12 + pitch % 12, overlap, cells * 12)
    return sums.reshape(cells, 12)
