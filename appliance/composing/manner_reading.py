"""Reads the manner of a reference from its notes: what the dials measure, a groove, and who plays.

Letters: V sung notes.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from appliance.composing.band_beats import plan_of
from appliance.composing.manner import GROOVE_BARS, MOST_BEATS, Groove, GroupName, Manner
from appliance.composing.plan_chart import chart_from_plan
from appliance.errors import UsageError
from appliance.music.attributes import Measured, UpperParts, measure, value
from appliance.music.bar_lines import BarLines
from appliance.music.beat_grid import trusted
from appliance.music.dials import DIALS
from appliance.music.keys import estimate_key, signature_shift
from appliance.music.rhythm_plan import in_meter, rhythm_of, rhythm_text, typical_bars
from appliance.music.score import DRUM_GROUP, BeatGrid, Note, Score

FEWEST_NOTES = 16
"""From fewer notes of the upper parts nothing can be said."""

GROUP_SHARE = 0.02
"""A group plays if it has at least this share of the notes: a single stroke of a guitar is no guitarist."""


def manner_of(
    notes: Sequence[Note], sung: NDArray[np.float64], grid: BeatGrid, duration_s: float, name: str
) -> Manner:
    """The manner of a band that plays ``notes`` to ``sung`` (V, 3: start_s, end_s, MIDI pitch).

    What is not shown, as doubling where nobody sings, is left out. ``name`` is the reference's in errors.

    Raises:
        UsageError: there are too few notes.
    """
    pitched = [note for note in notes if note.group != DRUM_GROUP]
    if sum(note.group != "bass" for note in pitched) < FEWEST_NOTES:
        raise UsageError(f"{name}: too few notes to say how they are played; give at least {FEWEST_NOTES}.")
    plan = plan_of(pitched, duration_s)
    lines = BarLines.of(grid, duration_s)
    sums = measure(sorted(pitched), Measured(lines, chart_from_plan(plan, grid, duration_s), sung))
    found = {dial: value(dial, sums[dial]) for dial in DIALS}
    shares = plan.mean(axis=1)
    shift = signature_shift(estimate_key(shares[:12], shares[12:])[0])
    score = Score.of(pitched, duration_s).transposed(shift)
    return Manner(
        like={dial: round(attribute, 4) for dial, attribute in found.items() if math.isfinite(attribute)},
        like_groove=_groove(score, grid, lines) if trusted(grid) else None,
        like_groups=groups_of(notes),
    )


def played_by_its_groups(notes: Sequence[Note]) -> list[Note]:
    """``notes`` of a transcription without those of groups that hardly play: they are mistakes."""
    playing = groups_of(notes)
    return [note for note in notes if note.group in playing]


def strokes_a_second(notes: Sequence[Note]) -> float:
    """Strokes of the upper parts a second, from the first of them to the end of the last."""
    parts = UpperParts.of(notes)
    span_s = float(parts.end_s.max() - parts.start_s[0]) if len(parts.start_s) else 0.0
    return len(parts.strokes_s) / span_s if span_s > 0 else 0.0


def _groove(score: Score, grid: BeatGrid, lines: BarLines) -> Groove | None:
    """The most typical phrase of ``score``, in the key without accidentals; None without a full bar."""
    phrase = typical_bars(in_meter(rhythm_of(score, lines), lines), GROOVE_BARS)
    if not phrase or grid.meter > MOST_BEATS:
        return None
    return Groove(
        meter=grid.meter,
        compound=grid.compound,
        bpm=round(grid.bpm, 1),
        bars=len(phrase),
        rhythm=rhythm_text(phrase),
    )


def groups_of(notes: Sequence[Note]) -> list[GroupName]:
    """The groups that play in ``notes``."""
    counts: Counter[GroupName] = Counter(note.group for note in notes)  # type: ignore[misc]
    return [group for group in _ORDER if counts[group] > max(1.0, GROUP_SHARE * len(notes))]


_ORDER: tuple[GroupName, ...] = ("keys", "pluck", "pad", "bass", "drums")
