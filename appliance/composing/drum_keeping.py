"""Makes drums keep one pattern over a period, and fill at its end.

The denoiser places each stroke well, but no two bars alike. A stroke belongs to the pattern of a period if it
is usual in the bars of the period and of the song; the pattern is then played in every bar in which the drums
play. Where the denoiser wrote a fill, it stays; elsewhere a fill of :mod:`appliance.composing.drum_fills` is
played. Only a drum kit fills: a pattern without snare or stick, such as a tambourine's, has no fills.

Letters: B bars, C cells (steps of a bar), D drums of a score.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import replace
from statistics import median

import numpy as np
from numpy.typing import NDArray

from appliance.composing.drum_fills import FILL_BEATS, FILLS, HIGH_TOM, LOW_TOM, SNARE
from appliance.music.bar_lines import BarBeats
from appliance.music.score import DRUM_GROUP, DRUM_KEYS, Note, Score

STEPS = (4, 3)
"""Steps a beat; those that fit the song's strokes best count."""

USUAL = 0.5
"""Share of bars, the mean of period and song, from which a stroke belongs to the pattern."""

LEAST_OF_PERIOD = 0.25
"""Least share of the period's own bars: a drum that is silent there stays silent."""

PLAYS = 2
"""Strokes from which a bar counts as played; the others stay as they are."""

NEW_STROKES = 2
"""Strokes of snare or toms beside the pattern that make the end of a bar a fill."""

FILLED = 0.8
"""Probability of a fill where the denoiser wrote none."""

CRASH = 49
_STICK = 37
_FILL_DRUMS = (SNARE, LOW_TOM, HIGH_TOM)
_LATE_S = 0.001

Bars = Sequence[BarBeats]
Cell = tuple[int, int]
"""Step of the bar, index of the drum in :data:`DRUM_KEYS`."""


def keep_drums(score: Score, bars: Bars, periods: Sequence[tuple[int, int]], seed: int) -> Score:
    """``score`` with drums that keep their pattern over each of ``periods`` (first bar, bar after the last).

    ``bars`` are in order of time; between two there may be a gap, such as a bar cut short. Strokes outside of
    them stay as they are.
    The same arguments give the same strokes.
    """
    drums = score.only(DRUM_GROUP).notes
    if not drums or not bars:
        return score
    kit = _Kit(drums, bars)
    notes = list(kit.outside)
    for number, (first, stop) in enumerate(periods):
        pattern = kit.pattern(first, stop)
        ends = number + 1 < len(periods) and kit.plays[stop - 1] and kit.plays[stop : stop + 2].any()
        for bar in range(first, stop):
            if not kit.plays[bar] or not pattern:
                notes += kit.written(bar)
            elif ends and bar == stop - 1:
                notes += kit.filled(bar, pattern, np.random.default_rng([seed, bar]))
            else:
                notes += kit.kept(bar, pattern)
    others = [note for note in score.notes if note.group != DRUM_GROUP]
    return Score.of([*others, *_one_a_place(notes)], score.duration_s)


class _Kit:
    """The strokes of a song by bar and cell."""

    def __init__(self, drums: Sequence[Note], bars: Bars) -> None:
        self.bars = bars
        placed = [(note, _place(note.start_s, bars)) for note in drums]
        self.outside = [note for note, place in placed if place is None]
        inside = [(note, place) for note, place in placed if place is not None]
        self.steps = min(STEPS, key=lambda n: sum(_off_grid(part, n) for _, (_, _, part) in inside))
        self.cells = max(len(bar) - 1 for bar in bars) * self.steps
        self.strokes: list[dict[Cell, Note]] = [{} for _ in bars]
        for note, (bar, beat, part) in inside:
            step = beat * self.steps + round(part * self.steps)
            if step == (len(bars[bar]) - 1) * self.steps:  # just before the next bar line
                if bar + 1 == len(bars) or bars[bar + 1][0] > bars[bar][-1] + _LATE_S:
                    self.outside.append(note)
                    continue
                bar, step = bar + 1, 0
            cell = (step, DRUM_KEYS.index(note.pitch))
            before = self.strokes[bar].get(cell)
            if before is None or note.velocity > before.velocity:
                self.strokes[bar][cell] = note
        self.table = np.zeros((len(bars), self.cells, len(DRUM_KEYS)), np.bool_)
        for bar, strokes in enumerate(self.strokes):
            for step, drum in strokes:
                self.table[bar, step, drum] = True
        self.plays: NDArray[np.bool_] = self.table.sum(axis=(1, 2)) >= PLAYS
        self.of_song = self._share(0, len(bars))
        self._velocity: dict[Cell, int] = {}
        for cell in {cell for strokes in self.strokes for cell in strokes}:
            heard = [strokes[cell].velocity for strokes in self.strokes if cell in strokes]
            self._velocity[cell] = round(median(heard))

    def _share(self, first: int, stop: int) -> NDArray[np.float64]:
        """Share of the played bars that have each stroke, (C, D)."""
        played = self.table[first:stop][self.plays[first:stop]]
        shares: NDArray[np.float64] = played.mean(axis=0) if len(played) else np.zeros(self.table.shape[1:])
        return shares

    def pattern(self, first: int, stop: int) -> set[Cell]:
        """The usual strokes of the bars ``first`` to ``stop``; the crash is an accent, not a part of it."""
        of_period = self._share(first, stop)
        usual = ((of_period + self.of_song) / 2 >= USUAL) & (of_period >= LEAST_OF_PERIOD)
        usual[:, DRUM_KEYS.index(CRASH)] = False
        return {(int(step), int(drum)) for step, drum in np.argwhere(usual)}

    def written(self, bar: int) -> list[Note]:
        """The bar as the denoiser wrote it."""
        return list(self.strokes[bar].values())

    def kept(self, bar: int, pattern: set[Cell], until: int | None = None) -> list[Note]:
        """The bar with the strokes of ``pattern`` before step ``until``: its own where it has them."""
        own = self.strokes[bar]
        end = len(self.bars[bar]) - 1
        last = end * self.steps if until is None else until
        crash = [own[c] for c in own if c == (0, DRUM_KEYS.index(CRASH))]
        return crash + [own.get(c) or self._stroke(bar, c) for c in sorted(pattern) if c[0] < last]

    def filled(self, bar: int, pattern: set[Cell], random: np.random.Generator) -> list[Note]:
        """The last bar of a period: the pattern, then the denoiser's fill, or one of ours."""
        beats = len(self.bars[bar]) - 1
        first = (beats - FILL_BEATS) * self.steps
        own = self.strokes[bar]
        new = [c for c in own if c not in pattern and c[0] >= first and DRUM_KEYS[c[1]] in _FILL_DRUMS]
        if beats < FILL_BEATS or not any(DRUM_KEYS[drum] in (SNARE, _STICK) for _, drum in pattern):
            return self.kept(bar, pattern)
        if len(new) >= NEW_STROKES:
            return self.kept(bar, pattern, first) + [own[c] for c in sorted(own) if c[0] >= first]
        if random.random() >= FILLED:
            return self.kept(bar, pattern)
        fill = FILLS[self.steps][int(random.integers(len(FILLS[self.steps])))]
        loudest = max(self._velocity[c] for c in pattern)
        strokes = []
        for beat, drum, accent in fill:
            cell = (first + round(beat * self.steps), DRUM_KEYS.index(drum))
            strokes.append(self._stroke(bar, cell, round(loudest * (0.6 + 0.4 * accent))))
        return self.kept(bar, pattern, first) + strokes

    def _stroke(self, bar: int, cell: Cell, velocity: int | None = None) -> Note:
        step, drum = cell
        beat, part = divmod(step, self.steps)
        times_s = self.bars[bar]
        start_s = times_s[beat] + part / self.steps * (times_s[beat + 1] - times_s[beat])
        some = next(iter(self.strokes[bar].values()))
        length_s = some.end_s - some.start_s
        loud = self._velocity[cell] if velocity is None else velocity
        return replace(
            some, start_s=start_s, end_s=start_s + length_s, pitch=DRUM_KEYS[drum], velocity=min(loud, 127)
        )


def _place(time_s: float, bars: Bars) -> tuple[int, int, float] | None:
    """Bar, beat and part of the beat (0-1) at a time; None outside the bars."""
    bar = bisect_right(bars, time_s + _LATE_S, key=lambda b: b[0]) - 1
    if bar < 0 or time_s >= bars[bar][-1] - _LATE_S:
        return None
    times_s = bars[bar]
    beat = min(bisect_right(times_s, time_s + _LATE_S) - 1, len(times_s) - 2)
    part = (time_s - times_s[beat]) / (times_s[beat + 1] - times_s[beat])
    return bar, beat, min(max(part, 0.0), 1.0)


def _off_grid(part: float, steps: int) -> float:
    """Squared distance from the nearest of ``steps`` steps of a beat, in steps."""
    return (part * steps - round(part * steps)) ** 2


def _one_a_place(notes: Sequence[Note]) -> list[Note]:
    """``notes`` with one stroke of a drum at a time, each ending where the next of its drum begins."""
    kept: dict[int, list[Note]] = {}
    for note in sorted(notes):
        lane = kept.setdefault(note.pitch, [])
        if lane and note.start_s - lane[-1].start_s < 0.02:
            continue
        if lane and lane[-1].end_s > note.start_s:
            lane[-1] = replace(lane[-1], end_s=note.start_s)
        lane.append(note)
    return [note for lane in kept.values() for note in lane]
