"""The written chords of a song as charts: all of them, or every second one, for a player to fill in."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from appliance.music.chart_bars import FREE
from appliance.music.chord_chart import Chart, ChordSpan, merged
from appliance.music.chord_names import Chord as ChordName
from appliance.music.keys import Key, spell
from appliance.music.score import BeatGrid
from train.arrange import read_chords
from train.arrange.chord import Chord, written_quality
from train.corpus.song import Song

SHORTEST_S = 0.05
"""Shorter chords, cut by the ends of an excerpt, are left out."""


def written_chart(song: Song, start_s: float, end_s: float) -> Chart:
    """The chords of the written part between two times of ``song``; times are from ``start_s`` on."""
    spans = []
    for chord in read_chords(song):
        part = chord.within(start_s, end_s)
        if part is not None and part.end_s - part.start_s > SHORTEST_S:
            first_s, last_s = round(part.start_s - start_s, 3), round(part.end_s - start_s, 3)
            spans.append(ChordSpan(first_s, last_s, label_of(chord, song.key)))
    return merged(spans)


def label_of(chord: Chord, key: Key) -> str:
    """The chart's name of a chord, spelled in ``key``."""
    bass = "" if chord.bass == chord.root else spell(chord.bass, key)
    return ChordName(spell(chord.root, key), written_quality(chord.quality), bass).label


def written_beats(song: Song, start_s: float, end_s: float) -> BeatGrid:
    """The song's own beats between two times; times are from ``start_s`` on."""
    kept = [k for k, beat_s in enumerate(song.beats_s) if start_s <= beat_s < end_s]
    beats_s = tuple(song.beats_s[k] - start_s for k in kept)
    downbeats = tuple(k - kept[0] for k in song.downbeats if k in kept)
    return BeatGrid(beats_s, downbeats, 1.0, song.grid.meter)


def bar_labels(chart: Chart, bars_s: Sequence[float]) -> list[str]:
    """The chord that sounds longest in each of the bars between ``bars_s``; the first of equal ones."""
    labels = []
    for start_s, end_s in pairwise(bars_s):
        sounding: dict[str, float] = {}
        for span in chart:
            seconds = min(span.end_s, end_s) - max(span.start_s, start_s)
            sounding[span.label] = sounding.get(span.label, 0.0) + max(0.0, seconds)
        longest = max(sounding, key=lambda label: sounding[label], default="N")
        labels.append(longest if sounding.get(longest) else "N")
    return labels


def every_second(labels: Sequence[str]) -> list[str]:
    """The bars of a chart in which every second chord, from the second on, is a gap.

    A chord that goes on over several bars is one chord.

    >>> every_second(["C", "C", "F", "G7", "G7", "C"])
    ['C', 'C', '?', 'G7', 'G7', '?']
    """
    number, bars = -1, []
    for k, label in enumerate(labels):
        number += k == 0 or label != labels[k - 1]
        bars.append(FREE if number % 2 else label)
    return bars


def chart_in_bars(labels: Sequence[str]) -> str:
    """A chart of one chord a bar, as text."""
    return f"| {' | '.join(labels)} |\n"
