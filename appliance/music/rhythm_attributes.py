"""Density and syncopation of a rhythm, as the dials mean them (:mod:`appliance.music.attributes`).

A rhythm knows registers and not groups: where a bass plays in the band, what is low counts as the bass's,
which the dials leave out.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from math import log2

import numpy as np

from appliance.music.attributes import Measured, UpperParts, measure_one, value
from appliance.music.bar_lines import TICKS, BarLines
from appliance.music.rhythm_plan import BarRhythm
from appliance.music.score import BeatGrid, Note

RHYTHM_DIALS = ("density", "syncopation")
"""The dials whose attributes a rhythm has by itself."""


def rhythm_attributes(
    bars: Sequence[BarRhythm], meter: int, *, compound: bool, bass: bool
) -> tuple[float, float]:
    """Density (log2 of the strokes a beat) and syncopation (mean strength a stroke) of ``bars`` in sequence.

    ``bass`` says whether a bass plays, too. Bars without any stroke count as if there were one in all.

    >>> offbeats = BarRhythm(((0, 24), (6, 18, 30, 42), ()))
    >>> rhythm_attributes([offbeats], 4, compound=False, bass=True)[0]
    0.0
    """
    beats = meter * len(bars)
    upper = [chain(*(bar.places[1:] if bass else bar.places)) for bar in bars]
    strokes = sorted({meter * k + place / TICKS for k, places in enumerate(upper) for place in places})
    if not strokes:
        return -log2(max(1, beats)), 0.0
    grid = BeatGrid(tuple(map(float, range(beats + 1))), tuple(range(0, beats, meter)), 1.0, meter, compound)
    song = Measured(BarLines.of(grid, float(beats)), [], np.zeros((0, 3)))
    parts = UpperParts.of(Note(beat, beat + 1 / TICKS, 60, 64, "keys") for beat in strokes)
    return (
        value("density", measure_one("density", parts, song)),
        value("syncopation", measure_one("syncopation", parts, song)),
    )
