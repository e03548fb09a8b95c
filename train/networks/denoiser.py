"""The velocity network and its condition encoder: soft alignment attention from latent to vocal.

Soft alignment attention (SAMUeL, arXiv 2507.19991): every block looks at the condition twice, in a
sliding window around the same moment and over the whole window, and mixes both by how noisy the latent
is: the vocal's moment leads while there is only noise, its wider context as the music becomes clear.
Unlike the published code the condition keeps its time axis everywhere.

Letters: B batch, Z latents, N latent frames, T = 2 N score frames, C width, L blocks, S styles + 1.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from appliance.condition import CONDITION_ROWS, STYLE_ROWS
from appliance.score import FRAMES_PER_LATENT
from train.networks.attention import global_attention, heads_of, local_attention, rotary, rotate


@dataclass(frozen=True, slots=True)
class DenoiserConfig:
    """Width, depth and heads of the network."""

    latents: int = 64
    width: int = 256
    blocks: int = 8
    heads: int = 4
    condition_blocks: int = 4
    time_features: int = 64
    few_steps: bool = False
    """Whether the network is told how long a step it is asked for (a distilled one)."""
    alignment: str = "soft"
    """"local" and "global" switch one of both views off, to measure what soft alignment is worth."""


class ChannelNorm(nn.Module):
    """Root-mean-square norm over the channels of (B, C, N), in float (arXiv 1910.07467)."""

    def forward(self, x: Tensor) -> Tensor:
        return x * torch.rsqrt(x.float().square().mean(dim=1, keepdim=True) + 1e-6).to(x.dtype)


class Mlp(nn.Module):
    """Depthwise convolution over 7 frames, then a token-wise MLP; (B, C, N) -> (B, C, N)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.near = nn.Conv1d(width, width, 7, padding=3, groups=width)
        self.up = nn.Conv1d(width, 4 * width, 1)
        self.down = nn.Conv1d(4 * width, width, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.down(F.gelu(self.up(x + self.near(x))))


class ConditionEncoder(nn.Module):
    """Everything that does not depend on the noisy latent: computed once a window."""

    def __init__(self, config: DenoiserConfig) -> None:
        super().__init__()
        width, stride = config.width, FRAMES_PER_LATENT
        self.rows_in = nn.Conv1d(CONDITION_ROWS, width, stride, stride=stride)
        self.style_in = nn.Conv1d(STYLE_ROWS, width, 1)
        self.mlps = nn.ModuleList(Mlp(width) for _ in range(config.condition_blocks))
        self.norm = ChannelNorm()
        self.keys_values = nn.Conv1d(width, 2 * width * config.blocks, 1)

    def forward(self, rows: Tensor, style: Tensor) -> tuple[Tensor, Tensor]:
        """Encode a window.

        Args:
            rows: (B, CONDITION_ROWS, T).
            style: (B, S, 1) one-hot.

        Returns:
            tokens (B, C, N), and the blocks' keys and values (B, 2·C·L, N).
        """
        x = self.rows_in(rows) + self.style_in(style)
        for mlp in self.mlps:
            x = x + mlp(self.norm(x))
        x = self.norm(x)
        return x, self.keys_values(x)


class Block(nn.Module):
    """Self attention, soft alignment attention, MLP; each scaled and shifted by timestep and style."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm = ChannelNorm()
        self.film = nn.Conv1d(width, 6 * width, 1)
        self.qkv = nn.Conv1d(width, 3 * width, 1)
        self.self_out = nn.Conv1d(width, width, 1)
        self.query = nn.Conv1d(width, width, 1)
        self.align_out = nn.Conv1d(width, width, 1)
        self.mlp = Mlp(width)
        for last in (self.self_out, self.align_out, self.mlp.down):
            nn.init.normal_(last.weight, std=0.02 * width**-0.5)
            nn.init.zeros_(last.bias)
        nn.init.zeros_(self.film.weight)
        nn.init.zeros_(self.film.bias)

    def forward(
        self,
        x: Tensor,
        state: Tensor,
        key_value: Tensor,
        clarity: Tensor,
        turn: tuple[Tensor, Tensor],
        valid: Tensor,
    ) -> Tensor:
        scale1, shift1, scale2, shift2, scale3, shift3 = self.film(state).chunk(6, dim=1)
        qkv = self.qkv(self.norm(x) * (1 + scale1) + shift1)
        q, k, v = (heads_of(t, self.heads) for t in qkv.chunk(3, dim=1))
        x = x + self.self_out(global_attention(rotate(q, turn), rotate(k, turn), v, valid))
        q = heads_of(self.query(self.norm(x) * (1 + scale2) + shift2), self.heads)
        k, v = (heads_of(t, self.heads) for t in key_value.chunk(2, dim=1))
        q, k = rotate(q, turn), rotate(k, turn)
        near, wide = local_attention(q, k, v, valid), global_attention(q, k, v, valid)
        x = x + self.align_out(near + clarity * (wide - near))
        return x + self.mlp((self.norm(x) * (1 + scale3) + shift3) * valid)


class Denoiser(nn.Module):
    """Velocity of the latent at a timestep (rectified flow, arXiv 2209.03003).

    The path is x_t = (1 - t)·data + t·noise; the network predicts noise - data.
    """

    def __init__(self, config: DenoiserConfig) -> None:
        super().__init__()
        self.config = config
        width = config.width
        self.latent_in = nn.Conv1d(2 * config.latents + 1, width, 3, padding=1)
        self.token_in = nn.Conv1d(width, width, 1)
        self.time_in = nn.Conv1d(config.time_features, width, 1)
        self.time_mix = nn.Conv1d(width, width, 1)
        if config.few_steps:
            self.stride_in = nn.Conv1d(config.time_features, width, 1, bias=False)
            nn.init.zeros_(self.stride_in.weight)
        self.style_in = nn.Conv1d(STYLE_ROWS, width, 1)
        self.blocks = nn.ModuleList(Block(width, config.heads) for _ in range(config.blocks))
        self.norm = ChannelNorm()
        self.out = nn.Conv1d(width, config.latents, 1)
        nn.init.zeros_(self.out.weight)

    def forward(
        self,
        latent: Tensor,
        context: Tensor,
        known: Tensor,
        timestep: Tensor,
        tokens: Tensor,
        keys_values: Tensor,
        style: Tensor,
        valid: Tensor,
        stride: Tensor | None = None,
    ) -> Tensor:
        """Predict the velocity, or with ``few_steps`` its mean from ``timestep`` to ``timestep - stride``.

        Args:
            latent: (B, Z, N) noisy latent x_t.
            context: (B, Z, N) clean latent of the last window where ``known`` is 1, else 0.
            known: (B, 1, N).
            timestep: (B, 1, 1), 0 clean to 1 noise.
            tokens, keys_values: from :class:`ConditionEncoder`.
            style: (B, S, 1) one-hot.
            valid: (B, 1, N), 0 on padding after the song's end.
            stride: (B, 1, 1), only with ``few_steps``.

        Returns:
            (B, Z, N)
        """
        moment = self.time_in(self._time_features(timestep))
        if stride is not None:
            moment = moment + self.stride_in(self._time_features(stride))
        state = F.gelu(moment) + self.style_in(style)
        state = F.gelu(self.time_mix(state))
        seen = torch.cat([latent, context, known], dim=1) * valid  # nothing leaks in from beyond the end
        x = self.latent_in(seen) + self.token_in(tokens)
        width, heads = self.config.width, self.config.heads
        turn = rotary(latent.shape[-1], width // heads, latent.device)
        clarity = self._mix(timestep).to(x.dtype)
        for block, key_value in zip(self.blocks, keys_values.chunk(len(self.blocks), dim=1), strict=True):
            x = block(x, state, key_value, clarity, turn, valid)
        return self.out(self.norm(x))

    def _mix(self, timestep: Tensor) -> Tensor:
        if self.config.alignment == "soft":
            return self._clarity(timestep)
        return torch.full_like(timestep, {"local": 0.0, "global": 1.0}[self.config.alignment])

    @staticmethod
    def _clarity(timestep: Tensor) -> Tensor:
        """Weight of the wide view, 0 in pure noise to 1 when clean: the signal's share of the path.

        The paper mixes by the square root of alpha-bar; on this path the same quantity, normalised to
        constant variance, is (1 - t) / sqrt((1 - t)^2 + t^2).
        """
        signal = 1.0 - timestep
        return signal * torch.rsqrt(signal.square() + timestep.square())

    def _time_features(self, timestep: Tensor) -> Tensor:
        """(B, 1, 1) -> (B, F, 1): sines and cosines over four decades."""
        half = self.config.time_features // 2
        powers = torch.arange(half, device=timestep.device, dtype=torch.float32) / (half - 1)
        angle = timestep * (1000.0**powers).reshape(1, half, 1) * 0.5
        return torch.cat([angle.sin(), angle.cos()], dim=1)
