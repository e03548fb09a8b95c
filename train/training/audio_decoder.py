"""Stage of the audio decoder: from the notes of a stem to the sound that the band made of them.

Every stem of a crop is a separate example, so the network learns each instrument alone. The loss compares
spectra, not samples, because phases come from the sources. On a GPU, discriminators can be added
(:mod:`train.training.adversary`).

Letters: B batch, F frames, E sources, K bins, S samples.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor, nn

from appliance.music.note_rows import ALL_GROUPS
from appliance.music.score import STYLES
from appliance.networks.condition_rows import style_row
from appliance.playing.excitation import SOURCES, Excitation
from appliance.playing.source_filter import BANDS, HOP_SAMPLES, WINDOW_SAMPLES, bands, sources_of, window
from train.data.renders import CROP_SAMPLES, Render
from train.networks.audio_decoder import GROUP_ROWS, AudioDecoder, AudioDecoderConfig
from train.training.adversary import WEIGHT, Adversary
from train.training.spectral_loss import spectral_terms
from train.training.stage import Batch

EDGE_FRAMES = 12
"""Frames at both ends that lack context and are left out of the loss."""

MIN_RMS = 1e-3
"""Stretches below this RMS are drawn again, up to a few times."""

LINEAR_WEIGHT = 1.0


class AudioDecoderStage:
    """Random stretches of random stems."""

    name = "audio decoder"

    def __init__(
        self,
        config: AudioDecoderConfig,
        train: Sequence[Render],
        val: Sequence[Render],
        batch: int = 16,
        frames: int = 96,
        adversary: Adversary | None = None,
    ) -> None:
        self.model: nn.Module = AudioDecoder(config)
        self.adversary = adversary
        self.batch, self.frames = batch, frames
        self._stems = [(render, k) for render in train for k in range(len(render.groups))]
        rng = np.random.default_rng(1)
        held_out = [(render, k) for render in val for k in range(len(render.groups))]
        self._held_out = [
            _stacked([self._item(*stem, rng) for stem in held_out[first : first + batch]])
            for first in range(0, len(held_out), batch)
        ]

    def batches(self, rng: np.random.Generator) -> Iterator[Batch]:
        while True:
            chosen = [self._stems[rng.integers(len(self._stems))] for _ in range(self.batch)]
            yield _stacked([self._item(*stem, rng) for stem in chosen])

    def _item(self, render: Render, number: int, rng: np.random.Generator) -> list[np.ndarray]:
        group = ALL_GROUPS[int(render.groups[number])]
        last = CROP_SAMPLES // HOP_SAMPLES - self.frames - 4  # the end of a crop fades out
        stem = render.stem(number)
        for _ in range(4):
            first = int(rng.integers(0, last))
            wanted = stem[HOP_SAMPLES * first : HOP_SAMPLES * (first + self.frames - 1)]
            if np.sqrt(np.mean(np.square(wanted))) > MIN_RMS:
                break
        excitation = Excitation(render.score.only(group).notes, render.style, group)
        spectrum, rows = sources_of(excitation, first, self.frames)
        member = np.eye(GROUP_ROWS, dtype=np.float32)[int(render.groups[number])][:, None]
        return [spectrum.real, spectrum.imag, rows, style_row(STYLES.index(render.style)), member, wanted]

    def loss(self, model: nn.Module, batch: Batch) -> dict[str, Tensor]:
        gains = model(batch["rows"], batch["style"], batch["group"])
        with torch.autocast(gains.device.type, enabled=False):
            made, wanted = (
                _inner(sound_of(batch["real"], batch["imag"], gains.float())),
                _inner(batch["sound"]),
            )
            terms = spectral_terms(made, wanted)
            total = terms["mel"] + LINEAR_WEIGHT * terms["linear"]
            if self.adversary is not None and torch.is_grad_enabled():
                terms["caught"] = self.adversary.learn(made, wanted)
                terms |= self.adversary.terms(made, wanted)
                total = total + WEIGHT * (terms["fooled"] + terms["features"])
        return {"loss": total, **terms}

    def validate(self, model: nn.Module) -> dict[str, float]:
        found = [self.loss(model, batch) for batch in self._held_out]
        return (
            {name: float(np.mean([float(f[name]) for f in found])) for name in ("mel", "linear")}
            if found
            else {}
        )


def sound_of(real: Tensor, imag: Tensor, gains: Tensor) -> Tensor:
    """Spectra of sources (B, E, K, F), real and imaginary, and log gains (B, GAIN_ROWS, F) -> sound (B, S).

    The same as ``filtered`` and ``istft`` of :mod:`appliance.playing.source_filter`, but differentiable.
    """
    shares = torch.from_numpy(bands()).to(gains.device)
    by_band = gains.reshape(gains.shape[0], SOURCES, BANDS, -1)
    shape = torch.exp(torch.matmul(shares.T, by_band))
    spectrum = torch.complex((real * shape).sum(dim=1), (imag * shape).sum(dim=1))
    halves = torch.from_numpy(window()).to(gains.device)
    frames = torch.fft.irfft(spectrum.transpose(1, 2), WINDOW_SAMPLES) * halves
    return (frames[:, :-1, HOP_SAMPLES:] + frames[:, 1:, :HOP_SAMPLES]).flatten(1)


def _inner(sound: Tensor) -> Tensor:
    edge = EDGE_FRAMES * HOP_SAMPLES
    return sound[:, edge:-edge]


def _stacked(items: list[list[np.ndarray]]) -> Batch:
    names = ("real", "imag", "rows", "style", "group", "sound")
    return {
        name: torch.from_numpy(np.stack([item[k] for item in items], dtype=np.float32))
        for k, name in enumerate(names)
    }
