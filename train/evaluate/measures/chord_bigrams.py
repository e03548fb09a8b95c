"""How coherent a chord sequence is: the likelihood of its changes under those of other songs.

A song's chords are transposed to C major or A minor by its key signature. A *change* is a step from one chord
(root, quality and bass) to another one. With n(a, b) changes from a to b and n(a) from a in the training
songs, S = 1,296 chords, and u(b) = (n(b) + 1/2) / (N + S/2), where n(b) of all N changes lead to b::

    P(b | a) = (n(a, b) + K · u(b) / (1 - u(a))) / (n(a) + K),    b other than a

It is a bigram model smoothed towards the unigram one by a Dirichlet prior (MacKay and Peto, "A hierarchical
Dirichlet language model", Natural Language Engineering 1(3), 1995). The probabilities from each chord add up
to 1. A song's log-likelihood is the mean of log P over its changes, in nats.

Letters: S = 1,296 chords (quality by quality, 12 roots each, 12 basses each).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby, pairwise

import numpy as np
from numpy.typing import NDArray

from appliance.music.keys import Key, signature_shift
from train.arrange.chord import QUALITIES

PRIOR = 10.0
"""K: how many changes the unigram model is worth."""

SHUFFLES = 20
"""Number of random orders of a song's chords that are averaged."""

CHORDS = 144 * len(QUALITIES)

Floats = NDArray[np.float64]
ChordName = tuple[int, str, int]
"""Root (0 = C), one of the arrangers' qualities, and bass."""


def sequence_of(chords: Iterable[ChordName], key: Key) -> list[int]:
    """The chords of a song as numbers below S, in C major or A minor; repetitions count once.

    >>> sequence_of([(2, "maj", 2), (2, "maj", 2), (2, "maj", 6)], Key.parse("D"))
    [0, 4]
    """
    shift, qualities = signature_shift(key), tuple(QUALITIES)
    numbers = (
        144 * qualities.index(quality) + 12 * ((root + shift) % 12) + (bass + shift) % 12
        for root, quality, bass in chords
    )
    return [number for number, _ in groupby(numbers)]


class ChordBigrams:
    """The model; ``log_probability`` (S, S) holds log P(b | a) in row a, and -inf on its diagonal."""

    def __init__(self, sequences: Iterable[Sequence[int]]) -> None:
        counts = np.zeros((CHORDS, CHORDS))
        for sequence in sequences:
            for a, b in pairwise(sequence):
                counts[a, b] += a != b
        self.changes = int(counts.sum())
        """How many changes were counted."""
        unigram = (counts.sum(axis=0) + 0.5) / (self.changes + 0.5 * CHORDS)
        prior = PRIOR * unigram[None, :] / (1.0 - unigram[:, None])
        np.fill_diagonal(prior, 0.0)
        with np.errstate(divide="ignore"):
            self.log_probability: Floats = np.log(
                (counts + prior) / (counts.sum(axis=1, keepdims=True) + PRIOR)
            )

    def per_change(self, sequence: Sequence[int]) -> float:
        """Mean log-likelihood of the changes of ``sequence`` in nats; NaN without a change."""
        found = [self.log_probability[a, b] for a, b in pairwise(sequence) if a != b]
        return float(np.mean(found)) if found else float("nan")

    def shuffled(self, sequence: Sequence[int], seed: int) -> float:
        """The mean of :meth:`per_change` over random orders of the chords of ``sequence``."""
        rng = np.random.default_rng(seed)
        orders = [[number for number, _ in groupby(rng.permutation(sequence))] for _ in range(SHUFFLES)]
        values = np.array([self.per_change(order) for order in orders])
        return float(np.nanmean(values)) if np.isfinite(values).any() else float("nan")
