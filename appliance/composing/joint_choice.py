"""Which seeds the takes of a job get: those among more candidates whose plans differ most.

A determinantal point process (Kulesza and Taskar, arXiv 1207.6083) prefers sets of candidates that are unlike
each other. Its likeliest set is found greedily (Chen, Zhang and Zhou, arXiv 1709.05135, section 3).
Candidates are compared by what they plan, harmony and rhythm, so only the takes that are kept are composed.

Letters: K candidates, P plan frames.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from appliance.composing.chosen_harmony import redraw
from appliance.composing.reading import Reading
from appliance.composing.take_plans import planned
from appliance.composing.wishes import Wishes
from appliance.networks.graphs import Graphs
from appliance.packs.pack import Pack

Array = NDArray[np.float64]

CANDIDATES = 16
"""Seeds among which takes are chosen, if there are fewer than half as many takes; else twice the takes. A
fixed number, so that the first two of three takes are also the takes of a job that asks for two."""

LEAST_GAIN = 1e-6
"""A candidate that adds less than this to the determinant is a repetition."""


def unlike_seeds(graphs: Graphs, pack: Pack, reading: Reading, wishes: Wishes) -> list[int]:
    """A seed for each take of ``wishes``, the asked one first, then those whose plans differ most.

    Where no candidate differs from those before, as with packs that plan nothing for a take, the next seed
    follows. The same arguments give the same seeds.
    """
    if wishes.takes == 1:
        return [wishes.seed]
    seeds = range(wishes.seed, wishes.seed + max(CANDIDATES, 2 * wishes.takes))
    plans = [planned(graphs, pack, redraw(graphs, reading, s, wishes.variety), wishes, s) for s in seeds]
    likeness = harmony_likeness([plan.plan for plan in plans]) * rhythm_likeness(plans)
    return [seeds[k] for k in unlike(likeness, wishes.takes)]


def unlike(likeness: Array, count: int) -> list[int]:
    """Indices of ``count`` candidates, the first one first, that greedily maximise the determinant of their
    ``likeness`` (K, K), which is positive semidefinite with a diagonal of 1; of equals the earlier one."""
    left = likeness.diagonal().copy()
    rows = np.zeros((count, len(left)))
    chosen: list[int] = []
    for step in range(count):
        gains = np.where(left > LEAST_GAIN, np.round(left, 9), 0.0)
        gains[chosen] = -1.0
        best = int(gains.argmax()) if step else 0
        chosen.append(best)
        if gains[best] > 0.0:
            rows[step] = (likeness[best] - rows[:step, best] @ rows[:step]) / np.sqrt(left[best])
            left = left - rows[step] ** 2
    return chosen


def harmony_likeness(plans: Sequence[NDArray[np.floating]]) -> Array:
    """How alike plans (24, P) are: the cosine of their pitch classes, averaged over plan frames, (K, K)."""
    chroma = np.stack([plan[:12].astype(np.float64) for plan in plans])
    unit = chroma / np.maximum(np.linalg.norm(chroma, axis=1, keepdims=True), 1e-9)
    flat = unit.reshape(len(plans), -1)
    alike: Array = flat @ flat.T
    return alike / np.maximum(np.sqrt(np.outer(alike.diagonal(), alike.diagonal())), 1e-9)


def rhythm_likeness(plans: Sequence[Reading]) -> Array:
    """The share of the strokes of two plans that both have (K, K); 1 where neither plans a rhythm.

    It is positive semidefinite (Tanimoto kernel: Ralaivola et al., Neural Networks 18, 2005).
    """
    sets = [_strokes(plan) for plan in plans]
    return np.array([[len(a & b) / len(a | b) if a | b else 1.0 for b in sets] for a in sets])


def _strokes(plan: Reading) -> frozenset[tuple[int, int]]:
    """(bar, place) of everything that begins."""
    return frozenset(
        (number, place)
        for number, bar in enumerate(plan.rhythm)
        if bar is not None
        for place in chain(*bar.places)
    )
