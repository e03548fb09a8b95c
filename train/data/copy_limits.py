"""How near unrelated songs are to each other: the limits of the copy gate.

Held-out songs with a written accompaniment are compared with the originals. No held-out song shares its work
with one of them, because the corpus is split by work, so all that they share is chance and common property.

Letters: S songs, L lengths of passages.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from appliance.novelty.comparison import Comparison
from appliance.novelty.onsets import Onsets
from appliance.packs.originals import LENGTHS, Limits, Originals

FALSE_ALARMS = 0.005
"""Share of unrelated songs that the gate takes for copies."""

TELLING = (LENGTHS.index(4), len(LENGTHS) + LENGTHS.index(2))
"""Columns of the comparisons that tell copies from chance best."""

MARGIN = 1.25

FEWEST_BITS = 30.0
"""A limit is no lower: among 2^30 pairs of passages, one agrees by chance in so many bits."""

NO_LIMITS = Limits(songs=1, harmony=(FEWEST_BITS,) * 4, exact=(FEWEST_BITS,) * 4)
"""For originals whose limits are still to be measured."""

Bits = NDArray[np.float64]


def shared_bits(originals: Originals, songs: Iterable[Onsets]) -> Bits:
    """The most bits that each song shares with an original, (S, 2 L): harmony, then exact evidence."""
    compared = Comparison(originals)
    return np.array([np.concatenate(compared.most_bits(song)) for song in songs]).reshape(
        -1, 2 * len(LENGTHS)
    )


def limits_of(bits: Bits, false_alarms: float = FALSE_ALARMS) -> Limits:
    """The limits at which no more than a share of ``false_alarms`` of the songs with ``bits`` (S, 2 L) exceed
    one of them.

    Two comparisons tell copies from chance best: harmony in four bars, and exact passages in two. Their
    limits are that quantile each, raised by one factor until they keep the share together. The others are for
    what no song does: they lie by :data:`MARGIN` above the most that any song shares.
    """
    allowed = int(false_alarms * len(bits))
    alone = np.maximum(np.sort(bits[:, TELLING], axis=0)[::-1][allowed], FEWEST_BITS)
    together = np.sort((bits[:, TELLING] / alone).max(axis=1))[::-1][allowed]
    limits = np.maximum(MARGIN * bits.max(axis=0), FEWEST_BITS)
    limits[list(TELLING)] = alone * max(together, 1.0)
    found = (np.ceil(limits * 100.0) / 100.0).tolist()
    lengths = len(LENGTHS)
    return Limits(songs=len(bits), harmony=tuple(found[:lengths]), exact=tuple(found[lengths:]))


def nearness(bits: Bits, limits: Limits) -> Bits:
    """Shared bits (S, 2 L) as shares of the limits, the largest of each song, (S,)."""
    shares: Bits = (bits / np.array([*limits.harmony, *limits.exact])).max(axis=1)
    return shares
