"""Evidence: by how many bits a shared passage surprises.

A passage is compared onset by onset. An onset with the same pitch classes and pace counts as many bits as it
surprises after the two onsets before it, among all originals; the same spacing adds what it surprises for
that chord. What differs costs :data:`PENALTY_BITS`. Two things keep common textures from counting: a figure
that the passage has had already counts nothing, and a chord that it has had counts no more than the choice
among those it has had. So a broken chord that goes on for four bars counts once.

Letters: N onsets of a passage, M passages, C bars of a song.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from appliance.novelty.lines import Line
from appliance.novelty.onsets import PITCH_CLASSES, TRANSPOSED, Ints, Onsets, figures
from appliance.packs.originals import BITS, LENGTHS, Originals

PENALTY_BITS = 16.0
"""What an onset costs that differs."""

FEWEST_ONSETS = 8
"""Passages with fewer onsets are not compared: they are a cadence or a held chord, and nobody's own."""

_SHAPE = 255

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Passage:
    """A passage that a part shares with an original.

    It begins with onset ``first`` of the part and ``original`` of the originals, and has ``onsets`` of them
    in ``bars`` bars of the original.
    """

    song: int
    bars: int
    first: int
    original: int
    onsets: int
    semitones: int
    harmony_bits: float
    """Evidence of chords and rhythm."""
    exact_bits: float
    """Evidence of spacings, too; less than that of harmony where they differ."""


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
    exact evidence, (4,) each, by length.
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
    for k, length in enumerate(LENGTHS):
        starts, ends = bars[:-length] - first, bars[length:] - first
        wide = ends - starts >= FEWEST_ONSETS
        starts, ends = starts[wide], ends[wide]
        may = (at_most[0].of(starts, ends) > least[0][k]) | (at_most[1].of(starts, ends) > least[1][k])
        for start, end in zip(starts[may].tolist(), ends[may].tolist(), strict=True):
            begin = first + start
            bits = _bits(originals, repeats, line, begin, first + end)
            if bits[0] > least[0][k] or bits[1] > least[1][k]:
                found.append(
                    Passage(line.song, length, begin, begin + line.offset, end - start, line.semitones, *bits)
                )
    return found


@dataclass(frozen=True, slots=True, eq=False)
class _Bound:
    """The most bits that passages of a line may have: those of their onsets, without regard to repetition.

    ``sums`` (N + 1,) are the bits before each onset; ``more`` (N,) is what an onset may add if it is one of
    the first two of a passage, where neither its pace nor its leap has to be the same.
    """

    sums: Floats
    more: Floats

    def of(self, starts: Ints, ends: Ints) -> Floats:
        """The bound of passages from ``starts`` (M,) to ``ends`` (M,), which have two onsets or more."""
        bound: Floats = self.sums[ends] - self.sums[starts] + self.more[starts] + self.more[starts + 1]
        return bound


def _bounds(originals: Originals, part: Onsets, line: Line, first: int, stop: int) -> tuple[_Bound, _Bound]:
    """Bounds of harmony and of exact evidence for onsets ``first`` to ``stop`` of the part."""
    ours, theirs = slice(first, stop), slice(first + line.offset, stop + line.offset)
    packed = originals.onsets[theirs].astype(np.int64)
    chords = TRANSPOSED[line.semitones][part.pitch_classes[ours]] == packed & PITCH_CLASSES
    same = chords & (part.paces[ours] == packed >> 12)
    spacings = originals.spacings[theirs].astype(np.int64)
    shapes = chords & (part.spacings[ours] & _SHAPE == spacings & _SHAPE)
    spaced = same & (part.spacings[ours] == spacings)
    surprise, spacing_surprise = originals.harmony_bits[theirs] / BITS, originals.spacing_bits[theirs] / BITS
    harmony, loose_harmony = (np.where(s, surprise, -PENALTY_BITS) for s in (same, chords))
    exact = harmony + np.where(spaced, spacing_surprise, -PENALTY_BITS)
    loose_exact = loose_harmony + np.where(shapes, spacing_surprise, -PENALTY_BITS)
    return (
        _Bound(np.append(0.0, np.cumsum(harmony)), loose_harmony - harmony),
        _Bound(np.append(0.0, np.cumsum(exact)), loose_exact - exact),
    )


def _bits(originals: Originals, repeats: Repeats, line: Line, first: int, stop: int) -> tuple[float, float]:
    """Bits of harmony and of exact evidence of the passage from onset ``first`` to ``stop`` of the part."""
    part = repeats.part
    ours, theirs = slice(first, stop), slice(first + line.offset, stop + line.offset)
    packed = originals.onsets[theirs].astype(np.int64)
    same = TRANSPOSED[line.semitones][part.pitch_classes[ours]] == packed & PITCH_CLASSES
    same[2:] &= part.paces[ours][2:] == packed[2:] >> 12
    spacings = originals.spacings[theirs].astype(np.int64)
    spaced = part.spacings[ours] == spacings
    spaced[0] = part.spacings[first] & _SHAPE == spacings[0] & _SHAPE
    surprise = originals.harmony_bits[theirs] / BITS
    spacing_surprise = originals.spacing_bits[theirs] / BITS
    had_figures: set[int] = set()
    had_chords: set[int] = set()
    had_spacings: set[tuple[int, int]] = set()
    harmony = spacing = 0.0
    for k, (chord, figure, lowest, shape) in enumerate(
        zip(
            part.pitch_classes[ours].tolist(),
            repeats.numbers[ours].tolist(),
            part.lowest[ours].tolist(),
            (part.spacings[ours] & _SHAPE).tolist(),
            strict=True,
        )
    ):
        if not same[k]:
            harmony -= PENALTY_BITS
        elif k < 2 or figure not in had_figures:
            bits = float(surprise[k])
            harmony += min(bits, np.log2(len(had_chords)) + 1.0) if chord in had_chords else bits
        if not same[k] or not spaced[k]:
            spacing -= PENALTY_BITS
        elif (lowest, shape) not in had_spacings:
            spacing += float(spacing_surprise[k])
        if k >= 2:
            had_figures.add(figure)
        had_chords.add(chord)
        had_spacings.add((lowest, shape))
    return float(harmony), float(harmony + spacing)
