"""Scale of the fit score: scores of true and of shuffled pairs of validation songs, and a floor.

Scores are computed as the appliance does for a take (:func:`appliance.composing.fit.song_value`), on the
first minute of one performance of every song, with beats given as often as at run time. True pairs have the
written part or another arrangement of it. Shuffled pairs have other songs in their own keys.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from appliance.composing.fit import Judge, song_value
from appliance.grid import FRAMES_PER_PLAN
from appliance.music.score import STYLES
from appliance.networks.band_rows import draw_band
from appliance.packs.manifest import FitFacts
from train.data import damage
from train.data.pairs import PairSource, given_phases
from train.networks.fit import FitNet

ANCHORS_NAME = "anchors.json"
EXCERPT_FRAMES = 1280
"""One minute, in score frames."""

OTHER_SONGS = 3
"""Number of other songs that each song is paired with."""

Floats = NDArray[np.float64]


def judge_of(network: FitNet) -> Judge:
    """The network behind the interface through which the appliance calls its graph."""

    @torch.inference_mode()
    def judge(features: NDArray[np.float32], phases: NDArray[np.float32], band: NDArray[np.float32]) -> float:
        inputs = (torch.from_numpy(np.ascontiguousarray(rows))[None] for rows in (features, phases, band))
        return float(network(*inputs))

    return judge


def anchor_scores(judge: Judge, source: PairSource) -> tuple[Floats, Floats]:
    """Scores of the true and of the shuffled pairs of all songs of ``source``."""
    rng = np.random.default_rng(6)
    true, shuffled = [], []
    for number, song in enumerate(source.songs):
        frames = min(song.frames, EXCERPT_FRAMES) // FRAMES_PER_PLAN * FRAMES_PER_PLAN
        features, plan = source.heard(song, 0, frames, rng)
        beats = given_phases(song, 0, frames, rng)
        for style in (STYLES[0], STYLES[1 + int(rng.integers(len(song.scores) - 1))]):
            true.append(song_value(judge, features, beats, plan, draw_band(song.scores[style], 0, frames)))
        for stride in range(1, OTHER_SONGS + 1):
            step = stride * len(source.songs) // (OTHER_SONGS + 1)
            other = source.songs[(number + step) % len(source.songs)]
            both = min(frames, other.frames // FRAMES_PER_PLAN * FRAMES_PER_PLAN)
            home = source.shifts[song.id] - source.shifts[other.id]
            band = draw_band(damage.transposed(other.scores[STYLES[0]], home), 0, both)
            part = plan[:, : both // FRAMES_PER_PLAN]
            shuffled.append(song_value(judge, features[:, :both], beats[:, :both], part, band))
    return np.array(true), np.array(shuffled)


def floor_between(true: Floats, shuffled: Floats) -> float:
    """The score below which a pair is more likely shuffled than true, if both are equally common.

    This is the threshold that separates them best (Youden's J, Cancer 3:32, 1950), or the middle of a range
    of equally good thresholds.
    """
    scores = np.sort(np.concatenate([true, shuffled]))
    thresholds = (scores[1:] + scores[:-1]) / 2
    right = [np.mean(true >= t) - np.mean(shuffled >= t) for t in thresholds]
    best = thresholds[np.isclose(right, max(right))]
    return float((best.min() + best.max()) / 2)


def fit_facts(true: Floats, shuffled: Floats) -> FitFacts:
    """Quantiles and floor in the form that a pack stores."""
    shares = np.linspace(0.0, 1.0, 101)
    return FitFacts(
        true=tuple(np.quantile(true, shares).round(4).tolist()),
        shuffled=tuple(np.quantile(shuffled, shares).round(4).tolist()),
        floor=round(floor_between(true, shuffled), 4),
    )


def write_anchors(network: FitNet, source: PairSource, run: Path) -> FitFacts:
    """Measure the anchors and write them to ``anchors.json`` in ``run``, for the checkpoint."""
    facts = fit_facts(*anchor_scores(judge_of(network.eval()), source))
    (run / ANCHORS_NAME).write_text(facts.model_dump_json(indent=1) + "\n")
    return facts


def read_anchors(run: Path) -> dict[str, object]:
    """Read what :func:`write_anchors` stored.

    Raises:
        FileNotFoundError: training of the fit network has not finished.
    """
    path = run / ANCHORS_NAME
    if not path.is_file():
        raise FileNotFoundError(f"{path}: missing; run `python -m train fit` to its end")
    anchors: dict[str, object] = json.loads(path.read_text())
    return anchors
