"""The score VAE: multi-instrument roll <-> latent with 64 channels per latent frame.

2-D convolutions share their weights over pitch, so chords look alike in all keys. Only the last layer folds
the 12 remaining pitch rows into the latent. There are no normalisation layers, because they would make a
frame depend on the length of its window.

Letters: B batch, T score frames (even), N = T/2 latent frames, Z latent channels, R = ROLL_ROWS, C channels,
P pitch rows.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from appliance.grid import FRAMES_PER_LATENT
from appliance.music.roll import DRUM_PLANES, PLANES
from appliance.music.score import DRUM_KEYS, GROUPS, PITCHES

PITCHED_PLANES = len(GROUPS) * PLANES
PITCHED_ROWS = PITCHED_PLANES * PITCHES
DRUM_ROWS = len(DRUM_KEYS) * DRUM_PLANES
PADDED_PITCHES = 96
PITCH_PATCH = 4
COARSE_ROWS = 12


@dataclass(frozen=True, slots=True)
class VaeConfig:
    """Channels at 24 pitch rows (``fine``), at 12 (``coarse``), without pitch (``temporal``), of drums."""

    latents: int = 64
    fine: int = 48
    coarse: int = 96
    temporal: int = 384
    drum: int = 64


class Residual2d(nn.Module):
    """x + conv(gelu(conv(gelu(x)))) on (B, C, P, T), initialised near the identity."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=1)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)
        nn.init.normal_(self.second.weight, std=0.1 * (channels * 9) ** -0.5)
        nn.init.zeros_(self.second.bias)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.second(F.gelu(self.first(F.gelu(x))))


class Residual1d(nn.Module):
    """x + conv(gelu(conv(gelu(x)))) on (B, C, N): kernel 3, then 1; initialised near the identity."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = nn.Conv1d(channels, channels, 3, padding=1)
        self.second = nn.Conv1d(channels, channels, 1)
        nn.init.normal_(self.second.weight, std=0.1 * channels**-0.5)
        nn.init.zeros_(self.second.bias)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.second(F.gelu(self.first(F.gelu(x))))


class RollEncoder(nn.Module):
    """Encoder: roll (B, R, T) -> mean and log variance of the latent, each (B, Z, N)."""

    def __init__(self, config: VaeConfig) -> None:
        super().__init__()
        patch = (PITCH_PATCH, FRAMES_PER_LATENT)
        self.patch = nn.Conv2d(PITCHED_PLANES, config.fine, patch, stride=patch)
        self.fine = nn.Sequential(Residual2d(config.fine), Residual2d(config.fine))
        self.down = nn.Conv2d(config.fine, config.coarse, (2, 1), stride=(2, 1))
        self.coarse = nn.Sequential(Residual2d(config.coarse), Residual2d(config.coarse))
        self.fold = nn.Conv1d(config.coarse * COARSE_ROWS, config.temporal, 1)
        self.drums = nn.Conv1d(DRUM_ROWS, config.drum, FRAMES_PER_LATENT, stride=FRAMES_PER_LATENT)
        self.drums_in = nn.Conv1d(config.drum, config.temporal, 1)
        self.temporal = nn.Sequential(Residual1d(config.temporal), Residual1d(config.temporal))
        self.head = nn.Conv1d(config.temporal, 2 * config.latents, 1)

    def forward(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        frames = rows.shape[-1]
        pitched = rows[:, :PITCHED_ROWS].reshape(-1, PITCHED_PLANES, PITCHES, frames)
        margin = (PADDED_PITCHES - PITCHES) // 2
        x = self.patch(F.pad(pitched, (0, 0, margin, margin)))
        x = self.coarse(self.down(self.fine(x)))
        x = self.fold(x.flatten(1, 2))
        x = x + self.drums_in(F.gelu(self.drums(rows[:, PITCHED_ROWS:])))
        mean, log_variance = self.head(self.temporal(x)).chunk(2, dim=1)
        return mean, log_variance.clamp(-12.0, 4.0)


class RollDecoder(nn.Module):
    """Decoder: latent (B, Z, N) -> roll logits (B, R, T), T = 2 N."""

    def __init__(self, config: VaeConfig) -> None:
        super().__init__()
        self.config = config
        self.head = nn.Conv1d(config.latents, config.temporal, 1)
        self.temporal = nn.Sequential(Residual1d(config.temporal), Residual1d(config.temporal))
        self.unfold = nn.Conv1d(config.temporal, config.coarse * COARSE_ROWS, 1)
        self.coarse = nn.Sequential(Residual2d(config.coarse), Residual2d(config.coarse))
        self.up = nn.ConvTranspose2d(config.coarse, config.fine, (2, 1), stride=(2, 1))
        self.fine = nn.Sequential(Residual2d(config.fine), Residual2d(config.fine))
        self.paint = nn.Conv2d(config.fine, PITCHED_PLANES * PITCH_PATCH * FRAMES_PER_LATENT, 1)
        self.drums = nn.Sequential(
            nn.Conv1d(config.temporal, config.drum, 1),
            nn.GELU(),
            nn.Conv1d(config.drum, DRUM_ROWS * FRAMES_PER_LATENT, 1),
        )
        nn.init.constant_(self.paint.bias, -4.0)  # a roll is mostly empty

    def forward(self, latent: Tensor) -> Tensor:
        x = self.temporal(self.head(latent))
        frames = latent.shape[-1]
        grid = self.unfold(x).reshape(-1, self.config.coarse, COARSE_ROWS, frames)
        grid = self.paint(self.fine(self.up(self.coarse(grid))))
        pitched = self._spread_pitched(grid)
        drums = self.drums(x).reshape(-1, DRUM_ROWS, FRAMES_PER_LATENT, frames)
        drums = drums.transpose(2, 3).reshape(-1, DRUM_ROWS, FRAMES_PER_LATENT * frames)
        return torch.cat([pitched, drums], dim=1)

    @staticmethod
    def _spread_pitched(grid: Tensor) -> Tensor:
        """Depth to space: (B, PITCHED_PLANES·4·2, 24, N) -> (B, PITCHED_PLANES·88, 2 N)."""
        rows, frames = grid.shape[2], grid.shape[3]
        cells = grid.reshape(-1, PITCHED_PLANES, PITCH_PATCH, FRAMES_PER_LATENT, rows, frames)
        cells = cells.permute(0, 1, 4, 2, 5, 3)
        pitched = cells.reshape(-1, PITCHED_PLANES, PADDED_PITCHES, FRAMES_PER_LATENT * frames)
        margin = (PADDED_PITCHES - PITCHES) // 2
        pitched = pitched[:, :, margin : margin + PITCHES]
        return pitched.reshape(-1, PITCHED_ROWS, FRAMES_PER_LATENT * frames)


class ScoreVae(nn.Module):
    """Encoder and decoder, trained together."""

    def __init__(self, config: VaeConfig) -> None:
        super().__init__()
        self.config = config
        self.encoder = RollEncoder(config)
        self.decoder = RollDecoder(config)

    def forward(self, rows: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Roll (B, R, T) -> logits (B, R, T), mean and log variance (B, Z, N)."""
        mean, log_variance = self.encoder(rows)
        latent = mean + torch.randn_like(mean) * (0.5 * log_variance).exp()
        return self.decoder(latent), mean, log_variance
