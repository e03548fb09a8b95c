"""Stage 3, the denoiser: rectified flow on latents, conditioned on vocal, plan and beats.

x_t = (1 - t)·data + t·noise with t from a logit-normal distribution, as in Esser et al. (arXiv 2403.03206,
section 3.1). The network learns the velocity noise - data. Frames of the context do not count in the loss.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor, nn

from train.data.windows import WindowSource
from train.networks.denoiser import DenoiserConfig
from train.networks.generator import Generator
from train.networks.precision import mixed_precision
from train.training.stage import Batch

TIMESTEP_MEAN, TIMESTEP_SPREAD = 0.3, 1.2


class DenoiserStage:
    """Random windows of random songs in random styles."""

    name = "denoiser"

    def __init__(
        self,
        config: DenoiserConfig,
        train: WindowSource,
        val: WindowSource,
        batch: int = 16,
        frames: int = 256,
    ) -> None:
        self.model: nn.Module = Generator(config)
        self.train, self.batch, self.frames = train, batch, frames
        rng = np.random.default_rng(2)
        self._held_out = [self._batch(val, rng) for _ in range(4)] if val.songs else []

    def batches(self, rng: np.random.Generator) -> Iterator[Batch]:
        while True:
            yield self._batch(self.train, rng)

    def _batch(self, source: WindowSource, rng: np.random.Generator) -> Batch:
        items = [source.window(self.frames, rng) for _ in range(self.batch)]
        batch = {name: np.stack([item[name] for item in items]) for name in items[0]}
        normal = rng.normal(TIMESTEP_MEAN, TIMESTEP_SPREAD, (self.batch, 1, 1))
        batch["timestep"] = (1.0 / (1.0 + np.exp(-normal))).astype(np.float32)
        batch["noise"] = rng.standard_normal(batch["latent"].shape).astype(np.float32)
        return {name: torch.from_numpy(values) for name, values in batch.items()}

    def loss(self, model: nn.Module, batch: Batch) -> dict[str, Tensor]:
        t, data, noise = batch["timestep"], batch["latent"], batch["noise"]
        noisy = (1.0 - t) * data + t * noise
        tokens, keys_values = model.condition(batch["rows"], batch["style"])
        velocity = model.denoiser(
            noisy, batch["context"], batch["known"], t, tokens, keys_values, batch["style"], batch["valid"]
        )
        scored = batch["valid"] * (1.0 - batch["known"])
        error = (velocity.float() - (noise - data)).square().mean(dim=1, keepdim=True)
        return {"loss": (error * scored).sum() / scored.sum()}

    def validate(self, model: nn.Module) -> dict[str, float]:
        with mixed_precision("cpu"):
            losses = [float(self.loss(model, batch)["loss"]) for batch in self._held_out]
        return {"loss": sum(losses) / max(1, len(losses))}
