"""Whether drums keep a pattern over the bars of a period and fill at its end.

A *period* is a stretch of about four or eight bars that ends where the singer breathes, see
:mod:`appliance.music.periods`. The caller names the periods, because notes alone do not tell where they
end.

Letters: B bars.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from appliance.music.periods import Bars
from appliance.music.score import DRUM_GROUP, Score

CRASH = 49
"""The crash is an accent: it does not belong to a pattern."""

FILL_DRUMS = (38, 45, 50)
"""Snare and toms."""

FILL_STROKES = 2
"""Strokes of snare or toms where the pattern has none that make a fill."""

FILL_BEATS = 2
"""A fill is looked for in the last beats of a bar."""

STEPS = (4, 3)
"""Steps a beat; those that fit the song's strokes best count."""

EARLY = 0.125
"""Distance before a bar, in beats, from which a stroke belongs to it: half a step."""

Pattern = frozenset[tuple[int, int, int]]
"""Strokes as (beat of the bar, step of the beat, drum)."""


@dataclass(frozen=True, slots=True)
class DrumPatterns:
    """Counts over the periods in which drums play in at least half of the bars."""

    bars: int = 0
    same: int = 0
    """Bars with exactly the strokes of their period's commonest bar."""
    ends: int = 0
    """Ends of periods that another one follows."""
    filled: int = 0
    """Those whose last bar ends in a fill."""

    def __add__(self, other: DrumPatterns) -> DrumPatterns:
        return DrumPatterns(
            self.bars + other.bars, self.same + other.same, self.ends + other.ends, self.filled + other.filled
        )

    @property
    def share_same(self) -> float:
        """Share of bars that keep their period's pattern; NaN without bars."""
        return self.same / self.bars if self.bars else float("nan")

    @property
    def share_filled(self) -> float:
        """Share of the ends of periods that have a fill; NaN without ends."""
        return self.filled / self.ends if self.ends else float("nan")


def drum_patterns(score: Score, bars: Bars, periods: Sequence[tuple[int, int]]) -> DrumPatterns:
    """Count the bars that keep the pattern of their period, and the periods that end in a fill.

    ``periods`` are (first bar, bar after the last), in order.
    """
    patterns = bar_patterns(score, bars)
    total = DrumPatterns()
    for number, (first, stop) in enumerate(periods):
        played = patterns[first:stop]
        if 2 * sum(map(bool, played)) < len(played) or not any(played):
            continue
        common, same = common_pattern(played)
        is_end = number + 1 < len(periods)
        fill = is_end and has_fill(played[-1], common, len(bars[stop - 1]) - 1)
        total += DrumPatterns(len(played), same, is_end, fill)
    return total


def common_pattern(patterns: Sequence[Pattern]) -> tuple[Pattern, int]:
    """The commonest pattern, of equally common ones the first, and how often it occurs."""
    return Counter(patterns).most_common(1)[0]


def has_fill(pattern: Pattern, common: Pattern, beats: int) -> bool:
    """Whether a bar of ``beats`` beats ends with strokes of snare or toms that ``common`` does not have."""
    new = [s for s in pattern - common if s[2] in FILL_DRUMS and s[0] >= beats - FILL_BEATS]
    return len(new) >= FILL_STROKES


def bar_patterns(score: Score, bars: Bars) -> list[Pattern]:
    """The pattern of each bar: (B,). A stroke belongs to the step that it is nearest to.

    Strokes outside of the bars, which need not adjoin each other, count nowhere.
    """
    starts_s = [bar[0] for bar in bars]
    strokes = [
        (note.start_s, note.pitch) for note in score.notes if note.group == DRUM_GROUP and note.pitch != CRASH
    ]
    found: list[set[tuple[int, int, int]]] = [set() for _ in bars]
    places = [
        (*place, drum) for time_s, drum in strokes if (place := _place(time_s, bars, starts_s)) is not None
    ]
    steps = min(STEPS, key=lambda n: sum(_off_grid(part, n) for _, _, part, _ in places))
    for bar, beat, part, drum in places:
        step = round(part * steps)
        if step == steps:
            if beat + 1 < len(bars[bar]) - 1:
                beat, step = beat + 1, 0
            elif _adjoin(bars, bar + 1):
                bar, beat, step = bar + 1, 0, 0
            else:
                continue  # late in a bar after which nothing is counted
        found[bar].add((beat, step, drum))
    return [frozenset(strokes) for strokes in found]


def _adjoin(bars: Bars, bar: int) -> bool:
    """Whether ``bar`` begins where the one before it ends."""
    return bar < len(bars) and bars[bar][0] <= bars[bar - 1][-1] + 1e-6


def _place(time_s: float, bars: Bars, starts_s: Sequence[float]) -> tuple[int, int, float] | None:
    """Bar, beat and part of the beat (0-1) at a time; None outside of the bars."""
    bar = bisect_left(starts_s, time_s + 1e-6) - 1
    if bar < 0 or time_s >= bars[bar][-1]:
        following = bars[bar + 1] if bar + 1 < len(bars) else None
        early = following is not None and following[0] - time_s < EARLY * (following[1] - following[0])
        return (bar + 1, 0, 0.0) if early else None
    times_s = bars[bar]
    beat = max(0, bisect_left(times_s, time_s + 1e-6) - 1)
    part = (time_s - times_s[beat]) / (times_s[beat + 1] - times_s[beat])
    return bar, beat, min(max(part, 0.0), 1.0)


def _off_grid(part: float, steps: int) -> float:
    """Squared distance from the nearest of ``steps`` steps of a beat, in steps."""
    return (part * steps - round(part * steps)) ** 2
