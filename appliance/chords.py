"""Chord charts: names, the text a musician writes, and the plan of the networks.

A *chart* is a list of spans in time order that do not overlap; time that no span covers is left open.
A *plan* is (24, P) at :data:`PLAN_RATE_HZ`: rows 0-11 are the activity 0-1 of each pitch class, rows
12-23 that of the bass. Text charts come in two forms (``#`` starts a comment)::

    0.000 2.500 Am7            | Am | F G | C |     chords of a bar share it equally
    2.500 4.000 F/A            | %  | N   |         % repeats the bar, N is no chord
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from appliance.errors import UsageError
from appliance.keys import LETTERS, estimate_key, spell
from appliance.score import FRAME_RATE_HZ, FRAMES_PER_PLAN, BeatGrid

PLAN_RATE_HZ = FRAME_RATE_HZ / FRAMES_PER_PLAN
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
"""Semitones above the root of every quality a chart may name, by its shorthand."""

ESTIMATED_QUALITIES = ("", "m", "dim", "aug", "7", "maj7", "m7", "m7b5", "sus4")
"""What :func:`chart_from_plan` listens for, besides no chord."""

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

# P(a pitch class sounds | its place in the chord): fifths are often left out, thirds and sevenths are
# what tells chords apart. A silent seventh costs more than it gains, so plain triads win ties.
_P_TONE, _P_FIFTH, _P_OTHER, _P_SILENT = 0.75, 0.6, 0.1, 0.03
_P_BASS, _P_OTHER_BASS = 0.75, 0.08
_QUALITY_PRIOR = {"": 0.0, "m": -0.05, "7": -0.3, "m7": -0.3, "maj7": -0.5}
_CHORD_CHANGE, _BASS_CHANGE = -3.0, -2.0
_INVERSION, _FOREIGN_BASS = -1.0, -3.0


@dataclass(frozen=True, slots=True)
class Chord:
    """A chord: names of root and bass (``"F#"``, bass ``""`` for the root), a key of :data:`QUALITIES`."""

    root: str
    quality: str = ""
    bass: str = ""

    @property
    def label(self) -> str:
        """Shorthand: ``Am7``, ``Bb/D``."""
        return self.root + self.quality + (f"/{self.bass}" if self.bass else "")

    @property
    def pitch_classes(self) -> frozenset[int]:
        """Every pitch class that sounds, a foreign bass included."""
        tones = {(_pitch_class(self.root) + step) % 12 for step in QUALITIES[self.quality]}
        return frozenset(tones | {self.bass_pitch_class})

    @property
    def bass_pitch_class(self) -> int:
        """Pitch class of the lowest note."""
        return _pitch_class(self.bass or self.root)


@dataclass(frozen=True, slots=True)
class ChordSpan:
    """One chord from ``start_s`` to ``end_s``; ``label`` is canonical shorthand or :data:`NO_CHORD`."""

    start_s: float
    end_s: float
    label: str


Chart = list[ChordSpan]


def parse_chord(text: str) -> Chord | None:
    """The chord that ``text`` names in any common spelling; None for ``N``, ``N.C.``, ``NC`` and ``-``.

    ``Cm Cmin C- Cmaj7 CM7 CΔ C7 Cdim C° Cø C+ Csus4 D♭ C/E``; the spelling of the root is kept. Raises
    :class:`UsageError` for anything else.
    """
    if text in (NO_CHORD, "NC", "N.C.", "-"):
        return None
    match = _LABEL.fullmatch(text.replace("♯", "#").replace("♭", "b"))
    if match is None or match.group(2).replace(":", "") not in _QUALITY_OF:
        raise UsageError(f"{text!r} is not a chord that Backline knows; write it like 'C', 'F#m7' or 'Bb/D'.")
    root, quality, bass = match.group(1), match.group(2).replace(":", ""), match.group(3) or ""
    return Chord(root, _QUALITY_OF[quality], "" if bass == root else bass)


def canonical(text: str) -> str:
    """The one shorthand that Backline writes for a chord: ``C-`` becomes ``Cm``."""
    chord = parse_chord(text)
    return chord.label if chord else NO_CHORD


def plan_from_chart(chart: Chart, n_plan_frames: int) -> NDArray[np.float32]:
    """The plan (24, P) of P = ``n_plan_frames`` frames in which exactly the chart's chords sound.

    A frame that a chord covers in part has that share of it. Uncovered time and ``N`` are zero.
    """
    plan = np.zeros((24, n_plan_frames), dtype=np.float64)
    edges = np.arange(n_plan_frames + 1) / PLAN_RATE_HZ
    for span in chart:
        chord = parse_chord(span.label)
        if chord is None:
            continue
        inside = np.clip(edges, span.start_s, span.end_s)
        share = np.diff(inside) * PLAN_RATE_HZ
        rows = [*sorted(chord.pitch_classes), 12 + chord.bass_pitch_class]
        plan[rows] += share
    return np.clip(plan, 0.0, 1.0).astype(np.float32)


def chart_from_plan(plan: NDArray[np.float32], grid: BeatGrid, duration_s: float) -> Chart:
    """The likeliest chords of ``plan`` (24, P), changing only on beats, from 0 to ``duration_s``.

    Viterbi over :data:`ESTIMATED_QUALITIES` on twelve roots, each over any bass, and no chord
    (Sheh and Ellis, ISMIR 2003): pitch classes sound independently given the chord, and changing the
    chord or its bass costs. Without beats the steps are 0.5 s. Roots are spelled in the plan's key.
    """
    if duration_s <= 0 or plan.shape[1] == 0:
        return []
    edges_s = _step_edges(grid, duration_s)
    steps = _step_means(np.asarray(plan, dtype=np.float64), edges_s)
    for rows in (slice(12), slice(12, 24)):
        # A network that is unsure is quiet all along, so loud is what the song calls loud; but a step
        # that has only the rest of the chord before it stays quiet.
        loudest = steps[rows].max(0)
        steps[rows] /= np.maximum(loudest, max(0.6 * float(np.quantile(loudest, 0.9)), 0.1))
    path = _viterbi(_emission(steps[:12], steps[12:]))
    key, _ = estimate_key(plan[:12].sum(1), plan[12:].sum(1))
    labels = []
    for state in path:
        chord, bass = divmod(int(state), 12)
        quality, root = divmod(chord, 12)
        if quality == len(ESTIMATED_QUALITIES):
            labels.append(NO_CHORD)
        else:
            slash = spell(bass, key) if bass != root else ""
            labels.append(Chord(spell(root, key), ESTIMATED_QUALITIES[quality], slash).label)
    return _merged([ChordSpan(a, b, c) for a, b, c in zip(edges_s[:-1], edges_s[1:], labels, strict=True)])


def chart_text(chart: Chart) -> str:
    """The chart as text, one span a line; :func:`parse_chart` reads back the very same chart."""
    return "".join(f"{_seconds(s.start_s)} {_seconds(s.end_s)} {s.label}\n" for s in chart)


def read_chart(path: Path, grid: BeatGrid, duration_s: float) -> Chart:
    """The chart in the text file ``path``. Raises :class:`UsageError` naming file and line."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: the chord chart cannot be read as UTF-8 text ({error}).") from error
    return parse_chart(text, grid, duration_s, str(path))


def parse_chart(text: str, grid: BeatGrid, duration_s: float, name: str) -> Chart:
    """The chart in ``text`` for a song of ``duration_s``; ``name`` is the file's name in errors.

    The first bar of the bar-wise form is the first bar of ``grid``. Equal neighbours stay separate in
    the timed form and are joined in the bar-wise form. Raises :class:`UsageError`.
    """
    chart: Chart = []
    bars: list[list[str]] = []
    for number, line in enumerate(text.splitlines(), start=1):
        line = re.sub(r"(?:^|(?<=[\s|]))#.*", "", line).strip()  # elsewhere '#' sharpens a note
        try:
            if "|" in line:
                bars += [_bar(cell.split(), bars) for cell in line.split("|") if cell.strip()]
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
        raise UsageError(f"the chord starts at {start_s:g} s, before the one above it ends.")
    if start_s >= duration_s:
        raise UsageError(f"the chord starts at {start_s:g} s, but the recording ends at {duration_s:.3f} s.")
    return ChordSpan(start_s, end_s, canonical(label))


def _bar(cells: list[str], before: list[list[str]]) -> list[str]:
    """Labels of one bar; ``%`` alone repeats the bar before, ``%`` or ``/`` among others the chord."""
    if cells == ["%"]:
        if not before:
            raise UsageError("'%' repeats the bar before, but this is the first bar.")
        return before[-1]
    labels: list[str] = []
    for cell in cells:
        if cell in ("%", "/"):
            if not labels:
                raise UsageError(f"{cell!r} repeats the chord before it, but it opens the bar.")
            labels.append(labels[-1])
        else:
            labels.append(canonical(cell))
    return labels


def _check_bars(bars: list[list[str]], grid: BeatGrid) -> None:
    if not grid.downbeats:
        raise UsageError("a chart in bars needs the beats, which are unknown; give --bpm or write times.")
    if len(bars) > len(grid.downbeats):
        raise UsageError(f"the chart has more bars than the recording, which has {len(grid.downbeats)}.")


def _spans_of_bars(bars: list[list[str]], grid: BeatGrid, duration_s: float) -> Chart:
    starts = [grid.beats_s[i] for i in grid.downbeats]
    last_beat = grid.downbeats[-1]
    gap_s = 60.0 / grid.bpm if grid.bpm else duration_s
    # The last bar may be cut short by the end of the recording; its chords keep their places.
    starts.append(grid.beats_s[last_beat] + gap_s * grid.meter)
    spans = []
    for labels, start_s, end_s in zip(bars, starts, starts[1:], strict=False):
        edges = np.linspace(start_s, end_s, len(labels) + 1).tolist()
        spans += [
            ChordSpan(round(max(a, 0.0), 3), round(min(b, duration_s), 3), label)
            for a, b, label in zip(edges, edges[1:], labels, strict=False)
        ]
    return _merged([s for s in spans if s.end_s > s.start_s])


def _merged(spans: Chart) -> Chart:
    """Neighbours with the same chord joined."""
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


def _step_edges(grid: BeatGrid, duration_s: float) -> list[float]:
    """Times, to a millisecond, between which the chord stays: 0, the beats, the end."""
    inner = np.asarray(grid.beats_s) if len(grid.beats_s) > 1 else np.arange(0.5, duration_s, 0.5)
    # A sliver before the first beat or after the last belongs to its neighbour.
    inner = inner[(inner > 0.1) & (inner < duration_s - 0.1)]
    return [0.0, *np.unique(np.round(inner, 3)).tolist(), round(duration_s, 3)]


def _step_means(plan: NDArray[np.float64], edges_s: list[float]) -> NDArray[np.float64]:
    """Mean of ``plan`` (24, P) over each step between edges: (24, steps)."""
    total = np.pad(np.cumsum(plan, axis=1), ((0, 0), (1, 0)))
    position = np.clip(np.asarray(edges_s) * PLAN_RATE_HZ, 0, plan.shape[1])
    whole = np.minimum(position.astype(int), plan.shape[1] - 1)
    at_edges = total[:, whole] + plan[:, whole] * (position - whole)
    means: NDArray[np.float64] = np.diff(at_edges, axis=1) / np.maximum(np.diff(position), 1e-9)
    return means


def _emission(chroma: NDArray[np.float64], bass: NDArray[np.float64]) -> NDArray[np.float32]:
    """Log likelihood of each step given each chord and bass: (steps, 109, 12); the last chord is N."""
    n = 12 * len(ESTIMATED_QUALITIES)
    sounds = np.full((n + 1, 12), _P_OTHER)
    prior = np.full((n + 1, 12), _FOREIGN_BASS)
    for q, quality in enumerate(ESTIMATED_QUALITIES):
        for root in range(12):
            tones = [(root + step) % 12 for step in QUALITIES[quality]]
            sounds[12 * q + root, tones] = _P_TONE
            if quality in ("", "m", "7", "maj7", "m7"):
                sounds[12 * q + root, (root + 7) % 12] = _P_FIFTH
            prior[12 * q + root, tones] = _INVERSION
            prior[12 * q + root, root] = 0.0
            prior[12 * q + root] += _QUALITY_PRIOR.get(quality, -0.8)
    sounds[n] = _P_SILENT
    bass_sounds = np.where(np.eye(12, dtype=bool), _P_BASS, _P_OTHER_BASS)

    def likelihood(activity: NDArray[np.float64], p: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(activity.T @ np.log(p).T + (1 - activity).T @ np.log(1 - p).T)

    by_chord, by_bass = likelihood(chroma, sounds), likelihood(bass, bass_sounds)
    joint: NDArray[np.float64] = by_chord[:, :, None] + by_bass[:, None, :] + prior
    silent_bass = likelihood(bass, np.full((1, 12), _P_SILENT))
    joint[:, n] = by_chord[:, n, None] + silent_bass
    return joint.astype(np.float32)


def _viterbi(emission: NDArray[np.float32]) -> NDArray[np.intp]:
    """Best path of states chord * 12 + bass through ``emission`` (steps, chords, 12): (steps,)."""
    steps, chords, _ = emission.shape
    own = np.arange(chords * 12)
    before = np.zeros((steps, chords * 12), dtype=np.int16)
    score = emission[0]
    for t in range(1, steps):
        over_best_bass = 12 * np.arange(chords) + score.argmax(1)
        by_chord = score.ravel()[over_best_bass]
        best = int(by_chord.argmax())
        sources = (own, np.repeat(over_best_bass, 12), np.full(own.shape, over_best_bass[best]))
        costs = (0.0, _BASS_CHANGE, _CHORD_CHANGE)
        options = np.stack([score.ravel()[s] + c for s, c in zip(sources, costs, strict=True)])
        choice = options.argmax(0)
        before[t] = np.stack(sources)[choice, own]
        score = options[choice, own].reshape(chords, 12) + emission[t]
    path = np.zeros(steps, dtype=np.intp)
    path[-1] = int(score.argmax())
    for t in range(steps - 1, 0, -1):
        path[t - 1] = before[t, path[t]]
    return path
