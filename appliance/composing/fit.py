"""How well an accompaniment fits the vocal: one number a song, and what it means.

The network of the pack compares stretches of some twelve seconds (COCOLA, arXiv 2404.16969, says why
coherence can be learned by telling true pairs from mismatched ones). It tells strangers from friends,
but takes of one model differ less than that; so two things that need no learning are added: how much of
what is sung sounds in the band, and how far the band agrees with the planned harmony.

Two anchors say what the number is worth: that of written accompaniments of validation songs, and that of
accompaniments of other songs. A score of 0 is the median stranger, 1 the median written accompaniment.
Takes were made from the plan they are compared with and lean on the melody more than composers do, so
they often score above 1: that says that nothing went wrong, not that they are better than the composer's.

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
"""Score frames (11.9 s) compared at a time, as in training: memory does not grow with the song."""

MET_WEIGHT, AGREEMENT_WEIGHT = 12.6, 8.8
"""Log odds for 1 of each. Both amount to 6.7 from a stranger's to the written accompaniment, where the
network learns to give 10; half and a quarter as much ordered takes of validation songs less well."""

Array = NDArray[np.float32]
Judge = Callable[[Array, Array, Array], float]
"""Features (64, T), phases (5, T) and band rows (BAND_ROWS, T) of a stretch -> log odds."""


@dataclass(frozen=True, slots=True)
class Fit:
    """The fit of one take. ``value`` is what takes are compared by; percentiles say which share of the
    anchor pairs has less, 0-100."""

    value: float
    score: float
    percentile_true: float
    percentile_shuffled: float
    low: bool
    """Below the pack's floor: a take that resembles a stranger's accompaniment more than a true one."""

    def to_json(self, retried: bool) -> dict[str, float | bool]:
        """What the receipt says."""
        return {
            "score": round(self.score, 4),
            "percentile_true": round(self.percentile_true, 1),
            "percentile_shuffled": round(self.percentile_shuffled, 1),
            "low": self.low,
            "retried": retried,
        }


def stretches(frames: int) -> list[slice]:
    """As few stretches as cover ``frames`` score frames (a multiple of 4), evenly spread."""
    if frames <= STRETCH_FRAMES:
        return [slice(0, frames)]
    count = -(-frames // STRETCH_FRAMES)
    last = frames - STRETCH_FRAMES
    firsts = (round(last * k / (count - 1) / FRAMES_PER_PLAN) * FRAMES_PER_PLAN for k in range(count))
    return [slice(first, first + STRETCH_FRAMES) for first in firsts]


def song_value(judge: Judge, features: Array, phases: Array, plan: Array, band: Array) -> float:
    """The fit of a whole song: rows as of a Judge, and ``plan`` (24, P)."""
    return (
        _log_odds(judge, features, phases, band)
        + MET_WEIGHT * _met(features, band)
        + AGREEMENT_WEIGHT * _agreement(plan, band)
    )


def _met(features: Array, band: Array) -> float:
    """Share of what is sung whose pitch class sounds at that moment."""
    sung = features[CHROMA]
    return float((sung * band[BAND_CHROMA]).sum() / max(float(sung.sum()), 1e-6))


def _agreement(plan: Array, band: Array) -> float:
    """Cosine of planned and sounding pitch classes, mean over the plan frames in which both have any."""
    planned = plan[:12]
    sounding = band[BAND_CHROMA].reshape(12, planned.shape[1], FRAMES_PER_PLAN).mean(axis=2)
    lengths = np.linalg.norm(planned, axis=0) * np.linalg.norm(sounding, axis=0)
    both = lengths > 0
    if not both.any():
        return 0.0
    return float(((planned * sounding).sum(axis=0)[both] / lengths[both]).mean())


def _log_odds(judge: Judge, features: Array, phases: Array, band: Array) -> float:
    """Mean of a song's stretches, weighed by how much is sung in them."""
    found, sung = [], []
    for part in stretches(features.shape[1]):
        found.append(judge(features[:, part], phases[:, part], band[:, part]))
        sung.append(float(features[VOICED, part].sum()))
    weights = np.array(sung) if sum(sung) > 0 else np.ones(len(sung))
    return float(np.average(found, weights=weights))


def rated(value: float, facts: FitFacts) -> Fit:
    """A song's value beside the anchors and the floor of the pack."""
    stranger, friend = (quantiles[len(quantiles) // 2] for quantiles in (facts.shuffled, facts.true))
    return Fit(
        value,
        (value - stranger) / (friend - stranger),
        _percentile(value, facts.true),
        _percentile(value, facts.shuffled),
        value < facts.floor,
    )


def _percentile(value: float, quantiles: tuple[float, ...]) -> float:
    """Where ``value`` lies among 101 ascending quantiles, 0-100, between two of them by its distance."""
    return float(np.interp(value, quantiles, np.arange(len(quantiles), dtype=np.float64)))
