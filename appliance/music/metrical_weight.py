"""How strong the places of a bar are, and how much a stroke works against them.

After H. C. Longuet-Higgins and C. S. Lee, "The rhythmic interpretation of monophonic music", *Music
Perception* 1(4), 1984: each place has a weight, 0 on the first beat and one less for each division. A stroke
is syncopated if, before the next one, a place stronger than its own passes in silence. The difference of
their weights is the strength of the syncopation.

Letters: M places or strokes.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from appliance.music.bar_lines import TICKS, BarLines

Ticks = NDArray[np.integer[Any]]

_WEAKEST = -5


def weights(ticks: Ticks, meter: int, compound: bool) -> NDArray[np.int64]:
    """Weight of places (M,), in ticks from the beginning of their bar.

    In 4/4 the third beat has −1, the other beats −2, the half beat −3; in other meters all beats have −1.

    >>> weights(np.array([0, 12, 24, 6, 3, 4]), 4, compound=False).tolist()
    [0, -2, -1, -3, -4, -4]
    """
    beat = -2 if meter in (4, 6) else -1
    place = np.asarray(ticks) % TICKS
    half, third = (beat - 2, beat - 1) if compound else (beat - 1, beat - 2)
    found = np.full(len(ticks), _WEAKEST, np.int64)
    found[place % 3 == 0] = beat - 2
    found[place % 4 == 0] = third
    found[place == TICKS // 2] = half
    found[place == 0] = beat
    in_bar = np.asarray(ticks) % (TICKS * meter)
    if meter in (4, 6):
        found[in_bar == TICKS * meter // 2] = -1
    found[in_bar == 0] = 0
    return found


def syncopation(strokes: NDArray[np.float64], lines: BarLines) -> NDArray[np.int64]:
    """Strength of the syncopation of each of M strokes (M,), ascending times in beats; mostly 0.

    The last stroke holds to the end of its beat. Silence counts for the length of a bar.

    >>> from appliance.music.score import BeatGrid
    >>> grid = BeatGrid(tuple(map(float, range(9))), downbeats=(0, 4), confidence=1.0)
    >>> syncopation(np.array([0.0, 1.5, 3.0, 4.0]), BarLines.of(grid, 8.0)).tolist()
    [0, 2, 0, 0]
    """
    if not len(strokes):
        return np.zeros(0, np.int64)
    at = np.rint(strokes * TICKS).astype(np.int64)
    until = np.append(at[1:], (at[-1] // TICKS + 1) * TICKS)

    def weight(places: Ticks) -> NDArray[np.int64]:
        beats = places / TICKS
        return weights(lines.ticks_in_bar(beats), lines.meter, lines.compound)

    own = weight(at)
    strongest = np.full(len(at), _WEAKEST, np.int64)
    for beats_on in range(1, lines.meter + 1):
        passed = (at // TICKS + beats_on) * TICKS
        strongest = np.where(passed < until, np.maximum(strongest, weight(passed)), strongest)
    half = at // TICKS * TICKS + TICKS // 2
    strongest = np.where((half > at) & (half < until), np.maximum(strongest, weight(half)), strongest)
    strength: NDArray[np.int64] = np.maximum(strongest - own, 0)
    return strength
