"""How alike the takes of one vocal are: 1 for the same music, and little for music that differs.

A note is anything with ``start_s``, ``end_s`` and ``pitch``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import combinations
from typing import TypeVar

import mir_eval
import numpy as np
from numpy.typing import NDArray

from train.corpus.timeline import Sounding
from train.evaluate.measures.metrics import harmony

ONSET_TOLERANCE_S = 0.05
"""Two onsets that are no further apart count as one, as in MIREX onset detection."""

Take = TypeVar("Take")


def among(takes: Sequence[Take], alike: Callable[[Take, Take], float]) -> float:
    """The mean of ``alike`` over all pairs of two or more ``takes``."""
    return float(np.mean([alike(one, other) for one, other in combinations(takes, 2)]))


def harmony_alike(one: Sequence[Sounding], other: Sequence[Sounding], duration_s: float) -> float:
    """Cosine similarity of what sounds in each half second (:func:`train.evaluate.measures.metrics.harmony`).

    0 if one of them is silent.
    """
    return harmony(one, other, duration_s) if one and other else 0.0


def onsets_alike(one: Sequence[Sounding], other: Sequence[Sounding]) -> float:
    """F-measure of the moments at which notes begin, whatever their pitch (``mir_eval.onset``)."""
    return float(mir_eval.onset.f_measure(_moments(one), _moments(other), ONSET_TOLERANCE_S)[0])


def _moments(notes: Sequence[Sounding]) -> NDArray[np.float64]:
    """Times at which something begins; onsets of one chord within the tolerance are one moment."""
    moments: list[float] = []
    for start_s in sorted(note.start_s for note in notes):
        if not moments or start_s - moments[-1] > ONSET_TOLERANCE_S:
            moments.append(start_s)
    return np.array(moments)
