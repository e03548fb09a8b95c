"""How well the fit score distinguishes true accompaniments from wrong ones, by kind of fault.

It scores the first minute of validation songs with the written part, another song's, every hard negative and
a series of worsened ones. AUC (Mann and Whitney, 1947) is how often a true pair scores above a wrong pair of
any song; *same song* is how often it does for the same vocal.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import mannwhitneyu, spearmanr

from appliance.composing.fit import Judge, song_value
from appliance.grid import FRAMES_PER_PLAN
from appliance.music.score import STYLES
from appliance.networks.band_rows import draw_band
from train.checkpoints.fit_anchors import EXCERPT_FRAMES
from train.data import damage
from train.data.pairs import PairSource, given_phases
from train.data.quality import qualities
from train.evaluate.measures.gap import Estimate, mean

Array = NDArray[np.float32]

WORSENED = 8
"""Worsened accompaniments per song, from slight to bad."""

SHUFFLED = "another song, its own key"


@dataclass(frozen=True, slots=True)
class KindResult:
    """Results for one kind of wrong accompaniment."""

    kind: str
    auc: float
    same_song: float


@dataclass(frozen=True, slots=True)
class TellingApart:
    """Results for all kinds, and the rank correlation of score and quality among each song's worsened
    ones."""

    songs: int
    kinds: tuple[KindResult, ...]
    order: Estimate

    def as_table(self) -> str:
        """The results as a Markdown table."""
        rows = [f"| {told.kind} | {told.auc:.3f} | {told.same_song:.2f} |" for told in self.kinds]
        return "\n".join(
            [
                f"{self.songs} validation songs. Rank correlation with quality: {self.order}.",
                "",
                "| wrong accompaniment | AUC | same song |",
                "|---|---:|---:|",
                *rows,
            ]
        )


def telling_apart(judge: Judge, source: PairSource, count: int) -> TellingApart:
    """Judge ``count`` songs of ``source``, spread evenly over it."""
    rng = np.random.default_rng(8)
    true: list[float] = []
    wrong: dict[str, list[float]] = {}
    orders = []
    chosen = range(min(count, len(source.songs)))
    for number in (k * len(source.songs) // len(chosen) for k in chosen):
        song = source.songs[number]
        frames = min(song.frames, EXCERPT_FRAMES) // FRAMES_PER_PLAN * FRAMES_PER_PLAN
        features, plan = source.heard(song, 0, frames, rng)
        beats = given_phases(song, 0, frames, rng)
        written = song.scores[STYLES[0]]

        heard = (features, beats, plan)

        def values(made: Sequence[Array], heard=heard, frames=frames):  # type: ignore[no-untyped-def]
            bands = [draw_band(notes, 0, frames) for notes in made]
            return [song_value(judge, *heard, band) for band in bands], np.stack(bands)

        other = source.songs[(number + len(source.songs) // 2) % len(source.songs)]
        home = source.shifts[song.id] - source.shifts[other.id]
        strangers = {SHUFFLED: damage.transposed(other.scores[STYLES[0]], home)}
        borrowed = (other.scores[STYLES[0]], damage.bars_of(other))
        negatives = damage.hard_negatives(song, written, borrowed, rng)
        kinds = {**strangers, **{kind: make() for kind, make in negatives.items()}}
        found, _ = values([written, *kinds.values()])
        true.append(found[0])
        for kind, score in zip(kinds, found[1:], strict=True):
            wrong.setdefault(kind, []).append(score)
        amounts = np.linspace(0.1, 1.0, WORSENED)
        made = [written, *(damage.worsened(song, written, borrowed, a, rng) for a in amounts)]
        found, bands = values(made)
        orders.append(float(spearmanr(found, qualities(song, made, bands, 0, frames)).statistic))
    told = [
        KindResult(
            kind,
            float(mannwhitneyu(true, found).statistic) / len(true) / len(found),
            float(np.mean(np.array(true) > np.array(found))),
        )
        for kind, found in wrong.items()
    ]
    return TellingApart(len(true), tuple(told), mean(orders))
