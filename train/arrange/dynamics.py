"""Phrases of a song and how full each should sound, derived from the vocal."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import pi, sin
from statistics import fmean, pstdev

from appliance.music.periods import periods
from train.arrange.grid import Grid
from train.corpus.song import Song, SungNote

LONGEST_PHRASE = 8
"""In bars; a longer stretch without a breath is cut after four."""

SILENT = 0.12
"""A bar counts as unsung if the voice sings for less than this share of it."""


@dataclass(frozen=True, slots=True)
class Phrase:
    """Bars ``first`` up to but excluding ``stop``; ``level`` (0-1) is how full the band should play."""

    first: int
    stop: int
    sung: bool
    level: float


class Dynamics:
    """Phrases of a song, its periods, and the level at any time."""

    def __init__(self, grid: Grid, phrases: tuple[Phrase, ...], periods: tuple[Phrase, ...]) -> None:
        self.grid = grid
        self.phrases = phrases
        self.periods = periods
        self._firsts = [phrase.first for phrase in phrases]
        bars = grid.bars
        self._spans_s = [(bars[p.first].start_s, bars[p.stop - 1].end_s) for p in phrases]
        self._starts_s = [start_s for start_s, _ in self._spans_s]

    def phrase(self, bar: int) -> Phrase:
        """The phrase that holds bar number ``bar``."""
        return self.phrases[max(0, bisect_right(self._firsts, bar) - 1)]

    def swell(self, time_s: float) -> float:
        """Level (0-1) at ``time_s``: the phrase's level, louder in its middle than at its ends."""
        k = max(0, bisect_right(self._starts_s, time_s + 1e-6) - 1)
        start_s, end_s = self._spans_s[k]
        arch = sin(pi * min(max((time_s - start_s) / (end_s - start_s), 0.0), 1.0))
        return 0.7 * self.phrases[k].level + 0.3 * arch


def _periods(song: Song, grid: Grid, phrases: Sequence[Phrase]) -> tuple[Phrase, ...]:
    """The song's periods, see :mod:`appliance.music.periods`; each is as full as its fullest phrase."""
    voice = sorted(song.voice, key=lambda note: note.start_s)
    edges = [(0.0, 0.0), *((n.start_s, n.end_s) for n in voice), (song.duration_s, song.duration_s)]
    rests = [(before[1], after[0]) for before, after in pairwise(edges) if after[0] > before[1]]
    found = []
    for first, stop in periods([bar.pulses_s for bar in grid.bars], rests):
        inside = [p for p in phrases if p.first < stop and first < p.stop]
        sung, level = any(p.sung for p in inside), max(p.level for p in inside)
        found.append(Phrase(first, stop, sung, level))
    return tuple(found)


def read_dynamics(song: Song, grid: Grid) -> Dynamics:
    """Cut phrases where the singer breathes; higher and later phrases are fuller."""
    sung = _sung_share(song, grid)
    cuts = _cuts(song, grid, sung)
    spans = list(pairwise(cuts))
    notes = [_notes_in(song.voice, grid, a, b) for a, b in spans]
    heights = [fmean(n.pitch for n in part) if part else None for part in notes]
    known = [h for h in heights if h is not None]
    mean, spread = (fmean(known), max(pstdev(known), 1.5)) if known else (0.0, 1.5)
    phrases = []
    for k, (a, b) in enumerate(spans):
        alone = heights[k] is None or fmean(sung[a:b]) < SILENT
        if alone:
            level = 0.2 if k == 0 or k == len(spans) - 1 else 0.45
        else:
            height = (heights[k] or 0.0) - mean
            level = 0.5 + 0.18 * height / spread + 0.25 * (a / len(grid.bars) - 0.4)
        phrases.append(Phrase(a, b, not alone, min(max(level, 0.1), 1.0)))
    return Dynamics(grid, tuple(phrases), _periods(song, grid, phrases))


def _sung_share(song: Song, grid: Grid) -> list[float]:
    """Share of each bar's time in which the voice sings."""
    share = [0.0] * len(grid.bars)
    for note in song.voice:
        for k in range(grid.index(note.start_s), grid.index(note.end_s - 1e-3) + 1):
            bar = grid.bars[k]
            overlap = min(note.end_s, bar.end_s) - max(note.start_s, bar.start_s)
            share[k] += max(0.0, overlap) / (bar.end_s - bar.start_s)
    return share


def _cuts(song: Song, grid: Grid, sung: list[float]) -> list[int]:
    """Bar numbers at which phrases begin, followed by the number of bars."""
    count = len(grid.bars)
    wanted = {k for k in range(1, count) if (sung[k] < SILENT) != (sung[k - 1] < SILENT)}
    for before, after in pairwise(sorted(song.voice, key=lambda n: n.start_s)):
        bar = grid.bars[grid.index(before.end_s)]
        if after.start_s - before.end_s > 0.45 * bar.pulse_s:
            k = grid.index(after.start_s)
            wanted.add(k + (grid.position(after.start_s) > grid.bars[k].pulses / 2))
    cuts = [0]
    for k in [*sorted(k for k in wanted if k < count), count]:
        while k - cuts[-1] > LONGEST_PHRASE:
            cuts.append(cuts[-1] + 4)
        if k == count or (k - cuts[-1] >= 2 and count - k >= 2):
            cuts.append(k)
    return cuts if cuts[-1] == count else [*cuts, count]


def _notes_in(voice: tuple[SungNote, ...], grid: Grid, first: int, stop: int) -> list[SungNote]:
    start, end = grid.bars[first].start_s, grid.bars[stop - 1].end_s
    return [note for note in voice if start <= note.start_s < end]
