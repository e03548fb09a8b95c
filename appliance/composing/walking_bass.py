"""Makes the bass of jazz walk: fills in beats without a note, and puts chord tones on the strong beats.

Notes of the denoiser that keep to the rules stay; :mod:`appliance.music.walking_line` chooses the others so
that the line flows through them.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from statistics import median

from appliance.music.bar_lines import BarBeats, grid_bars
from appliance.music.chart_keeping import PASSING_S
from appliance.music.chord_chart import Chart
from appliance.music.chord_names import Chord, parse_chord
from appliance.music.keys import Key
from appliance.music.score import BeatGrid, Note, Score
from appliance.music.walking_line import LineBeat, is_strong, walking_line

NEAR = 0.25
"""Distance from a beat, in beats, within which a note counts as played on it."""

FRESH_S = 0.08
"""A chord that begins this near a beat begins on it."""

QUICKEST_S = 0.25
"""Shorter beats (above 240 a minute) are not walked."""

GAP_S = 0.02
"""Rest between two notes of the line."""

Placed = tuple[float, float, LineBeat, Note | None]
"""Start and end of a beat in seconds, what is known of it, and the note that is played on it."""


def walk_bass(score: Score, grid: BeatGrid, chart: Chart, key: Key, *, obey: bool) -> Score:
    """``score`` with a walking bass in every bar of ``grid`` in which its bass plays.

    With ``obey`` each chord of ``chart`` begins with its bass, and only beats too short to be heard as
    harmony have other notes than the chord's. Otherwise the denoiser may begin a chord with another of its
    tones, and weak beats may pass between chords. Bars without any bass note stay silent. Notes of the bass
    between the beats stay if the chord has them.
    """
    basses = list(score.only("bass").notes)
    beats = [beat for bar in grid_bars(grid) for beat in _beats(bar, basses, chart, obey)]
    if not beats or median(b - a for a, b, _, _ in beats) < QUICKEST_S:
        return score
    usual = round(median(note.velocity for note in basses))
    line: list[Note] = []
    for (start_s, end_s, beat, own), pitch in zip(
        beats, walking_line([beat for _, _, beat, _ in beats], key), strict=True
    ):
        stop_s = min(end_s, score.duration_s) - GAP_S
        if own is not None:
            line.append(replace(own, pitch=pitch, end_s=max(stop_s, own.start_s + GAP_S)))
        elif stop_s > start_s + GAP_S:
            line.append(Note(start_s, stop_s, pitch, usual + (4 if beat.first else 0), "bass"))
    line += _between(basses, beats)
    others = [note for note in score.notes if note.group != "bass"]
    return Score.of([*others, *_monophonic(line), *_outside(basses, beats)], score.duration_s)


def _beats(bar: BarBeats, basses: Sequence[Note], chart: Chart, obey: bool) -> list[Placed]:
    starts_s = [note.start_s for note in basses]
    count = len(bar) - 1
    reach_s = NEAR * (bar[-1] - bar[0]) / count
    if bisect_left(starts_s, bar[0] - reach_s) == bisect_left(starts_s, bar[-1] - reach_s):
        return []
    found: list[Placed] = []
    for k, (start_s, end_s) in enumerate(pairwise(bar)):
        first = bisect_left(starts_s, start_s - reach_s)
        near = basses[first : bisect_left(starts_s, start_s + reach_s)]
        own = min(near, key=lambda n: abs(n.start_s - start_s), default=None)
        chord, begun_s = _chord_at(chart, start_s + FRESH_S)
        beat = LineBeat(
            tones=chord.pitch_classes if chord else frozenset(),
            bass=chord.bass_pitch_class if chord else 0,
            strong=is_strong(k, count),
            fresh=chord is not None and begun_s > start_s - FRESH_S,
            first=k == 0,
            hint=own.pitch if own else None,
            bass_first=obey,
            passing=not obey or end_s - start_s <= PASSING_S,
        )
        if chord is not None or own is not None:
            found.append((start_s, end_s, beat, own))
    return found


def _chord_at(chart: Chart, time_s: float) -> tuple[Chord | None, float]:
    """The chord that sounds at a time, and when it began."""
    k = bisect_left(chart, time_s, key=lambda span: span.start_s) - 1
    if k < 0 or time_s >= chart[k].end_s:
        return None, 0.0
    return parse_chord(chart[k].label), chart[k].start_s


def _between(basses: Sequence[Note], beats: Sequence[Placed]) -> list[Note]:
    """The notes between the beats that belong to their chord."""
    starts_s = [start_s for start_s, _, _, _ in beats]
    used = {id(own) for _, _, _, own in beats}
    kept = []
    for note in basses:
        k = bisect_left(starts_s, note.start_s) - 1
        if id(note) in used or k < 0 or note.start_s >= beats[k][1]:
            continue
        start_s, end_s, beat, _ = beats[k]
        inside = NEAR <= (note.start_s - start_s) / (end_s - start_s) <= 1.0 - NEAR
        if inside and note.pitch % 12 in beat.tones:
            kept.append(note)
    return kept


def _outside(basses: Sequence[Note], beats: Sequence[Placed]) -> list[Note]:
    """The notes before the first and after the last beat."""
    first_s, last_s = beats[0][0], beats[-1][1]
    used = {id(own) for _, _, _, own in beats}
    return [n for n in basses if id(n) not in used and not first_s <= n.start_s < last_s]


def _monophonic(line: Sequence[Note]) -> list[Note]:
    """One note at a time: each ends before the next begins."""
    kept: list[Note] = []
    for note in sorted(line):
        if kept and kept[-1].end_s > note.start_s - GAP_S:
            kept[-1] = replace(kept[-1], end_s=max(note.start_s - GAP_S, kept[-1].start_s + GAP_S))
        kept.append(note)
    return kept
