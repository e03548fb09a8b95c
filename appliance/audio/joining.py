"""A sound with a span of another, joined inside that span: outside it, no sample of the first changes.

Both joins are crossfades whose weights keep the power even (Fink, Holters and Zölzer, "Signal-Matched
Power-Complementary Cross-Fading and Dry-Wet Mixing", DAFx 2016): equal power for sounds that have nothing in
common, equal gain for equal ones, such as a note that rings over the border in both.

Letters: n samples, C channels.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from appliance.audio.blocks import BLOCK_SAMPLES, Block
from appliance.grid import SAMPLE_RATE_HZ

JOIN_IN_S = 0.005
"""Length of the first join: short, because the span begins with the attack of its first notes."""

JOIN_OUT_S = 0.04
"""Length of the second join, in which what the span leaves behind gives way to what it finds."""


@dataclass(frozen=True, slots=True)
class SampleSpan:
    """Samples ``first`` to ``stop`` of a sound of ``total`` samples.

    There is no join at an end of the sound, and none at all without ``joins``, for sounds that are equal at
    the borders.
    """

    first: int
    stop: int
    total: int
    joins: bool = True

    @property
    def pieces(self) -> Iterator[tuple[int, float, float]]:
        """Lengths of pieces in order, and the share of the second sound at their beginning and end."""
        join_in, join_out = self._joins()
        parts = (
            (self.first, 0.0, 0.0),
            (join_in, 0.0, 1.0),
            (self.stop - self.first - join_in - join_out, 1.0, 1.0),
            (join_out, 1.0, 0.0),
            (self.total - self.stop, 0.0, 0.0),
        )
        for length, start, end in parts:
            most = BLOCK_SAMPLES if start == end else max(length, 1)
            for done in range(0, length, most):
                yield min(most, length - done), start, end

    def _joins(self) -> tuple[int, int]:
        longest = (self.stop - self.first) // 2 if self.joins else 0
        join_in = min(round(JOIN_IN_S * SAMPLE_RATE_HZ), longest) if self.first > 0 else 0
        join_out = min(round(JOIN_OUT_S * SAMPLE_RATE_HZ), longest) if self.stop < self.total else 0
        return join_in, join_out


def joined(old: Iterable[Block], new: Iterable[Block], span: SampleSpan) -> Iterator[Block]:
    """``old``, with ``span`` of ``new``; both have ``span.total`` samples. Shape: blocks of (n, C)."""
    lengths = [length for length, _, _ in span.pieces]
    for a, b, (_, start, end) in zip(_cut(old, lengths), _cut(new, lengths), span.pieces, strict=True):
        if start == end:
            yield b if start else a
        else:
            yield _crossfaded(a, b) if end else _crossfaded(b, a)


def _crossfaded(before: Block, after: Block) -> Block:
    """From ``before`` to ``after``, (n, C) each, with weights for their correlation."""
    angle = (np.arange(len(before)) + 0.5) / len(before) * np.pi / 2
    out, into = np.cos(angle), np.sin(angle)
    level = np.sqrt(1.0 + _correlation(before, after) * np.sin(2 * angle))
    mixed = before * (out / level)[:, None] + after * (into / level)[:, None]
    return mixed.astype(np.float32)


def _correlation(a: Block, b: Block) -> float:
    """Normalised correlation of two sounds; 0 for opposed ones, which would need ever more power."""
    x: NDArray[np.float64] = a.astype(np.float64).ravel()
    y: NDArray[np.float64] = b.astype(np.float64).ravel()
    power = float(np.sqrt((x @ x) * (y @ y)))
    return max(0.0, float(x @ y) / power) if power else 0.0


def _cut(blocks: Iterable[Block], lengths: Iterable[int]) -> Iterator[Block]:
    """Regroup a stream into blocks of the given ``lengths``, none of them 0."""
    stream = iter(blocks)
    held = next(stream)
    for length in lengths:
        parts = [held]
        while sum(map(len, parts)) < length:
            parts.append(next(stream))
        together = np.concatenate(parts) if len(parts) > 1 else held
        yield together[:length]
        held = together[length:]
