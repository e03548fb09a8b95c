"""Chord charts as text.

A *chart* is a list of spans in order of time that do not overlap. Where no span lies, the harmony is free.
:mod:`appliance.composing.plan_chart` turns a chart into a plan.

Text charts have two forms, one with times and one with bars; ``#`` starts a comment::

    0.000 2.500 Am7            | Am | F G | C |     chords of a bar share it equally
    2.500 4.000 F/A            | %  | N   |         % repeats the bar, N is no chord
    4.000 6.000 ?              | ?  | G ? |         ? is free: Backline chooses
                               |: Am | F :|         what stands between the colons is played twice

Chords have names (:mod:`appliance.music.chord_names`) or stand by their place in the key
(:mod:`appliance.music.scale_degrees`).
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from appliance.errors import UsageError
from appliance.music.chart_bars import FREE, Bars, Labels
from appliance.music.keys import Key
from appliance.music.scale_degrees import SongKey, counting_key, is_degree
from appliance.music.score import BeatGrid


@dataclass(frozen=True, slots=True)
class ChordSpan:
    """A chord from ``start_s`` to ``end_s``; ``label`` is as
    :func:`appliance.music.chord_names.canonical` writes it, or :data:`FREE`."""

    start_s: float
    end_s: float
    label: str


Chart = list[ChordSpan]


def fixed_chords(chart: Chart) -> Chart:
    """The spans of ``chart`` that are not free."""
    return [span for span in chart if span.label != FREE]


def chart_text(chart: Chart) -> str:
    """Write the chart as text, one span per line; :func:`parse_chart` reads back the same chart."""
    return "".join(f"{_seconds(s.start_s)} {_seconds(s.end_s)} {s.label}\n" for s in chart)


def parse_chart(
    text: str,
    grid: BeatGrid,
    duration_s: float,
    name: str,
    song: SongKey | None = None,
    first_bar: int = 1,
) -> Chart:
    """Read the chart in ``text`` for a song of ``duration_s`` seconds; errors call the file ``name``.

    In the form with bars, the first one is bar ``first_bar`` of ``grid``, and equal neighbours are joined. In
    the form with times they stay separate. Degrees count in the key of ``song``.

    Raises:
        UsageError: the text is not a chart, or does not fit the song; names file and line.
    """
    labels = Labels(song and replace(song, key=_counted_in(text, song)))
    chart: Chart = []
    bars = Bars(labels)
    for number, line in enumerate(text.splitlines(), start=1):
        line = _without_comment(line)
        try:
            if "|" in line:
                bars.add(line)
                _check_bars(first_bar - 1 + len(bars.played), grid)
            elif line:
                chart.append(_timed_span(line, chart, duration_s, labels))
            if bars.played and chart:
                raise UsageError("a chart has either times or bars, not both; keep one form.")
        except UsageError as error:
            raise UsageError(f"{name}, line {number}: {error}") from None
    if bars.opened is not None:
        raise UsageError(f"{name}: '|:' opens a repeat that no ':|' closes.")
    if not bars.played and not chart:
        raise UsageError(f"{name}: the chart is empty; write lines like '0.000 2.500 Am7' or '| Am | F G |'.")
    return _spans_of_bars(bars.played, grid, duration_s, first_bar) if bars.played else chart


def chart_remarks(text: str, song: SongKey | None = None) -> list[str]:
    """What whoever wrote the chart in ``text`` should know of how it was read, in sentences."""
    tokens = list(_tokens(text))
    remarks = []
    if any(re.match(r"H|.*/H", token) and not is_degree(token) for token in tokens):
        also = any(re.match(r"B(?!b)|.*/B(?!b)", token) for token in tokens)
        remarks.append(
            "H in the chart is read as B natural, and so is B: write Bb for the German B."
            if also
            else "H in the chart is read as the German B natural; B means the same, Bb is the German B."
        )
    if song is not None and any(is_degree(token) for token in tokens):
        key = _counted_in(text, song)
        how = "given" if song.given else "heard: give the key if it is another"
        remarks.append(f"The degrees in the chart are counted in {key.name} ({how}).")
    return remarks


def _counted_in(text: str, song: SongKey) -> Key:
    return counting_key(_tokens(text), song.key, song.given)


def _tokens(text: str) -> Iterator[str]:
    """Everything in a chart that may be a chord."""
    for line in text.splitlines():
        line = _without_comment(line)
        if "|" in line:
            yield from filter(None, (word.strip(":") for word in re.split(r"[\s|]+", line)))
        else:
            yield from line.split()[2:3]


def _without_comment(line: str) -> str:
    """``line`` up to its comment: ``#`` sharpens a note elsewhere, and a degree that more bars follow."""
    for match in re.finditer(r"(?:^|(?<=[\s|:]))#([^\s|:]*)", line):
        if not ("|" in line[match.end() :] and is_degree(f"#{match[1]}")):
            return line[: match.start()].strip()
    return line.strip()


def _timed_span(line: str, before: Chart, duration_s: float, labels: Labels) -> ChordSpan:
    fields = line.split()
    try:
        start_s, end_s = float(fields[0]), float(fields[1])
        label = fields[2]
    except (ValueError, IndexError):
        raise UsageError(f"{line!r} is not 'START END CHORD' (seconds) nor '| bars |'.") from None
    if len(fields) > 3 or not (math.isfinite(end_s) and 0 <= start_s < end_s):
        raise UsageError(f"{line!r} must be a start, a later end and one chord.")
    if before and start_s < before[-1].end_s:
        raise UsageError(f"the chord starts at {start_s:g} s, before the previous one ends.")
    if start_s >= duration_s:
        raise UsageError(f"the chord starts at {start_s:g} s, but the recording ends at {duration_s:.3f} s.")
    return ChordSpan(start_s, end_s, labels.of(label))


def _check_bars(last_bar: int, grid: BeatGrid) -> None:
    if not grid.downbeats:
        raise UsageError("a chart in bars needs beats; give the tempo (bpm) or write times.")
    if last_bar > len(grid.downbeats):
        raise UsageError(f"the chart has more bars than the recording, which has {len(grid.downbeats)}.")


def _spans_of_bars(bars: list[list[str]], grid: BeatGrid, duration_s: float, first_bar: int) -> Chart:
    starts = [grid.beats_s[i] for i in grid.downbeats[first_bar - 1 :]]
    last_beat = grid.downbeats[-1]
    gap_s = 60.0 / grid.bpm if grid.bpm else duration_s
    # The recording may end before the last bar does; its chords keep their places.
    starts.append(grid.beats_s[last_beat] + gap_s * grid.meter)
    spans = []
    for labels, start_s, end_s in zip(bars, starts, starts[1:], strict=False):
        edges = np.linspace(start_s, end_s, len(labels) + 1).tolist()
        spans += [
            ChordSpan(round(max(a, 0.0), 3), round(min(b, duration_s), 3), label)
            for a, b, label in zip(edges, edges[1:], labels, strict=False)
        ]
    return merged([s for s in spans if s.end_s > s.start_s])


def merged(spans: Chart) -> Chart:
    """Join neighbouring spans of the same chord."""
    merged: Chart = []
    for span in spans:
        if merged and merged[-1].label == span.label and merged[-1].end_s == span.start_s:
            merged[-1] = ChordSpan(merged[-1].start_s, span.end_s, span.label)
        else:
            merged.append(span)
    return merged


def _seconds(value: float) -> str:
    short = f"{value:.3f}"
    return short if float(short) == value else repr(float(value))
