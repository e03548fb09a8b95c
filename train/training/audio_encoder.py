"""Stage of the audio encoder: from the spectrum of a recording to the roll of its notes.

The loss is that of the score VAE. Recordings vary in level and noise but renders do not, so both are varied
at random.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor, nn

from appliance.music.roll import DRUM_ONSET, ONSET, SUSTAIN
from appliance.music.score import STYLES
from appliance.networks.condition_rows import STYLE_ROWS
from appliance.networks.log_frequency import FLOOR_DB
from train.data.crops import draw_rows
from train.data.renders import CROP_FRAMES, LOUDEST, Render
from train.networks.audio_encoder import AudioEncoder, AudioEncoderConfig
from train.training.score_vae import drum_planes, pitched_planes, reconstruction_terms
from train.training.stage import Batch

LEVEL_DB = 12.0
"""Recordings are made up to this much louder or softer than renders."""

STYLE_UNKNOWN = 0.25
"""Share of crops without their style."""


class AudioEncoderStage:
    """Random stretches of rendered crops at random levels."""

    name = "audio encoder"

    def __init__(
        self,
        config: AudioEncoderConfig,
        train: Sequence[Render],
        val: Sequence[Render],
        batch: int = 16,
        frames: int = 86,
    ) -> None:
        self.model: nn.Module = AudioEncoder(config)
        self.train, self.batch, self.frames = train, batch, frames
        rng = np.random.default_rng(1)
        self._held_out = [self._stacked([self._item(r, rng, vary=False) for r in val])] if val else []

    def batches(self, rng: np.random.Generator) -> Iterator[Batch]:
        while True:
            chosen = [self.train[rng.integers(len(self.train))] for _ in range(self.batch)]
            yield self._stacked([self._item(render, rng) for render in chosen])

    def _item(self, render: Render, rng: np.random.Generator, vary: bool = True) -> list[np.ndarray]:
        first = int(rng.integers(CROP_FRAMES - self.frames + 1))
        spectrum = render.spectrum[:, first : first + self.frames].astype(np.float32) / LOUDEST
        style = np.zeros((STYLE_ROWS, 1), np.float32)
        style[STYLES.index(render.style)] = 1.0
        if vary:
            spectrum += rng.uniform(-LEVEL_DB, LEVEL_DB) / -FLOOR_DB
            spectrum = np.maximum(spectrum, rng.uniform(0.0, 0.3))  # room noise
            spectrum += rng.normal(0.0, 0.01, spectrum.shape).astype(np.float32)
            if rng.uniform() < STYLE_UNKNOWN:
                style = np.eye(STYLE_ROWS, dtype=np.float32)[-1:].T
        return [spectrum, style, draw_rows(render.notes, first, self.frames)]

    @staticmethod
    def _stacked(items: list[list[np.ndarray]]) -> Batch:
        names = ("spectrum", "style", "rows")
        return {
            name: torch.from_numpy(np.stack([item[k] for item in items], dtype=np.float32))
            for k, name in enumerate(names)
        }

    def loss(self, model: nn.Module, batch: Batch) -> dict[str, Tensor]:
        logits = model(batch["spectrum"], batch["style"])
        terms = reconstruction_terms(logits.float(), batch["rows"])
        return {"loss": torch.stack(list(terms.values())).sum(), **terms}

    def validate(self, model: nn.Module) -> dict[str, float]:
        hits = np.zeros((3, 3))
        for batch in self._held_out:
            painted = torch.sigmoid(model(batch["spectrum"], batch["style"]))
            truth = batch["rows"]
            pairs = [
                (pitched_planes(truth)[:, :, plane] > 0.5, pitched_planes(painted)[:, :, plane] > 0.5)
                for plane in (ONSET, SUSTAIN)
            ]
            pairs.append(
                (drum_planes(truth)[:, :, DRUM_ONSET] > 0.5, drum_planes(painted)[:, :, DRUM_ONSET] > 0.5)
            )
            for k, (wanted, found) in enumerate(pairs):
                hits[k] += [int((wanted & found).sum()), int(wanted.sum()), int(found.sum())]
        onset, sustain, drums = (2 * h[0] / max(1.0, h[1] + h[2]) for h in hits)
        return {"onset_f1": onset, "sustain_f1": sustain, "drums_f1": drums}
