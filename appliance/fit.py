"""How well an accompaniment fits the vocal: one number a song, and what it means.

The network of the pack compares stretches of some twelve seconds (COCOLA, arXiv 2404.16969, says why
coherence can be learned by telling true pairs from mismatched ones); the song's score is their mean,
weighed by how much is sung in each. Two anchors say what a score is worth: the scores of written
accompaniments of validation songs, and those of accompaniments of other songs.

Letters: T score frames.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from appliance.features import VOICED
from appliance.pack_manifest import FitFacts
from appliance.score import FRAMES_PER_PLAN

STRETCH_FRAMES = 256
"""Score frames (11.9 s) compared at a time, as in training: memory does not grow with the song."""

Array = NDArray[np.float32]
Judge = Callable[[Array, Array, Array], float]
"""Features (64, T), phases (5, T) and band rows (BAND_ROWS, T) of a stretch -> log odds."""


@dataclass(frozen=True, slots=True)
class Fit:
    """The fit of one take. Percentiles say which share of the anchor pairs scores lower, 0-100."""

    log_odds: float
    percentile_true: float
    percentile_shuffled: float
    low: bool
    """Below the pack's floor: a take that resembles a stranger's accompaniment more than a true one."""

    @property
    def score(self) -> float:
        """How likely the accompaniment was made for this vocal rather than for another, 0-1."""
        return 1.0 / (1.0 + math.exp(-self.log_odds))

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


def song_log_odds(judge: Judge, features: Array, phases: Array, band: Array) -> float:
    """Mean log odds of a song's stretches, weighed by what is sung in them; arguments as of a Judge."""
    found, sung = [], []
    for part in stretches(features.shape[1]):
        found.append(judge(features[:, part], phases[:, part], band[:, part]))
        sung.append(float(features[VOICED, part].sum()))
    weights = np.array(sung) if sum(sung) > 0 else np.ones(len(sung))
    return float(np.average(found, weights=weights))


def rated(log_odds: float, facts: FitFacts) -> Fit:
    """A song's log odds beside the anchors and the floor of the pack."""
    return Fit(
        log_odds,
        _percentile(log_odds, facts.true),
        _percentile(log_odds, facts.shuffled),
        log_odds < facts.floor,
    )


def _percentile(value: float, quantiles: tuple[float, ...]) -> float:
    """Where ``value`` lies among 101 ascending quantiles, 0-100, between two of them by its distance."""
    return float(np.interp(value, quantiles, np.arange(len(quantiles), dtype=np.float64)))
