"""The denoiser's velocity network and its condition encoder, with soft alignment attention.

Soft alignment attention (SAMUeL, arXiv 2507.19991): every block attends to the condition twice, in a sliding
window around each frame and over the whole window. The two views are mixed by the noise level: the local view
dominates in pure noise, the global one as the music becomes clear. Unlike in the published code, the
condition keeps its time axis everywhere.

Letters: B batch, Z latent channels, N latent frames, T = 2 N score frames, C width, L blocks, S styles + 1.
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
    Rotation,
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
    """Configuration of denoiser and condition encoder."""

    latents: int = 64
    width: int = 256
    blocks: int = 8
    heads: int = 4
    condition_blocks: int = 4
    time_features: int = 64
    rows: int = CONDITION_ROWS
    """Rows of the condition."""
    few_steps: bool = False
    """Whether the step length is an input (for a distilled network)."""
    alignment: str = "soft"
    """ "local" or "global" uses one view alone, for the ablation."""
    self_stride: int = 1
    """Keys and values of self attention are means of this many frames."""
    wide_stride: int = 1
    """The same for the view over the whole window; the sliding window keeps the full rate."""
    style_rows: int = STYLE_ROWS
    """Styles that the network knows, and one for no particular style."""

    @property
    def head_width(self) -> int:
        """Number of channels per head."""
        return self.width // self.heads

    @property
    def key_value_rows(self) -> tuple[int, int, int, int]:
        """Rows per frame of a block's keys and values: of the sliding window, then of the whole window."""
        near, wide = self.width * LOCAL_KEYS // LOCAL_BLOCK, self.width // self.wide_stride
        return near, near, wide, wide


@dataclass(frozen=True, slots=True)
class TimeAxis:
    """Positions and masks of a window, which all blocks share."""

    rotation: Rotation
    self_rotation: Rotation
    self_mask: Tensor
    near_mask: Tensor
    wide_mask: Tensor
    clarity: Tensor
    """Weight of the global view, (B, 1, 1)."""


class ChannelNorm(nn.Module):
    """Root-mean-square norm over the channels of (B, C, N), computed in FP32 (arXiv 1910.07467)."""

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
    """Computes everything that does not depend on the noisy latent, once per window."""

    def __init__(self, config: DenoiserConfig) -> None:
        super().__init__()
        width, stride = config.width, FRAMES_PER_LATENT
        self.rows_in = nn.Conv1d(config.rows, width, stride, stride=stride)
        self.style_in = nn.Conv1d(config.style_rows, width, 1)
        self.mlps = nn.ModuleList(Mlp(width) for _ in range(config.condition_blocks))
        self.norm = ChannelNorm()
        self.keys_values = nn.Conv1d(width, 2 * width * config.blocks, 1)
        self.config = config

    def forward(self, rows: Tensor, style: Tensor) -> tuple[Tensor, Tensor]:
        """Encode the condition of a window.

        The denoiser uses the same keys and values at every step, so they are prepared here as its products
        need them: rotated, pooled and gathered with their neighbours.

        Args:
            rows: (B, R, T), R condition rows as configured.
            style: (B, S, 1) one-hot.

        Returns:
            tokens (B, C, N), and keys and values of all blocks as (B, K, N), K = L times the sum of
            ``key_value_rows``. The latter is a plain block of memory; its axes have no meaning.
        """
        x = self.rows_in(rows) + self.style_in(style)
        for mlp in self.mlps:
            x = x + mlp(self.norm(x))
        x = self.norm(x)
        return x, self._in_order(self.keys_values(x))

    def _in_order(self, keys_values: Tensor) -> Tensor:
        config, frames = self.config, keys_values.shape[-1]
        dim, stride = config.head_width, config.wide_stride
        rotation = rotary(frames, dim, keys_values.device)
        wide_rotation = rotary(frames, dim, keys_values.device, stride)
        parts = []
        for block in keys_values.chunk(config.blocks, dim=1):
            k, v = (heads_of(x, config.heads) for x in block.chunk(2, dim=1))
            wide_k, wide_v = (heads_of(x, config.heads) for x in pooled(block, stride).chunk(2, dim=1))
            parts += [as_keys(with_neighbours(rotate(k, rotation))), as_values(with_neighbours(v))]
            parts += [as_keys(rotate(wide_k, wide_rotation)), as_values(wide_v)]
        batch = keys_values.shape[0]
        return torch.cat([part.reshape(batch, -1, frames) for part in parts], dim=1)


class Block(nn.Module):
    """Self attention, soft alignment attention and MLP, each modulated by timestep and style (FiLM)."""

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

    def forward(self, x: Tensor, state: Tensor, key_value: Tensor, axis: TimeAxis, valid: Tensor) -> Tensor:
        scale1, shift1, scale2, shift2, scale3, shift3 = self.film(state).chunk(6, dim=1)
        x = x + self.self_out(self._self_attention(self.norm(x) * (1 + scale1) + shift1, axis))
        x = x + self.align_out(self._alignment(self.norm(x) * (1 + scale2) + shift2, key_value, axis))
        return x + self.mlp((self.norm(x) * (1 + scale3) + shift3) * valid)

    def _self_attention(self, x: Tensor, axis: TimeAxis) -> Tensor:
        heads, width = self.config.heads, self.config.width
        q, key_value = self.qkv(x).split([width, 2 * width], dim=1)
        k, v = (heads_of(t, heads) for t in pooled(key_value, self.config.self_stride).chunk(2, dim=1))
        q, k = rotate(heads_of(q, heads), axis.rotation), rotate(k, axis.self_rotation)
        return attention(q, as_keys(k), as_values(v), axis.self_mask).flatten(2).transpose(1, 2)

    def _alignment(self, x: Tensor, key_value: Tensor, axis: TimeAxis) -> Tensor:
        """Mix both views of the condition; ``key_value`` is this block's part of the encoder's output."""
        batch, heads, dim = x.shape[0], self.config.heads, self.config.head_width
        q = rotate(heads_of(self.query(x), heads), axis.rotation)
        near_k, near_v, wide_k, wide_v = key_value.split(self.config.key_value_rows, dim=1)
        near_k = near_k.reshape(-1, heads, dim, LOCAL_KEYS)
        near_v = near_v.reshape(-1, heads, LOCAL_KEYS, dim)
        # Heads are flattened before the mix: OpenVINO 2026.4.1 crashes when it compiles a mix of
        # (B, N, H, E).
        near = local_attention(q, near_k, near_v, axis.near_mask).flatten(2)
        wide_k, wide_v = wide_k.reshape(batch, heads, dim, -1), wide_v.reshape(batch, heads, -1, dim)
        wide = attention(q, wide_k, wide_v, axis.wide_mask).flatten(2)
        return (near + axis.clarity * (wide - near)).transpose(1, 2)


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
        self.style_in = nn.Conv1d(config.style_rows, width, 1)
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
            context: (B, Z, N) clean latent of the previous window where ``known`` is 1, else 0.
            known: (B, 1, N).
            timestep: (B, 1, 1), from 0 (clean) to 1 (noise).
            tokens, keys_values: from :class:`ConditionEncoder`.
            style: (B, S, 1) one-hot.
            valid: (B, 1, N), 0 on padding after the song's end.
            stride: (B, 1, 1), only with ``few_steps``.

        Returns:
            (B, Z, N)
        """
        time = self.time_in(self._time_features(timestep))
        if stride is not None:
            time = time + self.stride_in(self._time_features(stride))
        state = F.gelu(time) + self.style_in(style)
        state = F.gelu(self.time_mix(state))
        inputs = torch.cat([latent, context, known], dim=1) * valid  # hide values beyond the song's end
        x = self.latent_in(inputs) + self.token_in(tokens)
        axis = self._axis(valid, self._mix(timestep).to(x.dtype))
        for block, key_value in zip(self.blocks, keys_values.chunk(len(self.blocks), dim=1), strict=True):
            x = block(x, state, key_value, axis, valid)
        return self.out(self.norm(x))

    def _axis(self, valid: Tensor, clarity: Tensor) -> TimeAxis:
        config, frames, dim = self.config, valid.shape[-1], self.config.head_width
        return TimeAxis(
            rotation=rotary(frames, dim, valid.device),
            self_rotation=rotary(frames, dim, valid.device, config.self_stride),
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
        """Weight of the global view: the signal's share of the path, from 0 (pure noise) to 1 (clean).

        The paper uses the square root of alpha-bar. On this path the same quantity, normalised to constant
        variance, is (1 - t) / sqrt((1 - t)^2 + t^2).
        """
        signal = 1.0 - timestep
        return signal * torch.rsqrt(signal.square() + timestep.square())

    def _time_features(self, timestep: Tensor) -> Tensor:
        """(B, 1, 1) -> (B, F, 1): sines and cosines over four decades."""
        half = self.config.time_features // 2
        powers = torch.arange(half, device=timestep.device, dtype=torch.float32) / (half - 1)
        angle = timestep * (1000.0**powers).reshape(1, half, 1) * 0.5
        return torch.cat([angle.sin(), angle.cos()], dim=1)
