"""Compares a score with its reconstruction: notes by onset, and frames in which they sound."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from appliance.grid import FRAME_RATE_HZ
from appliance.music.score import DRUM_GROUP, Note, Score

STRICT_ONSET_S = 0.025
ONSET_FRAMES = 1
"""Onsets match if they are at most this many score frames apart."""


@dataclass(frozen=True, slots=True)
class Match:
    """Counts of a comparison: true items, decoded items, and matched items (``both``)."""

    true: int = 0
    decoded: int = 0
    both: int = 0

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall; NaN if there are no items."""
        items = self.true + self.decoded
        return 2 * self.both / items if items else float("nan")

    def __add__(self, other: Match) -> Match:
        return Match(self.true + other.true, self.decoded + other.decoded, self.both + other.both)


@dataclass(frozen=True, slots=True)
class RollF1:
    """Comparison of two scores, as counts that :meth:`pooled` can add up.

    ``onset``: same group and pitch within one score frame; ``onset_25ms``: within 25 ms; ``sustain``:
    sounding cells (group, pitch, frame) without drums; ``onset_errors_ms``: decoded minus true onset of the
    notes matched by ``onset``.
    """

    onset: Match
    onset_25ms: Match
    sustain: Match
    onset_errors_ms: tuple[float, ...]

    @property
    def median_onset_error_ms(self) -> float:
        """Median absolute error of matched onsets; NaN without a match."""
        return float(np.median(np.abs(self.onset_errors_ms))) if self.onset_errors_ms else float("nan")

    @staticmethod
    def pooled(results: Iterable[RollF1]) -> RollF1:
        """Pool results so that every note and every frame weighs the same."""
        total = RollF1(Match(), Match(), Match(), ())
        errors: list[float] = []
        for r in results:
            errors += r.onset_errors_ms
            total = RollF1(
                total.onset + r.onset, total.onset_25ms + r.onset_25ms, total.sustain + r.sustain, ()
            )
        return RollF1(total.onset, total.onset_25ms, total.sustain, tuple(errors))


def roll_f1(true: Score, decoded: Score) -> RollF1:
    """F1 of onsets and of sustained frames of a decoded score.

    Onsets match one to one within a group and pitch. An onset belongs to the frame that contains it. A note
    sustains the frames of which it covers at least half, and at least one.
    """
    frame_true, frame_found = _onsets(true), _onsets(decoded)
    frames, strict = Match(), Match()
    errors: list[float] = []
    for key in frame_true.keys() | frame_found.keys():
        a, b = frame_true[key], frame_found[key]
        pairs = _matched([_frame(t) for t in a], [_frame(t) for t in b], ONSET_FRAMES)
        errors += [1000.0 * (b[j] - a[i]) for i, j in pairs]
        frames += Match(len(a), len(b), len(pairs))
        strict += Match(len(a), len(b), len(_matched(a, b, STRICT_ONSET_S + 1e-9)))
    return RollF1(frames, strict, _sustain(true, decoded), tuple(errors))


def roll_f1_by_group(true: Score, decoded: Score) -> dict[str, RollF1]:
    """:func:`roll_f1` of each group that plays in either score."""
    groups = dict.fromkeys((*true.groups(), *decoded.groups()))
    return {group: roll_f1(true.only(group), decoded.only(group)) for group in groups}


def _onsets(score: Score) -> defaultdict[tuple[str, int], list[float]]:
    onsets: defaultdict[tuple[str, int], list[float]] = defaultdict(list)
    for note in score.notes:
        onsets[note.group, note.pitch].append(note.start_s)
    for times in onsets.values():
        times.sort()
    return onsets


def _frame(time_s: float) -> int:
    return int(np.floor(time_s * FRAME_RATE_HZ + 1e-6))


def _matched(a: Sequence[float], b: Sequence[float], tolerance: float) -> list[tuple[int, int]]:
    """The most pairs of two sorted sequences within ``tolerance``, each item used once.

    Matching greedily from the start is optimal on a line: an item that is too early has no later partner.
    """
    pairs: list[tuple[int, int]] = []
    i = j = 0
    while i < len(a) and j < len(b):
        if abs(a[i] - b[j]) <= tolerance:
            pairs.append((i, j))
            i, j = i + 1, j + 1
        elif a[i] < b[j]:
            i += 1
        else:
            j += 1
    return pairs


def _sustain(true: Score, decoded: Score) -> Match:
    a, b = _cells(true), _cells(decoded)
    return Match(len(a), len(b), len(a & b))


def _cells(score: Score) -> set[tuple[str, int, int]]:
    return {(n.group, n.pitch, t) for n in score.notes if n.group != DRUM_GROUP for t in _frames(n)}


def _frames(note: Note) -> range:
    first = round(note.start_s * FRAME_RATE_HZ)
    return range(first, max(first + 1, round(note.end_s * FRAME_RATE_HZ)))
