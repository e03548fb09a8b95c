"""Gap closed: how far a result gets from a shuffled accompaniment (0) to the written one (1).

``gap closed = (m(ours) - m(shuffled)) / (m(true) - m(shuffled))``, where shuffled is the result for another
song. It is a ratio of means over songs, because the ratio of a single song with a narrow gap is mostly noise.
The interval is a percentile bootstrap (Efron & Tibshirani, "An Introduction to the Bootstrap", 1993, ch. 13)
over songs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

BOOTSTRAP_RESAMPLES = 4000
BOOTSTRAP_SEED = 20_250_101
ROTATIONS = 5
"""Number of other songs that each vocal is paired with for the shuffled anchor."""

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value with its 95 % bootstrap interval over ``n`` songs."""

    value: float
    low: float
    high: float
    n: int

    def __str__(self) -> str:
        return f"{self.value:.2f} [{self.low:.2f}, {self.high:.2f}]"


def gap_closed(
    ours: Sequence[float],
    shuffled: Sequence[float],
    true: Sequence[float],
    *,
    resamples: int = BOOTSTRAP_RESAMPLES,
    seed: int = BOOTSTRAP_SEED,
) -> Estimate:
    """Gap closed over songs; each sequence has one value per song.

    Songs with a NaN in any sequence are left out, and ``n`` counts the rest. The value is NaN if no song is
    left or if true and shuffled are equal.
    """
    values = _complete(ours, shuffled, true)
    return _estimate(values, lambda m: (m[..., 0] - m[..., 1]) / (m[..., 2] - m[..., 1]), resamples, seed)


def mean(
    values: Sequence[float], *, resamples: int = BOOTSTRAP_RESAMPLES, seed: int = BOOTSTRAP_SEED
) -> Estimate:
    """Mean over songs; songs with NaN are left out."""
    return _estimate(_complete(values), lambda m: m[..., 0], resamples, seed)


def gap_difference(
    ours: Sequence[float],
    other: Sequence[float],
    shuffled: Sequence[float],
    true: Sequence[float],
    *,
    resamples: int = BOOTSTRAP_RESAMPLES,
    seed: int = BOOTSTRAP_SEED,
) -> Estimate:
    """Gap closed by ``ours`` minus ``other``, on the same songs and anchors.

    Both are resampled together, so that the variation between songs cancels.
    """
    values = _complete(ours, other, shuffled, true)
    return _estimate(values, lambda m: (m[..., 0] - m[..., 1]) / (m[..., 3] - m[..., 2]), resamples, seed)


class Anchored(Protocol):
    """The result of one song by one metric, with its anchors."""

    @property
    def ours(self) -> float: ...
    @property
    def shuffled(self) -> float: ...
    @property
    def true(self) -> float: ...


def gap_of(rows: Sequence[Anchored]) -> Estimate:
    """:func:`gap_closed` of rows, one row per song."""
    return gap_closed([r.ours for r in rows], [r.shuffled for r in rows], [r.true for r in rows])


def difference_of(ours: Mapping[str, Anchored], baseline: Mapping[str, Anchored]) -> Estimate:
    """:func:`gap_difference` on the common songs (keys), with the anchors of ``baseline``."""
    pairs = [(row, baseline[song]) for song, row in ours.items() if song in baseline]
    return gap_difference(
        [a.ours for a, _ in pairs],
        [b.ours for _, b in pairs],
        [b.shuffled for _, b in pairs],
        [b.true for _, b in pairs],
    )


def shuffled_mean(
    results: Sequence[Result], score: Callable[[int, Result], float], rotations: int = ROTATIONS
) -> list[float]:
    """The shuffled anchor of each song: ``score(song, result)`` averaged over results of other songs.

    Partners are spread evenly over the list (strides 1, 1 + n/R, ...), because neighbours often belong to one
    song cycle. NaN for a single song.
    """
    n = len(results)
    strides = sorted({1 + k * (n - 1) // rotations for k in range(rotations)}) if n > 1 else []
    anchors = []
    for song in range(n):
        scores = [score(song, results[(song + stride) % n]) for stride in strides]
        anchors.append(float(np.mean(scores)) if scores else float("nan"))
    return anchors


def _complete(*columns: Sequence[float]) -> Floats:
    """The columns as a table (N, C), without rows that have a NaN."""
    table = np.column_stack([np.asarray(c, dtype=np.float64) for c in columns])
    return table[~np.isnan(table).any(axis=1)]


def _estimate(values: Floats, ratio: Callable[[Floats], Floats], resamples: int, seed: int) -> Estimate:
    n = len(values)
    if n == 0:
        return Estimate(float("nan"), float("nan"), float("nan"), 0)
    draws = np.random.default_rng(seed).integers(0, n, size=(resamples, n))
    with np.errstate(divide="ignore", invalid="ignore"):
        value = ratio(values.mean(axis=0))
        resampled = ratio(values[draws].mean(axis=1))
    if not np.isfinite(value):
        return Estimate(float("nan"), float("nan"), float("nan"), n)
    low, high = np.percentile(resampled[np.isfinite(resampled)], (2.5, 97.5))
    return Estimate(float(value), float(low), float(high), n)
