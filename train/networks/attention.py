"""Attention over frames: global (optionally to pooled frames), and local in a sliding window.

Queries are (B, N, H, E), channels last as a compiled convolution outputs them; keys and values have the
layout of the matrix products. With these layouts OpenVINO compiles a whole attention into one kernel.

Letters: B batch, C channels, H heads, E = C/H, N latent frames (a multiple of LOCAL_BLOCK), Q queries, K
keys, W = N / LOCAL_BLOCK blocks of the sliding window.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

LOCAL_REACH = 16
"""Local attention reaches this many latent frames (1.5 s) to either side."""

LOCAL_BLOCK = 2 * LOCAL_REACH
"""Local attention is computed in blocks of this many frames; each block attends to LOCAL_KEYS keys."""

LOCAL_KEYS = LOCAL_BLOCK + 2 * LOCAL_REACH

MASKED = -1e4
"""Score of masked keys: far below real scores, but finite in every precision."""

Rotation = tuple[Tensor, Tensor]
"""Cosines and sines of rotary positions, for :func:`rotate`."""


def rotary(frames: int, dim: int, device: torch.device, stride: int = 1) -> Rotation:
    """Cosines and sines (N / stride, 1, E) of rotary positions (Su et al., arXiv 2104.09864).

    With a ``stride``, a position is the middle of that many frames. The first half of the sines is negated,
    as the formula needs.
    """
    half = dim // 2
    speed = 10000.0 ** (-torch.arange(half, device=device, dtype=torch.float32) / half)
    position = torch.arange(frames, device=device, dtype=torch.float32)[::stride] + (stride - 1) / 2
    angle = position[:, None, None] * speed
    cos, sin = angle.cos(), angle.sin()
    return torch.cat([cos, cos], dim=2), torch.cat([-sin, sin], dim=2)


def rotate(x: Tensor, rotation: Rotation) -> Tensor:
    """Apply rotary positions to ``x`` (B, N, H, E)."""
    first, second = x.chunk(2, dim=3)
    return x * rotation[0] + torch.cat([second, first], dim=3) * rotation[1]


def heads_of(x: Tensor, heads: int) -> Tensor:
    """(B, C, N) -> (B, N, H, E)."""
    return x.transpose(1, 2).reshape(x.shape[0], x.shape[2], heads, -1)


def pooled(x: Tensor, stride: int) -> Tensor:
    """(B, C, N) -> (B, C, N / stride): means of ``stride`` frames."""
    return x if stride == 1 else F.avg_pool1d(x, stride, stride)


def attention(q: Tensor, k: Tensor, v: Tensor, mask: Tensor) -> Tensor:
    """Scaled dot-product attention of all queries to all unmasked keys.

    Args:
        q: (B, Q, H, E) with positions applied.
        k, v: from :func:`as_keys` (with positions applied) and :func:`as_values`.
        mask: added to the scores, (B, 1, Q or 1, K).

    Returns:
        (B, Q, H, E)
    """
    q = q.transpose(1, 2)
    if not torch.jit.is_tracing():
        mask = mask.to(q.dtype)
        return F.scaled_dot_product_attention(q, k.transpose(2, 3), v, attn_mask=mask).transpose(1, 2)
    scores = torch.matmul(q * q.shape[3] ** -0.5, k) + mask
    return torch.matmul(scores.softmax(dim=-1), v).transpose(1, 2)


def as_keys(x: Tensor) -> Tensor:
    """(B, K, H, E) -> (B, H, E, K)."""
    return x.permute(0, 2, 3, 1)


def as_values(x: Tensor) -> Tensor:
    """(B, K, H, E) -> (B, H, K, E)."""
    return x.transpose(1, 2)


def wide_mask(valid: Tensor, stride: int = 1) -> Tensor:
    """Mask (B, 1, 1, N / stride) for pooled keys, from ``valid`` (B, 1, N), which is 1 inside the song.

    Pooled frames that reach beyond the song's end are masked.
    """
    return (1.0 - pooled(valid, stride).floor()).unsqueeze(2) * MASKED


def local_attention(q: Tensor, near_k: Tensor, near_v: Tensor, mask: Tensor) -> Tensor:
    """Attention of every frame to the valid frames within LOCAL_REACH; blocks are computed as batch items.

    Args:
        q: (B, N, H, E) with positions applied.
        near_k, near_v: keys (with positions applied) and values from :func:`with_neighbours`.
        mask: from :func:`near_mask`.

    Returns:
        (B, N, H, E)
    """
    blocks = q.reshape(-1, LOCAL_BLOCK, *q.shape[2:])
    return attention(blocks, near_k, near_v, mask).reshape(q.shape)


def with_neighbours(x: Tensor) -> Tensor:
    """(B, N, H, E) -> (B W, LOCAL_KEYS, H, E): each block with the frames within reach on both sides."""
    batch, frames, heads, dim = x.shape
    edge = torch.zeros_like(x[:, :LOCAL_REACH])
    halves = torch.cat([edge, x, edge], dim=1).reshape(batch, -1, LOCAL_REACH, heads, dim)
    per_block = LOCAL_BLOCK // LOCAL_REACH
    parts = [halves[:, at : at + frames // LOCAL_REACH : per_block] for at in range(per_block + 2)]
    return torch.cat(parts, dim=2).reshape(-1, LOCAL_KEYS, heads, dim)


def near_mask(valid: Tensor) -> Tensor:
    """Mask (B W, 1, LOCAL_BLOCK, LOCAL_KEYS) from ``valid`` (B, 1, N), with a band that limits the reach."""
    inside = as_keys(with_neighbours(valid.transpose(1, 2).unsqueeze(3)))
    query = torch.arange(LOCAL_BLOCK, device=valid.device)[:, None]
    key = torch.arange(LOCAL_KEYS, device=valid.device)[None] - LOCAL_REACH
    band = ((query - key).abs() > LOCAL_REACH).to(valid.dtype) * MASKED
    return (1.0 - inside) * MASKED + band
