"""Compares a part with all originals: the evidence for the nearest passage of each length.

Letters: C bars of a song.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from appliance.novelty.evidence import Passage, Repeats, passages
from appliance.novelty.lines import lines
from appliance.novelty.onsets import Ints, Onsets
from appliance.packs.originals import LENGTHS, Originals

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Comparison:
    """The originals, ready to be compared with."""

    originals: Originals

    @cached_property
    def bars_of(self) -> list[Ints]:
        """The first onset of each bar of each song, (C,) each, and the end of the last bar."""
        bars = self.originals.bars.astype(np.int64)
        songs = self.originals.songs.astype(np.int64)
        edges = np.searchsorted(bars, songs)
        return [np.append(bars[edges[k] : edges[k + 1]], songs[k + 1]) for k in range(len(songs) - 1)]

    def shared(
        self, part: Onsets, least: tuple[Floats, Floats], skipped_song: int | None = None
    ) -> Iterator[Passage]:
        """The passages of ``part`` that an original shares, whose evidence of harmony or exact evidence
        exceeds ``least``, (4,) each, by length. ``least`` may be raised meanwhile."""
        repeats = Repeats.of(part)
        for line in lines(self.originals, part, skipped_song):
            yield from passages(self.originals, self.bars_of, repeats, line, least)

    def most_bits(self, part: Onsets, skipped_song: int | None = None) -> tuple[Floats, Floats]:
        """The most bits of harmony and of exact evidence that any passage has, (4,) each, by length."""
        most = np.zeros(len(LENGTHS)), np.zeros(len(LENGTHS))
        for passage in self.shared(part, most, skipped_song):
            k = LENGTHS.index(passage.bars)
            most[0][k] = max(most[0][k], passage.harmony_bits)
            most[1][k] = max(most[1][k], passage.exact_bits)
        return most
