"""Planted copies: passages of training songs, changed as a copyist would, to test the copy gate with.

Letters: M notes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from appliance.novelty.onsets import TICKS, Onsets, onsets_at

LONG_BARS, SHORT_BARS = 8, 2
LONG_ONSETS, SHORT_ONSETS = 16, 8
"""Bars of an excerpt by itself, and of one inside other music of :data:`LONG_BARS`; and the fewest onsets
that either has, as many as the gate compares (:data:`appliance.novelty.evidence.FEWEST_ONSETS`) in four and
in two bars."""

FEWEST_CHORDS = 4
"""Different onsets in an excerpt; fewer are a chord, struck again and again."""

LOWEST, HIGHEST = 28, 100
"""Range of in other octaves notes, MIDI."""

TEMPI = (0.5, 0.75, 1.5, 2.0)

Beats = NDArray[np.float64]
Pitches = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Notes:
    """M notes: ``beats`` (M,) and MIDI ``pitches`` (M,). Bars begin at ``bars`` and have ``meter`` beats."""

    beats: Beats
    pitches: Pitches
    bars: Beats
    meter: int

    def onsets(self) -> Onsets:
        """The onsets of the notes."""
        return onsets_at(self.beats, self.pitches)


def excerpt(song: Notes, bars: int, fewest: int, random: np.random.Generator) -> Notes | None:
    """Random whole bars of ``song``, from beat 0, with at least ``fewest`` onsets and :data:`FEWEST_CHORDS`;
    None if there are none."""
    length = float(bars * song.meter)
    firsts = [a for a, b in zip(song.bars, song.bars[bars:], strict=False) if b - a == length]
    for first in random.permutation(firsts).tolist():
        inside = (song.beats > first - 0.02) & (song.beats < first + length - 0.02)
        beats, pitches = song.beats[inside] - first, song.pitches[inside]
        struck: dict[int, set[int]] = {}
        for tick, pitch in zip(np.rint(beats * TICKS).tolist(), pitches.tolist(), strict=True):
            struck.setdefault(tick, set()).add(pitch)
        if len(struck) >= fewest and len(set(map(frozenset, struck.values()))) >= FEWEST_CHORDS:
            return Notes(beats, pitches, np.arange(bars + 1.0) * song.meter, song.meter)
    return None


def as_it_is(notes: Notes, _: np.random.Generator) -> Notes:
    """The same notes."""
    return notes


def transposed(notes: Notes, random: np.random.Generator) -> Notes:
    """In another key, by up to a tritone."""
    semitones = int(random.choice([s for s in range(-6, 7) if s]))
    return Notes(notes.beats, notes.pitches + semitones, notes.bars, notes.meter)


def at_another_tempo(notes: Notes, random: np.random.Generator) -> Notes:
    """Faster or slower beside beats that stay."""
    factor = float(random.choice(TEMPI))
    return Notes(notes.beats * factor, notes.pitches, notes.bars, notes.meter)


def in_other_octaves(notes: Notes, random: np.random.Generator) -> Notes:
    """The same harmony and rhythm in other octaves: every note moves by one, up or down, or stays."""
    pitches = notes.pitches + 12 * random.integers(-1, 2, len(notes.pitches))
    pitches = np.where(pitches < LOWEST, pitches + 12, np.where(pitches > HIGHEST, pitches - 12, pitches))
    return Notes(notes.beats, pitches, notes.bars, notes.meter)


def inside(copy: Notes, other: Notes, random: np.random.Generator) -> Notes:
    """``other`` with two of its bars replaced by ``copy``, transposed."""
    copy = transposed(copy, random)
    first = other.meter * int(random.integers(0, LONG_BARS - SHORT_BARS + 1))
    longer = (copy.meter - other.meter) * SHORT_BARS
    before, after = other.beats < first - 0.02, other.beats >= first + other.meter * SHORT_BARS - 0.02
    beats = np.concatenate([other.beats[before], copy.beats + first, other.beats[after] + longer])
    pitches = np.concatenate([other.pitches[before], copy.pitches, other.pitches[after]])
    return Notes(beats, pitches, other.bars, other.meter)


CHANGES: dict[str, Callable[[Notes, np.random.Generator], Notes]] = {
    "as it is": as_it_is,
    "transposed": transposed,
    "other tempo": at_another_tempo,
    "in other octaves": in_other_octaves,
}
EMBEDDED = "two bars inside eight"


def planted(
    songs: Sequence[Notes], others: Sequence[Notes], count: int, seed: int
) -> Iterator[tuple[str, Notes]]:
    """``count`` copies of each kind: excerpts of ``songs``, the last kind inside excerpts of ``others``.

    Raises:
        ValueError: there is nothing to plant.
    """
    random = np.random.default_rng(seed)

    def some(of: Sequence[Notes], bars: int, fewest: int) -> Notes:
        for k in random.permutation(len(of)).tolist():
            found = excerpt(of[k], bars, fewest, random)
            if found is not None:
                return found
        raise ValueError(f"no song has {bars} bars with {fewest} onsets to plant")

    for kind, change in CHANGES.items():
        for _ in range(count):
            yield kind, change(some(songs, LONG_BARS, LONG_ONSETS), random)
    for _ in range(count):
        copy = some(songs, SHORT_BARS, SHORT_ONSETS)
        yield EMBEDDED, inside(copy, some(others, LONG_BARS, SHORT_ONSETS), random)
