"""The fit network: scores how well an accompaniment suits a vocal, by the cosine of two embeddings.

It follows COCOLA (Ciranni et al., arXiv 2404.16969), which compares recordings by one vector each. Here the
embeddings keep time and pitch class, so a wrong chord or a late beat is not averaged away. Both encoders
convolve circularly over the twelve pitch classes: transposing vocal and accompaniment together does not
change the score, and a transposed accompaniment has a rotated embedding.

Letters: B batch, T score frames, P = T/4 plan frames, C channels, G aspects, E channels per aspect.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from appliance.grid import FRAMES_PER_PLAN
from appliance.networks.band_rows import BAND_ROWS, PITCHED_ROWS
from appliance.networks.condition_rows import PHASE_ROWS
from appliance.vocal.features import CHROMA, FEATURE_ROWS, VOICED
from train.networks.planner import HarmonyBlock


@dataclass(frozen=True, slots=True)
class FitConfig:
    """``channels`` of both encoders; dilations are in plan frames."""

    channels: int = 32
    vocal_dilations: tuple[int, ...] = (1, 2, 4, 8, 16, 32, 1, 2, 4)
    band_dilations: tuple[int, ...] = (1, 2, 4, 8)
    aspects: int = 6
    aspect_channels: int = 6


class Encoder(nn.Module):
    """Encodes rows by pitch class and other (plain) rows by pitch class and plan frame."""

    def __init__(self, pitched: int, plain: int, dilations: tuple[int, ...], config: FitConfig) -> None:
        super().__init__()
        self.pitched_in = nn.Conv2d(pitched // 12 * FRAMES_PER_PLAN, config.channels, 1)
        self.plain_in = nn.Conv2d(plain * FRAMES_PER_PLAN, config.channels, 1)
        self.blocks = nn.ModuleList(HarmonyBlock(config.channels, d) for d in dilations)
        self.out = nn.Conv2d(config.channels, config.aspects * config.aspect_channels, 1)

    def forward(self, pitched: Tensor, plain: Tensor) -> Tensor:
        """R kinds of pitch-class rows (B, 12 R, T) and Q plain rows (B, Q, T) -> (B, G E, 12, P)."""
        frames = pitched.shape[-1] // FRAMES_PER_PLAN
        kinds, rows = pitched.shape[1] // 12, plain.shape[1]
        x = pitched.reshape(-1, kinds, 12, frames, FRAMES_PER_PLAN).permute(0, 1, 4, 2, 3)
        x = self.pitched_in(x.reshape(-1, kinds * FRAMES_PER_PLAN, 12, frames))
        y = plain.reshape(-1, rows, frames, FRAMES_PER_PLAN).permute(0, 1, 3, 2)
        x = x + self.plain_in(y.reshape(-1, rows * FRAMES_PER_PLAN, 1, frames))
        for block in self.blocks:
            x = block(x)
        embedding: Tensor = self.out(F.gelu(x))
        return embedding


class FitNet(nn.Module):
    """The network; see :meth:`forward`. T must be a multiple of 4."""

    def __init__(self, config: FitConfig) -> None:
        super().__init__()
        self.config = config
        self.vocal = Encoder(12, FEATURE_ROWS - VOICED + PHASE_ROWS, config.vocal_dilations, config)
        self.band = Encoder(PITCHED_ROWS, BAND_ROWS - PITCHED_ROWS, config.band_dilations, config)
        self.weight = nn.Parameter(torch.full((1, config.aspects), 10.0 / config.aspects))
        self.offset = nn.Parameter(torch.full((1, 1), -5.0))

    def forward(self, features: Tensor, phases: Tensor, band: Tensor) -> Tensor:
        """Log odds (B, 1) that the accompaniment was written for the vocal and not for another.

        Args:
            features: (B, 64, T) vocal features.
            phases: (B, 5, T) beat and bar phases, zero if unknown.
            band: (B, BAND_ROWS, T) rows of the accompaniment.
        """
        return self.log_odds(self.cosines(self.embed_vocal(features, phases), self.embed_band(band)))

    def embed_vocal(self, features: Tensor, phases: Tensor) -> Tensor:
        """Embedding (B, G E, 12, P) of a vocal; arguments as in :meth:`forward`."""
        embedding: Tensor = self.vocal(features[:, CHROMA], torch.cat([features[:, VOICED:], phases], dim=1))
        return embedding

    def embed_band(self, band: Tensor) -> Tensor:
        """Embedding (B, G E, 12, P) of an accompaniment (B, BAND_ROWS, T)."""
        embedding: Tensor = self.band(band[:, :PITCHED_ROWS], band[:, PITCHED_ROWS:])
        return embedding

    def cosines(self, vocal: Tensor, band: Tensor) -> Tensor:
        """Cosine similarity (B, G) of two embeddings in every aspect."""
        return (self.unit(vocal) * self.unit(band)).sum(dim=2)

    def unit(self, embedding: Tensor) -> Tensor:
        """Normalise (B, G E, 12, P) to unit vectors (B, G, E·12·P)."""
        flat = embedding.reshape(embedding.shape[0], self.config.aspects, -1)
        return flat * torch.rsqrt(flat.square().sum(dim=2, keepdim=True) + 1e-6)

    def log_odds(self, cosines: Tensor) -> Tensor:
        """Log odds (..., 1) from cosines (..., G)."""
        return (cosines * self.weight).sum(dim=-1, keepdim=True) + self.offset
