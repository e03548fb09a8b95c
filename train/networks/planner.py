"""The planner: vocal features -> plan (harmony over time), key, beats and downbeats.

The harmony branch convolves over time and, circularly, over the twelve pitch classes, so it works alike in
all keys (the key output rotates with the input too). The beat branch is a dilated convolution over score
frames.

Letters: B batch, T score frames, P = T/4 plan frames, C channels.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from appliance.grid import FRAMES_PER_PLAN
from appliance.networks.condition_rows import PHASE_ROWS, PLAN_ROWS
from appliance.vocal.features import CHROMA, FEATURE_ROWS, VOICED

KEYS = 24
"""Number of keys: 12 major tonics, then 12 minor ones."""


@dataclass(frozen=True, slots=True)
class PlannerConfig:
    """Channels of both branches; dilations are in plan frames (harmony) and score frames (beat)."""

    harmony: int = 64
    harmony_dilations: tuple[int, ...] = (1, 2, 4, 8, 16, 32, 1, 2, 4, 8)
    beat: int = 96
    beat_dilations: tuple[int, ...] = (1, 2, 4, 8, 16, 32, 64, 128)


class HarmonyBlock(nn.Module):
    """Residual block on (B, C, 12, P): circular over pitch classes, dilated over time, plus the song's
    mean."""

    def __init__(self, channels: int, dilation: int) -> None:
        super().__init__()
        self.time = nn.Conv2d(channels, channels, (1, 3), padding=(0, dilation), dilation=(1, dilation))
        self.circle = nn.Conv2d(channels, channels, (12, 1))
        self.song = nn.Conv2d(channels, channels, 1)
        nn.init.zeros_(self.song.weight)
        nn.init.normal_(self.circle.weight, std=0.1 * (12 * channels) ** -0.5)

    def forward(self, x: Tensor) -> Tensor:
        y = F.gelu(self.time(F.gelu(x)))
        y = self.circle(torch.cat([y, y[:, :, :11]], dim=2))
        return x + y + self.song(x.mean(dim=3, keepdim=True))


class BeatBlock(nn.Module):
    """Residual block with a dilated convolution on (B, C, T)."""

    def __init__(self, channels: int, dilation: int) -> None:
        super().__init__()
        self.wide = nn.Conv1d(channels, channels, 5, padding=2 * dilation, dilation=dilation)
        self.mix = nn.Conv1d(channels, channels, 1)
        nn.init.normal_(self.mix.weight, std=0.1 * channels**-0.5)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.mix(F.gelu(self.wide(F.gelu(x))))


class Planner(nn.Module):
    """The network; see :meth:`forward`. T must be a multiple of 4."""

    def __init__(self, config: PlannerConfig) -> None:
        super().__init__()
        self.config = config
        plain_rows = FEATURE_ROWS - VOICED + PHASE_ROWS
        self.chroma_in = nn.Conv2d(FRAMES_PER_PLAN, config.harmony, 1)
        self.plain_in = nn.Conv2d(plain_rows * FRAMES_PER_PLAN, config.harmony, 1)
        self.harmony = nn.ModuleList(HarmonyBlock(config.harmony, d) for d in config.harmony_dilations)
        self.plan_out = nn.Conv2d(config.harmony, 2, 1)
        self.key_out = nn.Conv2d(config.harmony, 2, 1)
        self.beat_in = nn.Conv1d(FEATURE_ROWS, config.beat, 3, padding=1)
        self.beat = nn.Sequential(*(BeatBlock(config.beat, d) for d in config.beat_dilations))
        self.beat_out = nn.Conv1d(config.beat, 2, 1)

    def forward(self, features: Tensor, phases: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Plan, key and beat logits.

        Args:
            features: (B, 64, T) vocal features.
            phases: (B, 5, T) beat and bar phases, zero if unknown.

        Returns:
            plan (B, 24, P): 12 rows for the chord's pitch classes, 12 for the bass;
            key (B, 24); beats (B, 2, T): beat and downbeat.
        """
        plan, key = self.harmony_branch(features, phases)
        beats: Tensor = self.beat_out(F.gelu(self.beat(self.beat_in(features))))
        return plan, key, beats

    def harmony_branch(self, features: Tensor, phases: Tensor) -> tuple[Tensor, Tensor]:
        """Logits of plan (B, 24, P) and key (B, 24) only; arguments as in :meth:`forward`."""
        frames = features.shape[-1] // FRAMES_PER_PLAN
        chroma = features[:, CHROMA].reshape(-1, 12, frames, FRAMES_PER_PLAN).permute(0, 3, 1, 2)
        plain = torch.cat([features[:, VOICED:], phases], dim=1)
        rows = plain.shape[1]
        plain = plain.reshape(-1, rows, frames, FRAMES_PER_PLAN).permute(0, 1, 3, 2)
        plain = plain.reshape(-1, rows * FRAMES_PER_PLAN, 1, frames)
        x = self.chroma_in(chroma) + self.plain_in(plain)
        for block in self.harmony:
            x = block(x)
        x = F.gelu(x)
        plan = self.plan_out(x).reshape(-1, PLAN_ROWS, frames)
        key = self.key_out(x.mean(dim=3, keepdim=True)).reshape(-1, KEYS)
        return plan, key
