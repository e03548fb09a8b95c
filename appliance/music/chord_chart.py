"""Chord names, and chord charts as text.

A *chart* is a list of spans in order of time that do not overlap. Where no span lies, the harmony is free.
:mod:`appliance.composing.plan_chart` turns a chart into a plan.

Text charts have two forms, one with times and one with bars; ``#`` starts a comment::

    0.000 2.500 Am7            | Am | F G | C |     chords of a bar share it equally
    2.500 4.000 F/A            | %  | N   |         % repeats the bar, N is no chord
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

import numpy as np

from appliance.errors import UsageError
from appliance.music.keys import LETTERS
from appliance.music.score import BeatGrid

NO_CHORD = "N"

QUALITIES: dict[str, tuple[int, ...]] = {
    "": (0, 4, 7),
    "m": (0, 3, 7),
    "dim": (0, 3, 6),
    "aug": (0, 4, 8),
    "7": (0, 4, 7, 10),
    "maj7": (0, 4, 7, 11),
    "m7": (0, 3, 7, 10),
    "m7b5": (0, 3, 6, 10),
    "sus4": (0, 5, 7),
    "sus2": (0, 2, 7),
    "5": (0, 7),
    "6": (0, 4, 7, 9),
    "m6": (0, 3, 7, 9),
    "dim7": (0, 3, 6, 9),
    "mmaj7": (0, 3, 7, 11),
    "aug7": (0, 4, 8, 10),
    "7sus4": (0, 5, 7, 10),
    "add9": (0, 4, 7, 2),
    "madd9": (0, 3, 7, 2),
    "9": (0, 4, 7, 10, 2),
    "m9": (0, 3, 7, 10, 2),
    "maj9": (0, 4, 7, 11, 2),
    "7b9": (0, 4, 7, 10, 1),
    "13": (0, 4, 10, 2, 9),
}
"""Chord qualities by their shorthand: the tones as semitones above the root."""

_SPELLINGS = {
    "": ("maj", "M", "major"),
    "m": ("min", "-", "mi", "minor"),
    "dim": ("o", "°"),
    "aug": ("+", "#5"),
    "7": ("dom7", "dom"),
    "maj7": ("M7", "ma7", "j7", "Δ", "Δ7", "^", "^7", "major7"),
    "m7": ("min7", "-7", "mi7", "minor7"),
    "m7b5": ("ø", "ø7", "hdim7", "hdim", "min7b5", "-7b5", "m7-5"),
    "sus4": ("sus",),
    "6": ("maj6", "M6"),
    "m6": ("min6", "-6"),
    "dim7": ("o7", "°7"),
    "mmaj7": ("mM7", "minmaj7", "-maj7", "-M7", "m(maj7)", "mΔ"),
    "aug7": ("+7", "7#5", "7+"),
    "7sus4": ("7sus",),
    "add9": ("add2",),
    "m9": ("min9", "-9"),
    "maj9": ("M9",),
}
_QUALITY_OF = {name: q for q in QUALITIES for name in (q, *_SPELLINGS.get(q, ()))}
_LABEL = re.compile(r"([A-G][#b]?)([^/]*?)(?:/([A-G][#b]?))?")


@dataclass(frozen=True, slots=True)
class Chord:
    """A chord: the names of its root and bass (``"F#"``; no bass means the root), and its quality.

    ``quality`` is a name in :data:`QUALITIES`.
    """

    root: str
    quality: str = ""
    bass: str = ""

    @property
    def label(self) -> str:
        """The chord's shorthand: ``Am7``, ``Bb/D``."""
        return self.root + self.quality + (f"/{self.bass}" if self.bass else "")

    @property
    def pitch_classes(self) -> frozenset[int]:
        """All pitch classes of the chord and of its bass."""
        tones = {(_pitch_class(self.root) + step) % 12 for step in QUALITIES[self.quality]}
        return frozenset(tones | {self.bass_pitch_class})

    @property
    def bass_pitch_class(self) -> int:
        """Pitch class of the lowest note."""
        return _pitch_class(self.bass or self.root)


@dataclass(frozen=True, slots=True)
class ChordSpan:
    """A chord from ``start_s`` to ``end_s``; ``label`` is as :func:`canonical` writes it."""

    start_s: float
    end_s: float
    label: str


Chart = list[ChordSpan]


def parse_chord(text: str) -> Chord | None:
    """Read a chord's name in any common spelling; None for ``N``, ``N.C.``, ``NC`` and ``-``.

    Examples: ``Cm Cmin C- Cmaj7 CM7 CΔ C7 Cdim C° Cø C+ Csus4 D♭ C/E``. The root keeps its spelling.

    Raises:
        UsageError: ``text`` is not the name of a chord.

    >>> parse_chord("Bbmin7/D")
    Chord(root='Bb', quality='m7', bass='D')
    >>> sorted(parse_chord("F").pitch_classes)
    [0, 5, 9]
    """
    if text in (NO_CHORD, "NC", "N.C.", "-"):
        return None
    match = _LABEL.fullmatch(text.replace("♯", "#").replace("♭", "b"))
    if match is None or match.group(2).replace(":", "") not in _QUALITY_OF:
        raise UsageError(f"{text!r} is not a chord that Backline knows; write it like 'C', 'F#m7' or 'Bb/D'.")
    root, quality, bass = match.group(1), match.group(2).replace(":", ""), match.group(3) or ""
    return Chord(root, _QUALITY_OF[quality], "" if bass == root else bass)


def canonical(text: str) -> str:
    """The shorthand that Backline writes for a chord, or :data:`NO_CHORD`: ``C-`` becomes ``Cm``.

    Raises:
        UsageError: ``text`` is not the name of a chord.
    """
    chord = parse_chord(text)
    return chord.label if chord else NO_CHORD


def chart_text(chart: Chart) -> str:
    """Write the chart as text, one span per line; :func:`parse_chart` reads back the same chart."""
    return "".join(f"{_seconds(s.start_s)} {_seconds(s.end_s)} {s.label}\n" for s in chart)


def parse_chart(text: str, grid: BeatGrid, duration_s: float, name: str) -> Chart:
    """Read the chart in ``text`` for a song of ``duration_s`` seconds; errors call the file ``name``.

    In the form with bars, the first bar is the first bar of ``grid``, and equal neighbours are joined. In the
    form with times they stay separate.

    Raises:
        UsageError: the text is not a chart, or does not fit the song; names file and line.
    """
    chart: Chart = []
    bars: list[list[str]] = []
    for number, line in enumerate(text.splitlines(), start=1):
        line = re.sub(r"(?:^|(?<=[\s|]))#.*", "", line).strip()  # elsewhere '#' sharpens a note
        try:
            if "|" in line:
                for cell in filter(str.strip, line.split("|")):
                    bars.append(_bar(cell.split(), bars))
                _check_bars(bars, grid)
            elif line:
                chart.append(_timed_span(line, chart, duration_s))
            if bars and chart:
                raise UsageError("a chart has either times or bars, not both; keep one form.")
        except UsageError as error:
            raise UsageError(f"{name}, line {number}: {error}") from None
    if not bars and not chart:
        raise UsageError(f"{name}: the chart is empty; write lines like '0.000 2.500 Am7' or '| Am | F G |'.")
    return _spans_of_bars(bars, grid, duration_s) if bars else chart


def _timed_span(line: str, before: Chart, duration_s: float) -> ChordSpan:
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
    return ChordSpan(start_s, end_s, canonical(label))


def _bar(cells: list[str], before: list[list[str]]) -> list[str]:
    """The chords of one bar. A single ``%`` repeats the previous bar; other ``%`` or ``/`` repeat a chord."""
    if cells == ["%"]:
        if not before:
            raise UsageError("'%' repeats the previous bar, but this is the first bar.")
        return before[-1]
    labels: list[str] = []
    for cell in cells:
        if cell in ("%", "/"):
            if not labels:
                raise UsageError(f"{cell!r} repeats the previous chord, but it opens the bar.")
            labels.append(labels[-1])
        else:
            labels.append(canonical(cell))
    return labels


def _check_bars(bars: list[list[str]], grid: BeatGrid) -> None:
    if not grid.downbeats:
        raise UsageError("a chart in bars needs beats; give the tempo (bpm) or write times.")
    if len(bars) > len(grid.downbeats):
        raise UsageError(f"the chart has more bars than the recording, which has {len(grid.downbeats)}.")


def _spans_of_bars(bars: list[list[str]], grid: BeatGrid, duration_s: float) -> Chart:
    starts = [grid.beats_s[i] for i in grid.downbeats]
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


def _pitch_class(name: str) -> int:
    return (LETTERS[name[0]] + name.count("#") - name.count("b")) % 12
