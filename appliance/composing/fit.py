"""Fit: how well an accompaniment suits its vocal.

The fit network compares stretches of twelve seconds. It was trained to tell true pairs of vocal and
accompaniment from mismatched ones (as in COCOLA, arXiv 2404.16969). Takes of one model differ less than such
pairs, so two terms are added that need no training: how much of the sung pitch classes the band plays, and
how far the band agrees with the planned harmony.

The score is scaled by two anchors, measured on validation songs: 0 is the median of mismatched
accompaniments, 1 the median of the written ones. Takes often score above 1, because they are made from the
plan that they are compared with and follow the melody more closely than composers do. A score above 1 does
not mean that a take is better than the written accompaniment.

Letters: T score frames, P = T/4 plan frames.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from appliance.grid import FRAMES_PER_PLAN
from appliance.networks.band_rows import CHROMA as BAND_CHROMA
from appliance.packs.manifest import FitFacts
from appliance.vocal.features import CHROMA, VOICED

STRETCH_FRAMES = 256
"""Score frames compared at once (11.9 s), as in training; memory does not grow with the song."""

COVERAGE_WEIGHT, AGREEMENT_WEIGHT = 12.6, 8.8
"""Weights of coverage and agreement in log odds. From a mismatched to the written accompaniment each term
changes by 6.7, and the network's output by 10. Half and a quarter of these weights sorted takes of validation
songs less well."""

Array = NDArray[np.float32]
Judge = Callable[[Array, Array, Array], float]
"""Takes features (64, T), phases (5, T) and band rows (BAND_ROWS, T) of a stretch; returns log odds."""


@dataclass(frozen=True, slots=True)
class Fit:
    """The fit of one take."""

    value: float
    """Log odds, by which takes are sorted."""
    score: float
    """``value``, scaled so that 0 and 1 are the two anchors."""
    percentile_true: float
    """Percentage of written accompaniments with a lower value."""
    percentile_shuffled: float
    """Percentage of mismatched accompaniments with a lower value."""
    low: bool
    """Whether it is below the pack's floor, more like a mismatched accompaniment than a true one."""

    def to_json(self, retried: bool) -> dict[str, float | bool]:
        """The fit for the receipt."""
        return {
            "score": round(self.score, 4),
            "percentile_true": round(self.percentile_true, 1),
            "percentile_shuffled": round(self.percentile_shuffled, 1),
            "low": self.low,
            "retried": retried,
        }


def stretches(frames: int) -> list[slice]:
    """The fewest stretches that cover ``frames`` score frames (a multiple of 4), evenly spread."""
    if frames <= STRETCH_FRAMES:
        return [slice(0, frames)]
    count = -(-frames // STRETCH_FRAMES)
    last = frames - STRETCH_FRAMES
    firsts = (round(last * k / (count - 1) / FRAMES_PER_PLAN) * FRAMES_PER_PLAN for k in range(count))
    return [slice(first, first + STRETCH_FRAMES) for first in firsts]


def song_value(judge: Judge, features: Array, phases: Array, plan: Array, band: Array) -> float:
    """The fit of a whole song in log odds; arrays as of :data:`Judge`, and ``plan`` (24, P)."""
    return (
        _log_odds(judge, features, phases, band)
        + COVERAGE_WEIGHT * _coverage(features, band)
        + AGREEMENT_WEIGHT * _agreement(plan, band)
    )


def _coverage(features: Array, band: Array) -> float:
    """Share of the sung pitch classes that the band plays at the same time."""
    sung = features[CHROMA]
    return float((sung * band[BAND_CHROMA]).sum() / max(float(sung.sum()), 1e-6))


def _agreement(plan: Array, band: Array) -> float:
    """Cosine similarity of planned and sounding pitch classes, mean over plan frames that have both."""
    planned = plan[:12]
    sounding = band[BAND_CHROMA].reshape(12, planned.shape[1], FRAMES_PER_PLAN).mean(axis=2)
    lengths = np.linalg.norm(planned, axis=0) * np.linalg.norm(sounding, axis=0)
    both = lengths > 0
    if not both.any():
        return 0.0
    return float(((planned * sounding).sum(axis=0)[both] / lengths[both]).mean())


def _log_odds(judge: Judge, features: Array, phases: Array, band: Array) -> float:
    """Mean log odds of a song's stretches, weighted by how much is sung in each."""
    found, sung = [], []
    for part in stretches(features.shape[1]):
        found.append(judge(features[:, part], phases[:, part], band[:, part]))
        sung.append(float(features[VOICED, part].sum()))
    weights = np.array(sung) if sum(sung) > 0 else np.ones(len(sung))
    return float(np.average(found, weights=weights))


def rate(value: float, facts: FitFacts) -> Fit:
    """Compare a song's value with the pack's anchors and floor."""
    mismatched, written = (quantiles[len(quantiles) // 2] for quantiles in (facts.shuffled, facts.true))
    return Fit(
        value,
        (value - mismatched) / (written - mismatched),
        _percentile(value, facts.true),
        _percentile(value, facts.shuffled),
        value < facts.floor,
    )


def _percentile(value: float, quantiles: tuple[float, ...]) -> float:
    """The percentile of ``value`` among 101 ascending quantiles, 0-100, linearly interpolated."""
    return float(np.interp(value, quantiles, np.arange(len(quantiles), dtype=np.float64)))
