"""Bars in pulses as a band would count them, whatever unit the score uses.

Scores write the same feel in many units: 6/8 in eighths, alla breve in quarters, an Adagio in slow quarters.
Patterns need *pulses* of moderate tempo, so fast beats are grouped and slow beats are halved. A pulse divides
in two (duple) or in three (ternary).
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from train.corpus.song import Song

FAST_TRIPLE_S = 0.45
"""Beats shorter than this are grouped in threes if the bar allows (6/8 counted in eighths)."""

FAST_BEAT_S = 0.33
SLOW_BEAT_S = 1.0


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar; ``pulses_s`` are its pulse times and, last, its end. A ``pickup`` is an upbeat bar."""

    pulses_s: tuple[float, ...]
    ternary: bool
    pickup: bool = False

    @property
    def start_s(self) -> float:
        return self.pulses_s[0]

    @property
    def end_s(self) -> float:
        return self.pulses_s[-1]

    @property
    def pulses(self) -> int:
        """Number of pulses in the bar."""
        return len(self.pulses_s) - 1

    @property
    def pulse_s(self) -> float:
        """Mean length of a pulse in seconds."""
        return (self.end_s - self.start_s) / self.pulses

    def time(self, position: float) -> float:
        """Time in seconds at ``position`` pulses into the bar, interpolated linearly."""
        index = min(int(position), self.pulses - 1)
        start = self.pulses_s[index]
        return start + (position - index) * (self.pulses_s[index + 1] - start)


class Grid:
    """The bars of a song, with lookup by time."""

    def __init__(self, bars: Sequence[Bar]) -> None:
        self.bars = tuple(bars)
        self._starts = [bar.start_s for bar in self.bars]

    @property
    def usual_pulse_s(self) -> float:
        """Median length of a pulse in seconds."""
        return median(bar.pulse_s for bar in self.bars)

    def index(self, time_s: float) -> int:
        """Number of the bar that holds ``time_s``; outside the song, the first or last bar."""
        return max(0, bisect_right(self._starts, time_s + 1e-6) - 1)

    def position(self, time_s: float) -> float:
        """Pulses since the start of the bar that holds ``time_s``."""
        pulses = self.bars[self.index(time_s)].pulses_s
        k = min(max(bisect_right(pulses, time_s + 1e-6) - 1, 0), len(pulses) - 2)
        return k + (time_s - pulses[k]) / (pulses[k + 1] - pulses[k])


def read_grid(song: Song) -> Grid:
    """The song's bars in pulses; they are contiguous and cover the whole song."""
    bars = _bars_in_beats(song)
    kinds = [(len(bar) - 1, _is_compound(song, bar[0])) for bar in bars]
    typical = Counter(kinds)
    dominant = typical.most_common(1)[0][0]
    groupings: dict[tuple[int, bool], tuple[int, bool]] = {}
    for kind, times in typical.items():
        if times > 1 or kind == dominant:
            same = [bar for bar, its_kind in zip(bars, kinds, strict=True) if its_kind == kind]
            groupings[kind] = _grouping(song, same, compound=kind[1])
    result = []
    for number, (bar, kind) in enumerate(zip(bars, kinds, strict=True)):
        group, ternary = groupings.get(kind, groupings[dominant])
        pickup = number == 0 and kind[0] < dominant[0]
        result.append(Bar(tuple(_regrouped(bar, group, pickup)), ternary, pickup))
    return Grid(_paired(result))


def _paired(bars: Sequence[Bar]) -> list[Bar]:
    """Join pairs of single-pulse bars (3/8, a quick waltz): a groove needs a strong and a weak pulse."""
    result: list[Bar] = []
    open_pair = False
    for bar in bars:
        single = bar.pulses == 1 and not bar.pickup
        if single and open_pair:
            result[-1] = Bar((*result[-1].pulses_s, bar.end_s), bar.ternary)
            open_pair = False
        else:
            result.append(bar)
            open_pair = single
    return result


def _bars_in_beats(song: Song) -> list[list[float]]:
    """Beat times of every bar, each followed by the bar's end."""
    beats = [t for t in song.beats_s if t < song.duration_s - 0.05]
    if not beats:
        return [[0.0, song.duration_s]]
    firsts = [i for i in song.downbeats if i < len(beats)]
    if not firsts or firsts[0] > 0:
        firsts.insert(0, 0)
    bars = [[*beats[a:b], beats[b]] for a, b in pairwise(firsts)]
    bars.append([*beats[firsts[-1] :], song.duration_s])
    if bars[0][0] > 0.05:
        bars.insert(0, [0.0, bars[0][0]])
    else:
        bars[0][0] = 0.0
    return bars


def _grouping(song: Song, bars: Sequence[Sequence[float]], *, compound: bool) -> tuple[int, bool]:
    """Beats per pulse (negative: pulses per beat), and whether the pulse divides in three."""
    count = len(bars[0]) - 1
    beat_s = median((bar[-1] - bar[0]) / count for bar in bars)
    if count % 3 == 0 and beat_s < (FAST_TRIPLE_S if count > 3 else FAST_BEAT_S):
        return 3, True
    ternary = compound or _divides_in_three(song, bars)
    if count > 1 and beat_s < FAST_BEAT_S and not ternary:
        return 2, False
    if beat_s > SLOW_BEAT_S * (1.2 if ternary else 1.0):
        return (-3, False) if ternary else (-2, False)
    return 1, ternary


def _is_compound(song: Song, time_s: float) -> bool:
    """Whether the time signature at ``time_s`` counts dotted beats (6/8, 9/8, 12/8)."""
    bar = min(max(bisect_right(song.bars_s, time_s + 1e-3) - 1, 0), len(song.meters) - 1)
    count, unit = song.meters[bar]
    return count > 3 and count % 3 == 0 and unit >= 8


def _divides_in_three(song: Song, bars: Sequence[Sequence[float]]) -> bool:
    """Whether onsets within these beats fall on thirds more often than on halves and quarters."""
    beats = [t for bar in bars for t in bar[:-1]]
    lengths = [b - a for bar in bars for a, b in pairwise(bar)]
    thirds = halves = 0
    onsets = {round(n.start_s, 3) for n in song.written} | {round(n.start_s, 3) for n in song.voice}
    for onset in onsets:
        k = bisect_right(beats, onset + 1e-3) - 1
        if k < 0 or onset > beats[k] + lengths[k]:
            continue
        phase = (onset - beats[k]) / lengths[k]
        thirds += min(abs(phase - 1 / 3), abs(phase - 2 / 3)) < 0.03
        halves += min(abs(phase - 1 / 4), abs(phase - 1 / 2), abs(phase - 3 / 4)) < 0.03
    return thirds > halves


def _regrouped(bar: Sequence[float], group: int, pickup: bool) -> list[float]:
    """A bar's beats as pulses; an upbeat is grouped backwards from the next bar line."""
    if group < 0:
        parts = -group
        finer = [a + (b - a) * k / parts for a, b in pairwise(bar) for k in range(parts)]
        return [*finer, bar[-1]]
    count = len(bar) - 1
    if pickup:
        kept = [bar[i] for i in range(count, -1, -group)][::-1]
        return kept if kept[0] == bar[0] else [bar[0], *kept]
    # An odd beat joins the last pair: 5/8 has two pulses, the second one longer.
    stop = max(count - 1, 1) if group == 2 else count
    return [*(bar[i] for i in range(0, stop, group)), bar[-1]]
