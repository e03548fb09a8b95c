"""Stage 2, the planner: from vocal features to plan, key and beats."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from appliance.grid import FRAMES_PER_PLAN
from appliance.music.beat_grid import phases
from appliance.vocal.features import transposed
from train.data.song_cache import CachedSong
from train.data.targets import beat_targets, cut, key_index
from train.networks.planner import Planner, PlannerConfig
from train.training.stage import Batch

BEAT_WEIGHT = 3.0
"""Weight of beat frames in the loss, because most frames have no beat."""


class PlannerStage:
    """Random stretches of random performances, in all twelve transpositions."""

    name = "planner"

    def __init__(
        self,
        config: PlannerConfig,
        train: Sequence[CachedSong],
        val: Sequence[CachedSong],
        melodies: Path,
        batch: int = 16,
        frames: int = 1024,
    ) -> None:
        self.model: nn.Module = Planner(config)
        self.train, self.melodies, self.batch, self.frames = train, melodies, batch, frames
        rng = np.random.default_rng(1)
        self._held_out = [self._batch(val, rng, transpose=False) for _ in range(4)] if val else []

    def batches(self, rng: np.random.Generator) -> Iterator[Batch]:
        while True:
            yield self._batch(self.train, rng)

    def _batch(self, songs: Sequence[CachedSong], rng: np.random.Generator, transpose: bool = True) -> Batch:
        items = [
            self.item(songs[rng.integers(len(songs))], self.melodies, self.frames, rng, transpose)
            for _ in range(self.batch)
        ]
        return {name: torch.from_numpy(np.stack([item[name] for item in items])) for name in items[0]}

    @staticmethod
    def item(
        song: CachedSong, melodies: Path, length: int, rng: np.random.Generator, transpose: bool
    ) -> dict[str, NDArray[np.float32]]:
        """Inputs and targets of a random stretch of ``length`` score frames of a random performance."""
        takes = np.load(melodies / f"{song.id}.npy", mmap_mode="r")
        first = int(rng.integers(max(1, song.frames - length // 2))) // FRAMES_PER_PLAN * FRAMES_PER_PLAN
        shift = int(rng.integers(12)) if transpose else 0
        features = transposed(cut(takes[rng.integers(len(takes))], first, length), shift)
        plan_length = length // FRAMES_PER_PLAN
        plan = cut(song.plan, first // FRAMES_PER_PLAN, plan_length).reshape(2, 12, plan_length)
        beats = np.array(song.grid.beats_s, np.float64)
        known = cut(phases(song.grid, song.frames), first, length) * float(rng.uniform() < 0.5)
        key = key_index(song.key)
        both = (beats, beats[list(song.grid.downbeats)])
        return {
            "features": features,
            "phases": known.astype(np.float32),
            "plan": np.roll(plan, shift, axis=1).reshape(24, plan_length),
            "beats": np.stack([beat_targets(times, first, length) for times in both]),
            "key": np.array((key + shift) % 12 + 12 * (key // 12)),
            "valid": (np.arange(length) < song.frames - first).astype(np.float32),
        }

    def loss(self, model: nn.Module, batch: Batch) -> dict[str, Tensor]:
        plan, key, beats = (x.float() for x in model(batch["features"], batch["phases"]))
        valid = batch["valid"].unsqueeze(1)
        plan_valid = valid[:, :, ::FRAMES_PER_PLAN]
        weight = torch.full((), BEAT_WEIGHT, device=beats.device)
        bce = F.binary_cross_entropy_with_logits
        harmony = bce(plan, batch["plan"], plan_valid.expand_as(plan), reduction="sum")
        harmony = harmony / plan_valid.sum() / 24
        beat = bce(beats, batch["beats"], valid.expand_as(beats), reduction="sum", pos_weight=weight)
        beat = beat / valid.sum() / 2
        key_loss = F.cross_entropy(key, batch["key"])
        return {"loss": harmony + beat + 0.05 * key_loss, "harmony": harmony, "beat": beat, "key": key_loss}

    def validate(self, model: nn.Module) -> dict[str, float]:
        sums: dict[str, float] = {}
        for batch in self._held_out:
            losses = {k: float(v) for k, v in self.loss(model, batch).items()}
            plan, key, _ = model(batch["features"], batch["phases"])
            valid = batch["valid"][:, ::FRAMES_PER_PLAN] * (batch["plan"][:, :12].sum(dim=1) > 0)
            cosine = F.cosine_similarity(torch.sigmoid(plan[:, :12]), batch["plan"][:, :12], dim=1)
            losses["chroma_cosine"] = float((cosine * valid).sum() / valid.sum())
            signature = [(k + 3) % 12 if k >= 12 else k for k in key.argmax(dim=1).tolist()]
            truth = [(k + 3) % 12 if k >= 12 else k for k in batch["key"].tolist()]
            hits = [a == b for a, b in zip(signature, truth, strict=True)]
            losses["signature_right"] = sum(hits) / len(hits)
            for name, value in losses.items():
                sums[name] = sums.get(name, 0.0) + value / len(self._held_out)
        return sums
