"""What a redo changes in one take: which parts, which span of time, which chords, with which seed.

Bars are counted as in charts: bar 1 begins with the first downbeat of the beat grid. What comes before it, a
pickup, is bar 0. The last bar reaches to the end of the recording.
"""

from __future__ import annotations

from dataclasses import dataclass

from appliance.audio.joining import SampleSpan
from appliance.errors import UsageError
from appliance.grid import SAMPLE_RATE_HZ
from appliance.music.chord_chart import Chart, parse_chart
from appliance.music.scale_degrees import SongKey
from appliance.music.score import STYLE_GROUPS, BeatGrid
from appliance.music.splicing import TimeSpan, spliced_chart
from appliance.rendering.redo.parent import Parent
from appliance.rendering.redo.request import GivenChords, RedoRequest

_LEAST_PICKUP_S = 0.05


@dataclass(frozen=True, slots=True)
class Change:
    """What is redone. ``span`` is None if all of the song is; ``chart`` is None if no chords are given.

    ``groups`` are those of the style that are composed anew, ``seed`` the seed that does it.
    """

    groups: tuple[str, ...]
    span: TimeSpan | None
    chart: Chart | None
    seed: int

    def sample_span(self, total: int) -> SampleSpan | None:
        """The span in samples of a song of ``total`` samples."""
        if self.span is None:
            return None
        first, stop = (round(t * SAMPLE_RATE_HZ) for t in (self.span.start_s, self.span.end_s))
        return SampleSpan(min(first, total), min(stop, total), total)


def change_of(request: RedoRequest, parent: Parent) -> Change:
    """What ``request`` means for the take of ``parent``.

    Raises:
        UsageError: it has no such bar or part, or the chords cannot be read.
    """
    groups = STYLE_GROUPS.get(parent.wishes.style, ())
    for part in request.parts:
        if part not in groups:
            raise UsageError(
                f"There is no part '{part}' in the style '{parent.wishes.style}'; it has {', '.join(groups)}."
            )
    bars = _Bars(parent.grid, parent.duration_s)
    chart, span = None, None if request.bars is None else bars.span(*request.bars)
    for given in request.chords:
        given_span, chords = _read(given, parent, bars)
        if request.bars is not None and span is not None and not _inside(given_span, span):
            raise UsageError(
                f"--chords {given.first_bar}: they reach beyond --bars {request.bars[0]}-{request.bars[1]}."
            )
        if request.bars is None:
            span = given_span if span is None else _both(span, given_span)
        chart = spliced_chart(parent.chart if chart is None else chart, chords, given_span)
    seed = request.seed
    if seed is None:
        only_chords = bool(request.chords) and request.bars is None and not request.parts
        seed = parent.wishes.seed + (0 if only_chords else 1)
    parts = tuple(group for group in groups if not request.parts or group in request.parts)
    return Change(parts, span, chart, seed)


def _read(given: GivenChords, parent: Parent, bars: _Bars) -> tuple[TimeSpan, Chart]:
    """The bars of ``given``, and their chords."""
    bars.check(given.first_bar)
    name = f"--chords {given.first_bar}"
    song = SongKey(parent.key, given=True)
    chords = parse_chart(given.text, parent.grid, parent.duration_s, name, song, given.first_bar)
    last = given.first_bar
    while last < bars.last and bars.start_s(last + 1) < chords[-1].end_s - _LEAST_PICKUP_S:
        last += 1
    return bars.span(given.first_bar, last), chords


def _inside(inner: TimeSpan, outer: TimeSpan) -> bool:
    return inner.start_s >= outer.start_s and inner.end_s <= outer.end_s


def _both(a: TimeSpan, b: TimeSpan) -> TimeSpan:
    return TimeSpan(min(a.start_s, b.start_s), max(a.end_s, b.end_s))


@dataclass(frozen=True, slots=True)
class _Bars:
    """The bars of a song of ``duration_s`` seconds."""

    grid: BeatGrid
    duration_s: float

    @property
    def first(self) -> int:
        """1, or 0 if there is something before the first downbeat."""
        return 0 if self.start_s(1) > _LEAST_PICKUP_S else 1

    @property
    def last(self) -> int:
        return sum(self.grid.beats_s[beat] < self.duration_s for beat in self.grid.downbeats)

    def start_s(self, bar: int) -> float:
        return 0.0 if bar == 0 else self.grid.beats_s[self.grid.downbeats[bar - 1]]

    def check(self, bar: int) -> None:
        """Raise UsageError if there is no such bar."""
        if not self.grid.downbeats:
            raise UsageError("The bars of this take are unknown; render it again with numbered beats.")
        if not self.first <= bar <= self.last:
            pickup = "" if self.first else ", and 0, the pickup before them"
            raise UsageError(f"There is no bar {bar}; this take has the bars 1 to {self.last}{pickup}.")

    def span(self, first: int, last: int) -> TimeSpan:
        self.check(first)
        self.check(last)
        end_s = self.start_s(last + 1) if last < self.last else self.duration_s
        return TimeSpan(0.0 if first == self.first == 1 else self.start_s(first), end_s)
