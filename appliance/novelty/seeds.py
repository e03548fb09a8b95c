"""Seeds: where an original and a part may share a passage.

Every figure of three onsets is looked up among the originals. Occurrences that lie one behind the other, in
one song and one transposition, are on one line. Lines on which rare figures lie are worth an exact
comparison. This is the way of BLAST (Altschul et al., Journal of Molecular Biology 1990): short exact matches
first.

Letters: N onsets of the part, H hits.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from appliance.novelty.onsets import Ints, Onsets, figure_keys, figures, turned
from appliance.packs.originals import Originals

LINES = 400
"""Lines that are compared exactly, those with the rarest figures."""

STRETCH_BITS = 5
"""Figures count together on a line that lie in one stretch of 2^5 onsets of the part."""

_PITCH_CLASSES = 4095


@dataclass(frozen=True, slots=True)
class Line:
    """Onset k of the part, transposed up by ``semitones``, beside onset k + ``offset`` of the originals."""

    song: int
    offset: int
    semitones: int


def lines(originals: Originals, part: Onsets, skipped_song: int | None = None) -> list[Line]:
    """The lines on which ``part`` may share a passage with an original, at most :data:`LINES`.

    ``skipped_song`` is an original that does not count: the song itself, when it is measured.
    """
    last, places, semitones = _hits(originals, part)
    songs = np.searchsorted(originals.songs, places, side="right") - 1
    if skipped_song is not None:
        kept = songs != skipped_song
        last, places, semitones, songs = last[kept], places[kept], semitones[kept], songs[kept]
    if not len(places):
        return []
    line = (places - last + len(part)) * 12 + semitones
    stretches = len(part) >> STRETCH_BITS
    stretch = line * (stretches + 1) + (last >> STRETCH_BITS)
    order = np.argsort(stretch, kind="stable")
    firsts = np.flatnonzero(np.diff(stretch[order], prepend=-1))
    bits = np.add.reduceat(originals.harmony_bits[places[order]].astype(np.int64), firsts)
    best = order[firsts[np.argsort(-bits, kind="stable")[:LINES]]]
    found = {(int(songs[k]), int(places[k] - last[k]), int(semitones[k])) for k in best}
    return [Line(*line) for line in sorted(found)]


def _hits(originals: Originals, part: Onsets) -> tuple[Ints, Ints, Ints]:
    """Occurrences of the part's figures: last onset in the part (H,), in the originals (H,), and by how many
    semitones the part is transposed up to match (H,)."""
    numbers, turned_by = figures(part.pitch_classes, part.paces)
    none = np.zeros(0, np.int64)
    if not len(numbers) or not len(originals.keys):
        return none, none, none
    keys = figure_keys(numbers)
    at = np.minimum(np.searchsorted(originals.keys, keys), len(originals.keys) - 1)
    known = np.flatnonzero(originals.keys[at] == keys)
    starts = originals.starts[at[known]].astype(np.int64)
    counts = originals.starts[at[known] + 1].astype(np.int64) - starts
    if not counts.sum():
        return none, none, none
    before = np.repeat(np.cumsum(counts) - counts, counts)
    places = originals.places[np.repeat(starts, counts) + np.arange(counts.sum()) - before].astype(np.int64)
    last = np.repeat(known + 2, counts)
    chords = [(originals.onsets[places - k] & _PITCH_CLASSES).astype(np.int64) for k in (2, 1, 0)]
    _, theirs = turned(*chords)
    return last, places, (turned_by[last - 2] - theirs) % 12
