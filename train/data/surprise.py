"""How surprising each onset of the originals is: bits of a small model of what follows what.

Chords follow a trigram model in any key, smoothed towards bigrams and single chords (Jelinek and Mercer,
Pattern Recognition in Practice, 1980). Paces follow the pace before. Spacings follow the chord. Every count
is of songs, not of occurrences, and leaves out the song itself: what one song repeats does not become common,
and what it alone does is as surprising as to a stranger.

Letters: N onsets of all songs.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from appliance.novelty.onsets import PACES, TRANSPOSED, Ints, turned

PRIOR = 4.0
"""Weight of the shorter context, in songs."""

MOST_CHORD_BITS, MOST_SPACING_BITS = 12.0, 9.0
"""A single onset does not prove more."""

FARTHEST_LEAP = 36

Floats = NDArray[np.float64]


class SongCounts:
    """In how many songs something occurs, and in how many pairs of song and thing its context does."""

    def __init__(self, contexts: Ints, things: Ints, songs: Ints) -> None:
        seen = np.unique(np.stack([contexts, things, songs], axis=1), axis=0)
        self._things, self._counts = np.unique(seen[:, 1], return_counts=True)
        self._contexts, self._totals = np.unique(seen[:, 0], return_counts=True)

    def others(self, things: Ints) -> Floats:
        """Number of other songs that have each of ``things`` (N,), all of them counted before."""
        return np.asarray(self._counts[np.searchsorted(self._things, things)] - 1, np.float64)

    def totals(self, contexts: Ints) -> Floats:
        """The same for everything that follows each of ``contexts`` (N,)."""
        return np.asarray(self._totals[np.searchsorted(self._contexts, contexts)] - 1, np.float64)


def harmony_bits(pitch_classes: Ints, paces: Ints, songs: Ints) -> Floats:
    """Surprise of chord and pace, (N,), of onsets that lie song after song; 0 for the first two of a song.

    Takes pitch classes, paces and numbers of songs, (N,) each.
    """
    bits = np.zeros(len(songs))
    at = _from_third_on(songs)
    if not len(at):
        return bits
    before, middle, last, song = pitch_classes[at - 2], pitch_classes[at - 1], pitch_classes[at], songs[at]
    singles, pairs, following = turned(last)[0], turned(middle, last)[0], turned(before, middle, last)[0]
    contexts, pairs_before = turned(middle)[0], turned(before, middle)[0]
    nothing = np.zeros_like(singles)
    single = SongCounts(nothing, singles, song)
    pair = SongCounts(contexts, pairs, song)
    triple = SongCounts(pairs_before, following, song)
    chance = (single.others(singles) + 0.5) / (single.totals(nothing) + 1.0) / 12.0
    chance = (pair.others(pairs) + PRIOR * chance) / (pair.totals(contexts) + PRIOR)
    chance = (triple.others(following) + PRIOR * chance) / (triple.totals(pairs_before) + PRIOR)
    bits[at] = np.minimum(-np.log2(chance), MOST_CHORD_BITS) + _pace_bits(paces[at - 1], paces[at], song)
    return bits


def _pace_bits(before: Ints, paces: Ints, songs: Ints) -> Floats:
    pairs = before * PACES + paces
    counts = SongCounts(before, pairs, songs)
    return -np.log2((counts.others(pairs) + 1.0) / (counts.totals(before) + PACES))


def spacing_bits(pitch_classes: Ints, spacings: Ints, lowest: Ints, songs: Ints, harmony: Floats) -> Floats:
    """What each spacing adds to the surprise of its chord, (N,), whose own bits are ``harmony`` (N,).

    Spacing means which pitch class is lowest, the intervals above it, and how the lowest note follows the one
    before. It is as surprising after its chord, or after the spacing before, whichever tells more: parts lead
    from one spacing to the next in ways that all songs know.
    """
    chords = TRANSPOSED[(-lowest) % 12, pitch_classes]
    shapes = chords << 8 | spacings & 255
    counts = SongCounts(chords, shapes, songs)
    struck = np.array([bin(chord).count("1") for chord in range(4096)], np.float64)[pitch_classes]
    chance = (counts.others(shapes) + 0.5) / (counts.totals(chords) + 1.0) / struck
    leaps = np.clip(np.diff(lowest, prepend=lowest[:1]), -FARTHEST_LEAP, FARTHEST_LEAP)
    common = np.bincount(leaps + FARTHEST_LEAP, minlength=2 * FARTHEST_LEAP + 1) + 1.0
    classes = np.bincount(np.arange(-FARTHEST_LEAP, FARTHEST_LEAP + 1) % 12, weights=common)
    chance *= common[leaps + FARTHEST_LEAP] / classes[leaps % 12]
    alone = np.minimum(-np.log2(chance), MOST_SPACING_BITS)
    before = np.concatenate([shapes[:1], shapes[:-1]])
    steps = (before * 128 + leaps + FARTHEST_LEAP) << 20 | shapes
    led = SongCounts(before, steps, songs)
    together = np.exp2(-harmony - alone)
    together = (led.others(steps) + PRIOR * together) / (led.totals(before) + PRIOR)
    return np.clip(-np.log2(together) - harmony, 0.0, alone)


def _from_third_on(songs: Ints) -> Ints:
    same = np.zeros(len(songs), bool)
    same[2:] = songs[2:] == songs[:-2]
    return np.flatnonzero(same)
