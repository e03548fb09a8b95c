"""Where the bars of a song lie, and where in its bar a moment lies.

Bars are numbered as musicians count them: bar 1 begins with the first downbeat, and what comes before it, an
upbeat, is bar 0. Letters: B beats of the grid, M moments.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from appliance.music.beat_grid import extrapolated, trusted
from appliance.music.score import BeatGrid

TICKS = 12
"""Ticks of a beat: they divide it in two, three, four and six."""

UNKNOWN_BEAT_S = 0.5
"""Length of a beat where the beats are unknown."""

Times = NDArray[np.float64]
BarBeats = tuple[float, ...]
"""Times in seconds of the beats of a bar and, last, of its end."""


def grid_bars(grid: BeatGrid) -> list[BarBeats]:
    """The bars of ``grid`` from its first downbeat on, as far as its beats reach; none without downbeats.

    A bar may be shorter or longer than the meter. The last one ends with the last beat, because nothing tells
    how long that beat is.

    >>> grid_bars(BeatGrid((0.0, 1.0, 2.0, 3.0, 4.0, 5.0), downbeats=(1,), meter=2))
    [(1.0, 2.0, 3.0), (3.0, 4.0, 5.0)]
    """
    if not grid.downbeats:
        return []
    last = len(grid.beats_s) - 1
    firsts = [*_all_downbeats(grid.downbeats, grid.meter, last), last]
    return [tuple(grid.beats_s[a : b + 1]) for a, b in pairwise(firsts) if b > a]


def whole_bars(grid: BeatGrid) -> list[BarBeats]:
    """Those of :func:`grid_bars` that have as many beats as the meter; between two there may be another."""
    return [bar for bar in grid_bars(grid) if len(bar) - 1 == grid.meter]


def _all_downbeats(marked: Sequence[int], meter: int, end: float) -> list[int]:
    """The ``marked`` downbeats, and those before the beat ``end`` that the grid does not mark any more."""
    return [*marked, *range(marked[-1] + meter, int(np.ceil(end - 1e-6)), meter)]


@dataclass(frozen=True, slots=True)
class BarLines:
    """Bars and beats of a song of ``duration_s`` seconds.

    ``beats_s`` (B,) are the beats, at least two; ``downbeats`` are indices into them, the first beat of bar 1
    first. ``known`` is False if the grid is not trusted.
    """

    beats_s: Times
    downbeats: NDArray[np.int64]
    meter: int
    compound: bool
    duration_s: float
    known: bool = True

    @staticmethod
    def of(grid: BeatGrid, duration_s: float) -> BarLines:
        """The bars of ``grid``; without beats, bars of four beats of half a second."""
        known = trusted(grid)
        if len(grid.beats_s) < 2:
            count = max(int(np.ceil(duration_s / UNKNOWN_BEAT_S)), 1) + 1
            beats = tuple((UNKNOWN_BEAT_S * np.arange(count)).tolist())
            grid = BeatGrid(beats, tuple(range(0, count, 4)), 1.0, 4)
        beats_s = np.asarray(grid.beats_s, np.float64)
        first = grid.downbeats or tuple(range(0, len(beats_s), grid.meter))
        # The grid may end before the song does, or before its last bar does.
        last = max(_position(np.array([duration_s]), beats_s)[0], len(beats_s) - 1)
        downbeats = np.array(_all_downbeats(first, grid.meter, last), np.int64)
        return BarLines(beats_s, downbeats, grid.meter, grid.compound, duration_s, known)

    @property
    def bars(self) -> int:
        """Number of the last bar."""
        return len(self.downbeats)

    @property
    def firsts(self) -> NDArray[np.int64]:
        """The first beat of each bar and, last, the beat after the last bar, as long as the meter says."""
        return np.append(self.downbeats, self.downbeats[-1] + self.meter)

    def beats(self, time_s: Times) -> Times:
        """Moments in seconds (M,) as beats from the first beat of the grid on, with fractions."""
        return _position(np.asarray(time_s, np.float64), self.beats_s)

    def seconds(self, beats: Times) -> Times:
        """The inverse of :meth:`beats`."""
        index = np.arange(len(self.beats_s), dtype=np.float64)
        return extrapolated(np.asarray(beats, np.float64), index, self.beats_s)

    def bar_of(self, beats: Times) -> NDArray[np.int64]:
        """Number of the bar of each moment (M,) in beats; a moment half a tick before a bar belongs to it."""
        near = np.asarray(beats, np.float64) + 0.5 / TICKS
        bar: NDArray[np.int64] = np.searchsorted(self.downbeats, near, side="right").astype(np.int64)
        return bar

    def ticks_in_bar(self, beats: Times) -> NDArray[np.int64]:
        """Place of each moment (M,) in its bar, in ticks from its first beat; negative in an upbeat."""
        bar = np.maximum(self.bar_of(beats), 1)
        return np.asarray(np.rint((np.asarray(beats) - self.downbeats[bar - 1]) * TICKS), np.int64)

    def edges(self) -> Times:
        """Where each bar begins and the last one ends, in beats: bar k from element k to element k + 1.

        The song's own start and end, where they lie inside a bar, cut it short.
        """
        start, end = self.beats(np.array([0.0, self.duration_s]))
        inner = self.downbeats.astype(np.float64)
        edges = np.concatenate([[min(start, inner[0])], inner, [max(end, inner[-1])]])
        return np.asarray(np.clip(edges, start, end), np.float64)


def _position(time_s: Times, beats_s: Times) -> Times:
    return extrapolated(time_s, beats_s, np.arange(len(beats_s), dtype=np.float64))
