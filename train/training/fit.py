"""Stage 5, the fit network: recognise the accompaniment of a vocal, and rank worse ones.

Three losses are added. *which*: among all accompaniments of the batch in the same key, and its own in every
other key, find the vocal's own, and vice versa (InfoNCE, arXiv 1807.03748). *whether*: separate the true pair
from another song's accompaniment in its own key, which turns the score into log odds. *rank*: score
differences between accompaniments of one stretch follow their differences in quality (a soft RankNet, Burges
et al., ICML 2005), so that plausible takes are ordered correctly.

Letters: B stretches, K accompaniments each, G aspects.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from train.data.pairs import PairSource
from train.networks.fit import FitConfig, FitNet
from train.training.stage import Batch

RANK_SCALE = 10.0
"""Target difference in log odds between the written accompaniment and another song's."""

RANK_WEIGHT, WHETHER_WEIGHT = 4.0, 0.5


class FitStage:
    """Random stretches of random performances."""

    name = "fit"

    def __init__(
        self,
        config: FitConfig,
        train: PairSource,
        val: PairSource,
        batch: int = 16,
        frames: int = 256,
        made: int = 5,
    ) -> None:
        self.model: nn.Module = FitNet(config)
        self.train, self.batch, self.frames, self.made = train, batch, frames, made
        rng = np.random.default_rng(5)
        self._held_out = [self._batch(val, rng) for _ in range(4)] if val.songs else []

    def batches(self, rng: np.random.Generator) -> Iterator[Batch]:
        while True:
            yield self._batch(self.train, rng)

    def _batch(self, source: PairSource, rng: np.random.Generator) -> Batch:
        items = [source.item(self.frames, self.made, rng) for _ in range(self.batch)]
        return {name: torch.from_numpy(np.stack([item[name] for item in items])) for name in items[0]}

    def loss(self, model: nn.Module, batch: Batch) -> dict[str, Tensor]:
        scores = self._scores(model, batch)
        own = torch.arange(len(scores["pairs"]), device=scores["pairs"].device)
        others = torch.cat([scores["pairs"], scores["moved"]], dim=1)
        which = F.cross_entropy(others, own) + F.cross_entropy(scores["pairs"].T, own)
        whether = F.softplus(-scores["pairs"].diagonal()).mean() + F.softplus(scores["strangers"]).mean()
        rank = _rank_loss(scores["made"], batch["quality"])
        total = which + WHETHER_WEIGHT * whether + RANK_WEIGHT * rank
        return {"loss": total, "which": which, "whether": whether, "rank": rank}

    def _scores(self, model: nn.Module, batch: Batch) -> dict[str, Tensor]:
        """Log odds by kind.

        ``pairs`` (B, B): each vocal with each true accompaniment; ``moved`` (B, 11): its own in all other
        keys; ``strangers`` (B,): another song's in its own key; ``made`` (B, K): all accompaniments of the
        stretch.
        """
        stretches, count = batch["bands"].shape[:2]
        vocal = model.embed_vocal(batch["features"], batch["phases"]).float()
        bands = model.embed_band(batch["bands"].flatten(0, 1)).float()
        units = model.unit(bands).reshape(stretches, count, model.config.aspects, -1)
        heard = model.unit(vocal)
        true = bands.reshape(stretches, count, *bands.shape[1:])[:, 0]

        def odds(cosines: Tensor) -> Tensor:
            found: Tensor = model.log_odds(cosines)
            return found.squeeze(-1)

        moved = [odds((heard * model.unit(true.roll(k, dims=2))).sum(dim=2)) for k in range(1, 12)]
        home = (batch["shift"] - batch["shift"].roll(1)).tolist()
        strangers = torch.stack(
            [band.roll(int(k), dims=1) for band, k in zip(true.roll(1, dims=0), home, strict=True)]
        )
        return {
            "pairs": odds(torch.einsum("bgn,mgn->bmg", heard, units[:, 0])),
            "moved": torch.stack(moved, dim=1),
            "strangers": odds((heard * model.unit(strangers)).sum(dim=2)),
            "made": odds(torch.einsum("bgn,bkgn->bkg", heard, units)),
        }

    def validate(self, model: nn.Module) -> dict[str, float]:
        """The losses, how often the true accompaniment is found, and the agreement of order with quality."""
        sums: dict[str, float] = {}
        for batch in self._held_out:
            losses = {k: float(v) for k, v in self.loss(model, batch).items()}
            scores = self._scores(model, batch)
            pairs = scores["pairs"]
            losses["found"] = float((pairs.argmax(dim=1) == torch.arange(len(pairs))).float().mean())
            losses["beats_stranger"] = float((pairs.diagonal() > scores["strangers"]).float().mean())
            losses["order"] = float(_agreement(scores["made"], batch["quality"]))
            for name, value in losses.items():
                sums[name] = sums.get(name, 0.0) + value / len(self._held_out)
        return sums


def _rank_loss(scores: Tensor, quality: Tensor) -> Tensor:
    """Excess cross entropy of scores against qualities (both (B, K)), over all pairs of each stretch."""
    apart = scores[:, :, None] - scores[:, None]
    wanted = torch.sigmoid(RANK_SCALE * (quality[:, :, None] - quality[:, None]))
    surprise = F.binary_cross_entropy_with_logits(apart, wanted, reduction="none")
    least = F.binary_cross_entropy(wanted, wanted, reduction="none")
    return (surprise - least).mean()


def _agreement(scores: Tensor, quality: Tensor) -> Tensor:
    """Share of pairs of a stretch that scores and qualities (both (B, K)) order alike, without ties."""
    same = (scores[:, :, None] - scores[:, None]).sign() * (quality[:, :, None] - quality[:, None]).sign()
    return (same[same != 0] > 0).float().mean()
