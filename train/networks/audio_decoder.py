"""Audio decoder: predicts gains that turn simple tones and noise into the sound of a band.

Notes become sources (:mod:`appliance.playing.excitation`). From a summary of them this network predicts gains
of each frequency band; an ISTFT makes the audio (:mod:`appliance.playing.source_filter`). Pitch and timing
are thus right from the start, and only timbre must be learned. Blocks are those of Vocos (arXiv 2306.00814),
without norms and with the style in every block (FiLM, arXiv 1709.07871).

Letters: B batch, F frames of 512 samples, C width, S styles + 1, G groups including drums.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from appliance.music.score import GROUPS
from appliance.networks.condition_rows import STYLE_ROWS
from appliance.playing.source_filter import DECODER_ROWS, GAIN_ROWS

GROUP_ROWS = len(GROUPS) + 1
MIN_LOG_GAIN, MAX_LOG_GAIN = -12.0, 5.0
"""Limits of gains as natural logarithms: -104 to 43 dB."""


@dataclass(frozen=True, slots=True)
class AudioDecoderConfig:
    """Channels (``width``), number of ``blocks``, their expansion (``inner``), and ``style`` channels."""

    width: int = 192
    blocks: int = 6
    inner: int = 3
    style: int = 64
    kernel: int = 7
    style_rows: int = STYLE_ROWS


class FilterBlock(nn.Module):
    """x + mlp(film(depthwise(x))) on (B, C, F), initialised near the identity."""

    def __init__(self, config: AudioDecoderConfig) -> None:
        super().__init__()
        width = config.width
        self.near = nn.Conv1d(width, width, config.kernel, padding=config.kernel // 2, groups=width)
        self.film = nn.Conv1d(config.style, 2 * width, 1)
        self.up = nn.Conv1d(width, config.inner * width, 1)
        self.down = nn.Conv1d(config.inner * width, width, 1)
        nn.init.normal_(self.down.weight, std=0.3 * (config.inner * width) ** -0.5)
        nn.init.zeros_(self.down.bias)

    def forward(self, x: Tensor, style: Tensor) -> Tensor:
        scale, shift = self.film(style).chunk(2, dim=1)
        y = self.near(x) * (1.0 + scale) + shift
        return x + self.down(F.gelu(self.up(y)))


class AudioDecoder(nn.Module):
    """The network; see :meth:`forward`."""

    def __init__(self, config: AudioDecoderConfig) -> None:
        super().__init__()
        self.config = config
        self.style = nn.Sequential(
            nn.Conv1d(config.style_rows + GROUP_ROWS, config.style, 1),
            nn.GELU(),
            nn.Conv1d(config.style, config.style, 1),
            nn.GELU(),
        )
        self.rows_in = nn.Conv1d(DECODER_ROWS, config.width, 3, padding=1)
        self.blocks = nn.ModuleList(FilterBlock(config) for _ in range(config.blocks))
        self.out = nn.Conv1d(config.width, GAIN_ROWS, 1)
        nn.init.normal_(self.out.weight, std=0.1 * config.width**-0.5)
        nn.init.constant_(self.out.bias, -1.5)

    def forward(self, rows: Tensor, style: Tensor, group: Tensor) -> Tensor:
        """Natural logarithms of gains (B, GAIN_ROWS, F).

        Args:
            rows: (B, DECODER_ROWS, F) from :func:`appliance.playing.source_filter.sources_of`.
            style: (B, S, 1) one-hot.
            group: (B, G, 1) one-hot.
        """
        condition = self.style(torch.cat([style, group], dim=1))
        x = self.rows_in(rows)
        for block in self.blocks:
            x = block(x, condition)
        gains: Tensor = self.out(F.gelu(x)).clamp(MIN_LOG_GAIN, MAX_LOG_GAIN)
        return gains
