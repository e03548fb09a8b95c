"""Stage 1, the score VAE: reconstruct the roll from 64 latent channels per frame.

Loss per latent frame: binary cross entropy of onset, sustain and drum cells; squared error of offset and
velocity where notes start; and a small KL term, which keeps the latent smooth enough to generate (with a
small weight as in Rombach et al., arXiv 2112.10752).

Letters: B batch, R = ROLL_ROWS, T score frames, G groups, P pitches, D drum keys.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from appliance.music.roll import (
    DRUM_OFFSET,
    DRUM_ONSET,
    DRUM_PLANES,
    DRUM_VELOCITY,
    OFFSET,
    ONSET,
    PLANES,
    SUSTAIN,
    VELOCITY,
)
from appliance.music.score import GROUPS, PITCHES
from train.data.crops import random_crops
from train.data.song_cache import CachedSong
from train.networks.vae import DRUM_ROWS, PITCHED_ROWS, ScoreVae, VaeConfig
from train.training.stage import Batch

ONSET_WEIGHT = 2.0
"""Weight of missed onsets: each is a missing note, while a false onset is often below the threshold."""


class ScoreVaeStage:
    """Random crops of random styles in random transpositions."""

    name = "score VAE"

    def __init__(
        self,
        config: VaeConfig,
        train: Sequence[CachedSong],
        val: Sequence[CachedSong],
        batch: int = 16,
        frames: int = 192,
        kl_weight: float = 0.01,
    ) -> None:
        self.model: nn.Module = ScoreVae(config)
        self.train, self.batch, self.frames, self.kl_weight = train, batch, frames, kl_weight
        rng = np.random.default_rng(1)
        self._held_out = torch.from_numpy(random_crops(val, 64, frames, rng, transpose=0)) if val else None

    def batches(self, rng: np.random.Generator) -> Iterator[Batch]:
        while True:
            yield {"rows": torch.from_numpy(random_crops(self.train, self.batch, self.frames, rng))}

    def loss(self, model: nn.Module, batch: Batch) -> dict[str, Tensor]:
        logits, mean, log_variance = model(batch["rows"])
        terms = reconstruction_terms(logits.float(), batch["rows"])
        mean, log_variance = mean.float(), log_variance.float()
        kl = 0.5 * (mean.square() + log_variance.exp() - 1.0 - log_variance).sum(dim=1).mean()
        return {"loss": sum(terms.values()) + self.kl_weight * kl, **terms, "kl_nats": kl}

    def validate(self, model: nn.Module) -> dict[str, float]:
        if self._held_out is None:
            return {}
        hits = np.zeros((2, 3))
        for rows in self._held_out.split(self.batch):
            mean, _ = model.encoder(rows)
            painted = torch.sigmoid(model.decoder(mean))
            for k, (plane, level) in enumerate(((ONSET, 0.5), (SUSTAIN, 0.5))):
                truth = pitched_planes(rows)[:, :, plane] > level
                found = pitched_planes(painted)[:, :, plane] > level
                hits[k] += [(truth & found).sum(), truth.sum(), found.sum()]
        onset, sustain = (2 * h[0] / max(1.0, h[1] + h[2]) for h in hits)
        return {"onset_f1": onset, "sustain_f1": sustain}


def pitched_planes(rows: Tensor) -> Tensor:
    """Planes of pitched groups: stacked roll (B, R, T) -> (B, G, 4, P, T)."""
    return rows[:, :PITCHED_ROWS].reshape(-1, len(GROUPS), PLANES, PITCHES, rows.shape[-1])


def drum_planes(rows: Tensor) -> Tensor:
    """Planes of drums: stacked roll (B, R, T) -> (B, D, 3, T)."""
    return rows[:, PITCHED_ROWS:].reshape(-1, DRUM_ROWS // DRUM_PLANES, DRUM_PLANES, rows.shape[-1])


def reconstruction_terms(logits: Tensor, rows: Tensor) -> dict[str, Tensor]:
    """The terms of the reconstruction loss, each summed over the cells of a latent frame and averaged.

    ``logits`` and ``rows`` are (B, R, T).
    """
    painted, truth = pitched_planes(logits), pitched_planes(rows)
    drums, hits = drum_planes(logits), drum_planes(rows)
    frames = logits.shape[0] * logits.shape[-1] / 2.0
    started, hit = truth[:, :, ONSET], hits[:, :, DRUM_ONSET]
    weight = torch.full((), ONSET_WEIGHT, device=logits.device)

    def error(planes: Tensor, target: Tensor, where: Tensor) -> Tensor:
        return ((torch.sigmoid(planes) - target).square() * where).sum() / frames

    fine = error(painted[:, :, OFFSET], truth[:, :, OFFSET], started)
    fine = fine + error(drums[:, :, DRUM_OFFSET], hits[:, :, DRUM_OFFSET], hit)
    loud = error(painted[:, :, VELOCITY], truth[:, :, VELOCITY], started)
    loud = loud + error(drums[:, :, DRUM_VELOCITY], hits[:, :, DRUM_VELOCITY], hit)
    bce = F.binary_cross_entropy_with_logits
    return {
        "onset": bce(painted[:, :, ONSET], started, reduction="sum", pos_weight=weight) / frames,
        "sustain": bce(painted[:, :, SUSTAIN], truth[:, :, SUSTAIN], reduction="sum") / frames,
        "drums": bce(drums[:, :, DRUM_ONSET], hit, reduction="sum", pos_weight=weight) / frames,
        "offset": 20.0 * fine,
        "velocity": 10.0 * loud,
    }
