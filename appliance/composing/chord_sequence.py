"""The best sequence of chords under the chord network's scores, or one drawn near it.

The scores are those of a conditional random field: :mod:`train.networks.chords` says what they mean. Given
chords stay; the others answer them.

Letters: S slots, C = 12·Q + 1 chord states, Q qualities (:mod:`appliance.networks.chord_rows`).
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from appliance.networks.chord_rows import NO_CHORD_STATE, ChordScores, GivenChords
from appliance.numerics.viterbi import Arrival, best_path

Array = NDArray[np.float32]

_IMPOSSIBLE = -1e4


def best_sequence(scores: ChordScores, given: GivenChords, noise: Array | float = 0.0) -> NDArray[np.intp]:
    """The chord states (S,) with the highest score; ``noise`` (C, S) is added to the chords' scores.

    With random noise this draws a sequence instead (perturb and MAP: Papandreou and Yuille, ICCV 2011).
    """
    gains = (scores.chords + noise).T.astype(np.float32)
    for slot in np.flatnonzero(given.state >= 0):
        kept = gains[slot, given.state[slot]]
        gains[slot] = _IMPOSSIBLE
        gains[slot, given.state[slot]] = kept
    own = np.arange(gains.shape[1])

    def arrive(before: NDArray[np.floating], slot: int) -> Arrival:
        options = before[:, None] + scores.table
        options[own, own] = _IMPOSSIBLE  # staying is no step
        sources = options.argmax(axis=0)
        moved = options[sources, own] + scores.change[slot]
        stays = before >= moved
        return np.where(stays, before, moved), np.where(stays, own, sources)

    return best_path(gains, arrive)


def basses_of(scores: ChordScores, states: NDArray[np.intp], given: GivenChords) -> NDArray[np.intp]:
    """The bass (S,) of a sequence: one for each chord, its likeliest; -1 where there is no chord."""
    basses = np.full(len(states), -1, np.intp)
    edges = np.flatnonzero(np.diff(states, prepend=-1, append=-1))
    for first, stop in pairwise(edges):
        state = int(states[first])
        if state == NO_CHORD_STATE:
            continue
        root = state % 12
        interval = int(scores.bass[:, root, first:stop].sum(axis=1).argmax())
        fixed = given.bass[first:stop]
        basses[first:stop] = np.where(fixed >= 0, fixed, (root + interval) % 12)
    return basses
