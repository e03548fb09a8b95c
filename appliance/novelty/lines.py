"""Lines: where an original and a part may share a passage.

Every figure of three onsets is looked up among the originals. Occurrences that lie one behind the other, in
one song and one transposition, are on one line. Lines on which rare figures lie are worth an exact
comparison. This is the way of BLAST (Altschul et al., Journal of Molecular Biology 1990): short exact matches
first.

Letters: N onsets of the part, H hits.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from appliance.novelty.onsets import PITCH_CLASSES, Ints, Onsets, figure_hashes, figures, turned
from appliance.packs.originals import Originals

LINES = 400
"""Lines that are compared exactly, those with the rarest figures."""

BLOCK_BITS = 5
"""Figures count together on a line that lie in one block of 2^5 onsets of the part."""


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
    last, ends, semitones = _hits(originals, part)
    songs = np.searchsorted(originals.songs, ends, side="right") - 1
    if skipped_song is not None:
        kept = songs != skipped_song
        last, ends, semitones, songs = last[kept], ends[kept], semitones[kept], songs[kept]
    if not len(ends):
        return []
    line = (ends - last + len(part)) * 12 + semitones
    blocks = len(part) >> BLOCK_BITS
    block = line * (blocks + 1) + (last >> BLOCK_BITS)
    order = np.argsort(block, kind="stable")
    firsts = np.flatnonzero(np.diff(block[order], prepend=-1))
    bits = np.add.reduceat(originals.harmony_bits[ends[order]].astype(np.int64), firsts)
    best = order[firsts[np.argsort(-bits, kind="stable")[:LINES]]]
    found = {(int(songs[k]), int(ends[k] - last[k]), int(semitones[k])) for k in best}
    return [Line(*line) for line in sorted(found)]


def _hits(originals: Originals, part: Onsets) -> tuple[Ints, Ints, Ints]:
    """Occurrences of the part's figures: last onset in the part (H,), in the originals (H,), and by how many
    semitones the part is transposed up to match (H,)."""
    numbers, turned_by = figures(part.pitch_classes, part.paces)
    none = np.zeros(0, np.int64)
    if not len(numbers) or not len(originals.hashes):
        return none, none, none
    hashes = figure_hashes(numbers)
    at = np.minimum(np.searchsorted(originals.hashes, hashes), len(originals.hashes) - 1)
    known = np.flatnonzero(originals.hashes[at] == hashes)
    starts = originals.starts[at[known]].astype(np.int64)
    counts = originals.starts[at[known] + 1].astype(np.int64) - starts
    if not counts.sum():
        return none, none, none
    before = np.repeat(np.cumsum(counts) - counts, counts)
    ends = originals.ends[np.repeat(starts, counts) + np.arange(counts.sum()) - before].astype(np.int64)
    last = np.repeat(known + 2, counts)
    chords = [(originals.onsets[ends - k] & PITCH_CLASSES).astype(np.int64) for k in (2, 1, 0)]
    _, theirs = turned(*chords)
    return last, ends, (turned_by[last - 2] - theirs) % 12
