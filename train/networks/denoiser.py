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

from appliance.grid import FRAMES_PER_LATENT
from appliance.networks.condition_rows import CONDITION_ROWS, STYLE_ROWS
from train.networks.attention import (
    LOCAL_BLOCK,
    LOCAL_KEYS,
    Turn,
    as_keys,
    as_values,
    attention,
    heads_of,
    local_attention,
    near_mask,
    pooled,
    rotary,
    rotate,
    wide_mask,
    with_neighbours,
)


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
    self_stride: int = 1
    """Self attention's keys and values are the means of so many frames."""
    wide_stride: int = 1
    """Likewise those of the view over the whole window; the sliding window stays at the full rate."""

    @property
    def head_width(self) -> int:
        """Channels of a head."""
        return self.width // self.heads

    @property
    def key_value_rows(self) -> tuple[int, int, int, int]:
        """Frames' worth of a block's keys and values: two of the sliding window, two of the whole one."""
        near, wide = self.width * LOCAL_KEYS // LOCAL_BLOCK, self.width // self.wide_stride
        return near, near, wide, wide


@dataclass(frozen=True, slots=True)
class Sight:
    """What attention needs to know of a window's time axis, whichever block asks."""

    turn: Turn
    self_turn: Turn
    self_mask: Tensor
    near_mask: Tensor
    wide_mask: Tensor
    clarity: Tensor
    """(B, 1, 1): weight of the wide view."""


class ChannelNorm(nn.Module):
    """Root-mean-square norm over the channels of (B, C, N), in float (arXiv 1910.07467)."""

    def forward(self, x: Tensor) -> Tensor:
        length = torch.linalg.vector_norm(x.float().transpose(1, 2), dim=2, keepdim=True).transpose(1, 2)
        return x * torch.rsqrt(length.square() / x.shape[1] + 1e-6).to(x.dtype)


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
        self.config = config

    def forward(self, rows: Tensor, style: Tensor) -> tuple[Tensor, Tensor]:
        """Encode a window.

        The denoiser meets the same keys and values at every step, so they leave here as its products take
        them: rotated, pooled, gathered with their neighbours, and stored in that order.

        Args:
            rows: (B, CONDITION_ROWS, T).
            style: (B, S, 1) one-hot.

        Returns:
            tokens (B, C, N), and (B, K, N) with the blocks' keys and values: K = L times the sum of
            ``key_value_rows``, of which only the memory counts.
        """
        x = self.rows_in(rows) + self.style_in(style)
        for mlp in self.mlps:
            x = x + mlp(self.norm(x))
        x = self.norm(x)
        return x, self._in_order(self.keys_values(x))

    def _in_order(self, keys_values: Tensor) -> Tensor:
        config, frames = self.config, keys_values.shape[-1]
        dim, stride = config.head_width, config.wide_stride
        turn = rotary(frames, dim, keys_values.device)
        wide_turn = rotary(frames, dim, keys_values.device, stride)
        parts = []
        for block in keys_values.chunk(config.blocks, dim=1):
            k, v = (heads_of(x, config.heads) for x in block.chunk(2, dim=1))
            wide_k, wide_v = (heads_of(x, config.heads) for x in pooled(block, stride).chunk(2, dim=1))
            parts += [as_keys(with_neighbours(rotate(k, turn))), as_values(with_neighbours(v))]
            parts += [as_keys(rotate(wide_k, wide_turn)), as_values(wide_v)]
        batch = keys_values.shape[0]
        return torch.cat([part.reshape(batch, -1, frames) for part in parts], dim=1)


class Block(nn.Module):
    """Self attention, soft alignment attention, MLP; each scaled and shifted by timestep and style."""

    def __init__(self, config: DenoiserConfig) -> None:
        super().__init__()
        width = config.width
        self.config = config
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

    def forward(self, x: Tensor, state: Tensor, key_value: Tensor, sight: Sight, valid: Tensor) -> Tensor:
        scale1, shift1, scale2, shift2, scale3, shift3 = self.film(state).chunk(6, dim=1)
        x = x + self.self_out(self._self_attention(self.norm(x) * (1 + scale1) + shift1, sight))
        x = x + self.align_out(self._alignment(self.norm(x) * (1 + scale2) + shift2, key_value, sight))
        return x + self.mlp((self.norm(x) * (1 + scale3) + shift3) * valid)

    def _self_attention(self, x: Tensor, sight: Sight) -> Tensor:
        heads, width = self.config.heads, self.config.width
        q, key_value = self.qkv(x).split([width, 2 * width], dim=1)
        k, v = (heads_of(t, heads) for t in pooled(key_value, self.config.self_stride).chunk(2, dim=1))
        q, k = rotate(heads_of(q, heads), sight.turn), rotate(k, sight.self_turn)
        return attention(q, as_keys(k), as_values(v), sight.self_mask).flatten(2).transpose(1, 2)

    def _alignment(self, x: Tensor, key_value: Tensor, sight: Sight) -> Tensor:
        """Both views of the condition; ``key_value`` is this block's part of what the encoder put out."""
        batch, heads, dim = x.shape[0], self.config.heads, self.config.head_width
        q = rotate(heads_of(self.query(x), heads), sight.turn)
        near_k, near_v, wide_k, wide_v = key_value.split(self.config.key_value_rows, dim=1)
        near_k = near_k.reshape(-1, heads, dim, LOCAL_KEYS)
        near_v = near_v.reshape(-1, heads, LOCAL_KEYS, dim)
        # Both views lose their heads before they are mixed: mixed as (B, N, H, E), OpenVINO 2026.4.1 dies
        # when it compiles the graph.
        near = local_attention(q, near_k, near_v, sight.near_mask).flatten(2)
        wide_k, wide_v = wide_k.reshape(batch, heads, dim, -1), wide_v.reshape(batch, heads, -1, dim)
        wide = attention(q, wide_k, wide_v, sight.wide_mask).flatten(2)
        return (near + sight.clarity * (wide - near)).transpose(1, 2)


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
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.blocks))
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
        sight = self._sight(valid, self._mix(timestep).to(x.dtype))
        for block, key_value in zip(self.blocks, keys_values.chunk(len(self.blocks), dim=1), strict=True):
            x = block(x, state, key_value, sight, valid)
        return self.out(self.norm(x))

    def _sight(self, valid: Tensor, clarity: Tensor) -> Sight:
        config, frames, dim = self.config, valid.shape[-1], self.config.head_width
        return Sight(
            turn=rotary(frames, dim, valid.device),
            self_turn=rotary(frames, dim, valid.device, config.self_stride),
            self_mask=wide_mask(valid, config.self_stride),
            near_mask=near_mask(valid),
            wide_mask=wide_mask(valid, config.wide_stride),
            clarity=clarity,
        )

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
