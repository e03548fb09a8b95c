"""Audio encoder: spectrum of a recording -> roll of its notes.

For every key the network gets the bins of its fundamental and its harmonics (harmonic stacking as in Bittner
et al., arXiv 2203.09893), then convolves over keys and time. Weights are shared over keys, apart from a
learned bias per key. The score VAE's encoder turns the roll into a latent, so recordings and scores share one
latent space.

Letters: B batch, T score frames, F = 324 spectrum bins, C channels, P = 88 keys, S styles + 1, R = ROLL_ROWS.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from appliance.music.score import PITCHES
from appliance.networks.condition_rows import STYLE_ROWS
from appliance.networks.log_frequency import BINS, BINS_PER_SEMITONE, SHORT_VIEWS, VIEWS
from train.networks.vae import DRUM_ROWS, PITCHED_PLANES, Residual1d

HARMONICS = (0.5, 1, 2, 3, 4, 5, 6, 7)
OFFSETS = tuple(round(12 * BINS_PER_SEMITONE * math.log2(h)) for h in HARMONICS)
KEY_BINS = PITCHES * BINS_PER_SEMITONE
DRUM_POOL = 12
"""Bins pooled for drums: four semitones, because drums have no pitch to resolve."""

USUAL_LEVEL = 0.3
"""Approximate mean of a spectrum, which is subtracted from the input."""


@dataclass(frozen=True, slots=True)
class AudioEncoderConfig:
    """``channels`` per key, ``dilations`` over keys of the residual blocks (12: octaves), ``drum``
    channels."""

    channels: int = 32
    dilations: tuple[int, ...] = (1, 12, 1, 12, 1, 7)
    drum: int = 96
    style_rows: int = STYLE_ROWS


class KeyBlock(nn.Module):
    """x + conv(gelu(conv(gelu(x)))) on (B, C, P, T), dilated over keys, initialised near the identity."""

    def __init__(self, channels: int, dilation: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=(dilation, 1), dilation=(dilation, 1))
        self.second = nn.Conv2d(channels, channels, 3, padding=1)
        nn.init.normal_(self.second.weight, std=0.3 * (channels * 9) ** -0.5)
        nn.init.zeros_(self.second.bias)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.second(F.gelu(self.first(F.gelu(x))))


class AudioEncoder(nn.Module):
    """The network; see :meth:`forward`."""

    def __init__(self, config: AudioEncoderConfig) -> None:
        super().__init__()
        self.config = config
        width = config.channels
        self.stack = nn.Conv2d(
            VIEWS * len(HARMONICS), width, (5, 3), stride=(BINS_PER_SEMITONE, 1), padding=(1, 1)
        )
        self.style = nn.Conv1d(config.style_rows, width, 1)
        self.register = nn.Parameter(torch.zeros(1, width, PITCHES, 1))
        self.blocks = nn.Sequential(*(KeyBlock(width, d) for d in config.dilations))
        self.paint = nn.Conv2d(width, PITCHED_PLANES, 1)
        self.drums_in = nn.Conv1d(SHORT_VIEWS * (BINS // DRUM_POOL), config.drum, 3, padding=1)
        self.drums_style = nn.Conv1d(config.style_rows, config.drum, 1)
        self.drums = nn.Sequential(*(Residual1d(config.drum) for _ in range(3)))
        self.drums_out = nn.Conv1d(config.drum, DRUM_ROWS, 1)
        for last in (self.paint, self.drums_out):
            nn.init.constant_(last.bias, -4.0)  # a roll is mostly empty

    def forward(self, spectrum: Tensor, style: Tensor) -> Tensor:
        """Logits (B, R, T) of the roll.

        Args:
            spectrum: (B, 5 F, T) from :func:`appliance.networks.log_frequency.spectrum_rows`.
            style: (B, S, 1) one-hot; the last row means an unknown style.
        """
        views = spectrum.reshape(-1, VIEWS, BINS, spectrum.shape[-1]) - USUAL_LEVEL
        x = self.stack(self._harmonics(views)) + self.register + self.style(style).unsqueeze(3)
        pitched = self.paint(F.gelu(self.blocks(x))).flatten(1, 2)
        bands = views[:, 1:].reshape(-1, SHORT_VIEWS, BINS // DRUM_POOL, DRUM_POOL, spectrum.shape[-1])
        y = self.drums_in(bands.mean(dim=3).flatten(1, 2)) + self.drums_style(style)
        return torch.cat([pitched, self.drums_out(F.gelu(self.drums(y)))], dim=1)

    @staticmethod
    def _harmonics(views: Tensor) -> Tensor:
        """(B, 5, F, T) -> (B, 8 · 5, 264, T): for each harmonic, its bins of all keys."""
        below, above = -min(OFFSETS), max(OFFSETS) + KEY_BINS - BINS
        padded = F.pad(views, (0, 0, below, above), value=-USUAL_LEVEL)
        return torch.cat([padded[:, :, below + o : below + o + KEY_BINS] for o in OFFSETS], dim=1)
