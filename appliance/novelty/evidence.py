"""Evidence: by how many bits a shared passage surprises.

A passage is compared onset by onset. An onset with the same pitch classes and pace counts as many bits as it
surprises after the two onsets before it, among all originals; the same voicing adds what it surprises for
that chord. What differs costs :data:`PENALTY_BITS`. Two things keep common textures from counting: a figure
that the passage has had already counts nothing, and a chord that it has had counts no more than the choice
among those it has had. So a broken chord that goes on for four bars counts once.

Letters: N onsets of a passage, W windows, C bars of a song.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from appliance.novelty.onsets import TRANSPOSED, Ints, Onsets, figures
from appliance.novelty.seeds import Line
from appliance.packs.originals import BITS, WINDOWS, Originals

PENALTY_BITS = 16.0
"""What an onset costs that differs."""

FEWEST_ONSETS = 8
"""Passages with fewer onsets are not compared: they are a cadence or a held chord, and nobody's own."""

_PITCH_CLASSES = 4095
_SHAPE = 255

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Passage:
    """A passage that a part shares with an original.

    It begins with onset ``first`` of the part and ``place`` of the originals, and has ``onsets`` of them in
    ``bars`` bars of the original.
    """

    song: int
    bars: int
    first: int
    place: int
    onsets: int
    semitones: int
    harmony_bits: float
    """Evidence of chords and rhythm."""
    exact_bits: float
    """Evidence of voicings, too; less than that of harmony where they differ."""


@dataclass(frozen=True, slots=True, eq=False)
class Repeats:
    """What a part says again: the number of each figure (N,), -1 for the first two onsets."""

    part: Onsets
    numbers: Ints

    @staticmethod
    def of(part: Onsets) -> Repeats:
        """The figures of ``part``."""
        numbers, _ = figures(part.pitch_classes, part.paces)
        return Repeats(part, np.concatenate([np.full(len(part) - len(numbers), -1, np.int64), numbers]))


def passages(
    originals: Originals, bars_of: list[Ints], repeats: Repeats, line: Line, least: tuple[Floats, Floats]
) -> list[Passage]:
    """The passages of whole bars of the original on ``line`` whose evidence may exceed ``least``.

    ``bars_of`` holds for each song the first onset of each bar, (C,). ``least`` are bits of harmony and of
    exact evidence, (4,) each, by window.
    """
    part = repeats.part
    first = max(0, int(originals.songs[line.song]) - line.offset)
    stop = min(len(part), int(originals.songs[line.song + 1]) - line.offset)
    bars = bars_of[line.song] - line.offset
    bars = bars[(bars >= first) & (bars <= stop)]
    if stop - first < FEWEST_ONSETS or len(bars) < 2:
        return []
    at_most = _bounds(originals, part, line, first, stop)
    found = []
    for k, length in enumerate(WINDOWS):
        starts, ends = bars[:-length] - first, bars[length:] - first
        wide = ends - starts >= FEWEST_ONSETS
        starts, ends = starts[wide], ends[wide]
        may = (at_most[0].of(starts, ends) > least[0][k]) | (at_most[1].of(starts, ends) > least[1][k])
        for start, end in zip(starts[may].tolist(), ends[may].tolist(), strict=True):
            bits = _bits(originals, repeats, line, first + start, first + end)
            if bits[0] > least[0][k] or bits[1] > least[1][k]:
                place = first + start + line.offset
                found.append(
                    Passage(line.song, length, first + start, place, end - start, line.semitones, *bits)
                )
    return found


@dataclass(frozen=True, slots=True, eq=False)
class _Bound:
    """The most bits that windows of a line may have: those of their onsets, without regard to repetition.

    ``sums`` (N + 1,) are the bits before each onset; ``more`` (N,) is what an onset may add if it is one of
    the first two of a window, where neither its pace nor its leap has to be the same.
    """

    sums: Floats
    more: Floats

    def of(self, starts: Ints, ends: Ints) -> Floats:
        """The bound of windows from ``starts`` (W,) to ``ends`` (W,), which have two onsets or more."""
        bound: Floats = self.sums[ends] - self.sums[starts] + self.more[starts] + self.more[starts + 1]
        return bound


def _bounds(originals: Originals, part: Onsets, line: Line, first: int, stop: int) -> tuple[_Bound, _Bound]:
    """Bounds of harmony and of exact evidence for onsets ``first`` to ``stop`` of the part."""
    ours, theirs = slice(first, stop), slice(first + line.offset, stop + line.offset)
    packed = originals.onsets[theirs].astype(np.int64)
    chords = TRANSPOSED[line.semitones][part.pitch_classes[ours]] == packed & _PITCH_CLASSES
    same = chords & (part.paces[ours] == packed >> 12)
    voicings = originals.voicings[theirs].astype(np.int64)
    shapes = chords & (part.voicings[ours] & _SHAPE == voicings & _SHAPE)
    voiced = same & (part.voicings[ours] == voicings)
    surprise, voicing_surprise = originals.harmony_bits[theirs] / BITS, originals.voicing_bits[theirs] / BITS
    harmony, loose_harmony = (np.where(s, surprise, -PENALTY_BITS) for s in (same, chords))
    exact = harmony + np.where(voiced, voicing_surprise, -PENALTY_BITS)
    loose_exact = loose_harmony + np.where(shapes, voicing_surprise, -PENALTY_BITS)
    return (
        _Bound(np.append(0.0, np.cumsum(harmony)), loose_harmony - harmony),
        _Bound(np.append(0.0, np.cumsum(exact)), loose_exact - exact),
    )


def _bits(originals: Originals, repeats: Repeats, line: Line, first: int, stop: int) -> tuple[float, float]:
    """Bits of harmony and of exact evidence of the passage from onset ``first`` to ``stop`` of the part."""
    part = repeats.part
    ours, theirs = slice(first, stop), slice(first + line.offset, stop + line.offset)
    packed = originals.onsets[theirs].astype(np.int64)
    same = TRANSPOSED[line.semitones][part.pitch_classes[ours]] == packed & _PITCH_CLASSES
    same[2:] &= part.paces[ours][2:] == packed[2:] >> 12
    voicings = originals.voicings[theirs].astype(np.int64)
    voiced = part.voicings[ours] == voicings
    voiced[0] = part.voicings[first] & _SHAPE == voicings[0] & _SHAPE
    surprise = originals.harmony_bits[theirs] / BITS
    voicing_surprise = originals.voicing_bits[theirs] / BITS
    had_figures: set[int] = set()
    had_chords: set[int] = set()
    had_voicings: set[tuple[int, int]] = set()
    harmony = voicing = 0.0
    for k, (chord, figure, lowest, shape) in enumerate(
        zip(
            part.pitch_classes[ours].tolist(),
            repeats.numbers[ours].tolist(),
            part.lowest[ours].tolist(),
            (part.voicings[ours] & _SHAPE).tolist(),
            strict=True,
        )
    ):
        if not same[k]:
            harmony -= PENALTY_BITS
        elif k < 2 or figure not in had_figures:
            bits = float(surprise[k])
            harmony += min(bits, np.log2(len(had_chords)) + 1.0) if chord in had_chords else bits
        if not same[k] or not voiced[k]:
            voicing -= PENALTY_BITS
        elif (lowest, shape) not in had_voicings:
            voicing += float(voicing_surprise[k])
        if k >= 2:
            had_figures.add(figure)
        had_chords.add(chord)
        had_voicings.add((lowest, shape))
    return float(harmony), float(harmony + voicing)
