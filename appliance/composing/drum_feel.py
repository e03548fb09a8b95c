"""Gives drums the timing and touch of people, after they were placed on the grid.

The table holds how far drummers play from each step of a beat, how much that varies from bar to bar, and how
much the velocity of one stroke of a pattern varies. It was measured on the grooves of
``train/arrange/drummers.json``, which come from the Groove MIDI Dataset, (c) 2019 Google LLC, CC BY 4.0
(Gillick et al., *Learning to Groove with Inverse Sequence Transformations*, ICML 2019).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from appliance.music.score import DRUM_GROUP, BeatGrid, Note, Score

MACHINES = ("synth",)
"""Styles whose drums are a machine: they stay on the grid."""

STEPS = (4, 3)
"""Steps a beat: quarters and, for swing and 6/8, thirds."""

ON_STEP = 0.03
"""Distance from a step, in beats, within which a stroke counts as placed on the grid."""

LATEST_S = 0.025
"""No stroke moves further than this."""

TOUCH = 0.5
"""Share of the drummers' spread of velocities: a kit's velocities spread more than a score's."""


@dataclass(frozen=True, slots=True)
class Feel:
    """How one kind of stroke is played: ``late`` on average and its ``spread``, in hundredths of a beat, and
    the standard deviation of its ``velocity``."""

    late: float
    spread: float
    velocity: float


FEEL: Mapping[tuple[int, int, int], Feel] = {
    (4, 0, 36): Feel(0.2, 2.0, 6.9),
    (4, 1, 36): Feel(2.6, 2.3, 2.0),
    (4, 2, 36): Feel(-1.0, 1.9, 5.5),
    (4, 3, 36): Feel(2.8, 1.8, 4.1),
    (4, 0, 37): Feel(0.7, 1.9, 7.5),
    (4, 2, 37): Feel(-2.0, 2.1, 8.9),
    (4, 0, 38): Feel(0.4, 1.5, 4.7),
    (4, 1, 38): Feel(0.1, 2.2, 13.1),
    (4, 2, 38): Feel(0.6, 2.5, 10.2),
    (4, 3, 38): Feel(1.0, 2.3, 10.4),
    (4, 0, 42): Feel(-0.1, 1.8, 9.4),
    (4, 1, 42): Feel(1.5, 1.7, 9.9),
    (4, 2, 42): Feel(-0.2, 1.8, 9.9),
    (4, 3, 42): Feel(0.9, 1.4, 13.3),
    (4, 2, 46): Feel(-0.4, 1.8, 7.4),
    (4, 0, 51): Feel(0.7, 2.3, 6.7),
    (4, 2, 51): Feel(0.5, 2.1, 10.2),
    (3, 0, 42): Feel(-1.4, 3.5, 7.0),
    (3, 0, 51): Feel(1.9, 3.4, 9.6),
    (3, 2, 51): Feel(2.9, 2.7, 8.7),
}
"""By steps a beat, step and drum."""

USUAL = Feel(0.3, 2.0, 8.0)
"""For strokes that the recordings have too rarely."""


def with_feel(score: Score, grid: BeatGrid, style: str, seed: int) -> Score:
    """``score`` with drums of ``style`` a little off the beats of ``grid`` and uneven in loudness, as people
    play. The same arguments give the same strokes."""
    drums = score.only(DRUM_GROUP).notes
    if not drums or style in MACHINES or len(grid.beats_s) < 2:
        return score
    beats_s = np.asarray(grid.beats_s)
    places = np.interp([note.start_s for note in drums], beats_s, np.arange(len(beats_s)))
    by_beat: dict[int, list[tuple[Note, float]]] = {}
    for note, place in zip(drums, places.tolist(), strict=True):
        by_beat.setdefault(int(place + ON_STEP), []).append((note, place))
    moved: list[Note] = []
    for beat, strokes in by_beat.items():
        if beat + 1 >= len(beats_s):
            moved += [note for note, _ in strokes]
            continue
        beat_s = float(beats_s[beat + 1] - beats_s[beat])
        draws = np.random.default_rng([seed, beat]).standard_normal((len(strokes), 2)).tolist()
        for (note, place), (late, force) in zip(strokes, draws, strict=True):
            moved.append(_played(note, place - beat, beat_s, late, force))
    others = [note for note in score.notes if note.group != DRUM_GROUP]
    inside = [note for note in _apart(moved) if note.start_s < score.duration_s]
    return Score.of([*others, *inside], score.duration_s)


def _played(note: Note, part: float, beat_s: float, late: float, force: float) -> Note:
    """``note`` at ``part`` of a beat (0-1) as a person plays it; ``late``, ``force``: standard normal."""
    steps = min(STEPS, key=lambda n: (abs(part * n - round(part * n)) / n, -n))
    step = round(part * steps)
    if abs(part - step / steps) > ON_STEP:
        return note  # it was not placed on the grid
    feel = FEEL.get((steps, step % steps, note.pitch), USUAL)
    move_s = (feel.late + feel.spread * late) / 100 * beat_s
    move_s = min(max(move_s, -LATEST_S, -note.start_s), LATEST_S)
    velocity = min(max(round(note.velocity + TOUCH * feel.velocity * force), 1), 127)
    return replace(note, start_s=note.start_s + move_s, end_s=note.end_s + move_s, velocity=velocity)


def _apart(strokes: Sequence[Note]) -> list[Note]:
    """``strokes`` in order of time, each ending where the next of its drum begins."""
    kept: list[Note] = []
    last: dict[int, int] = {}
    for note in sorted(strokes):
        k = last.get(note.pitch)
        if k is not None and kept[k].end_s > note.start_s:
            kept[k] = replace(kept[k], end_s=note.start_s)
        last[note.pitch] = len(kept)
        kept.append(note)
    return kept
