"""Attention on (B, C, N): global with rotary positions, and local in a sliding window.

Letters: B batch, C channels, H heads, E = C/H, N latent frames (a multiple of LOCAL_BLOCK).
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

LOCAL_BLOCK = 16
"""Local attention reaches this many latent frames (1.5 s) to either side."""

MASKED = -1e4
"""Score of what may not be seen: far below any real one, and finite in every precision."""


def rotary(frames: int, dim: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Cosines and sines (E, N) of rotary positions (Su et al., arXiv 2104.09864)."""
    half = dim // 2
    speed = 10000.0 ** (-torch.arange(half, device=device, dtype=torch.float32) / half)
    angle = speed[:, None] * torch.arange(frames, device=device, dtype=torch.float32)[None]
    angle = torch.cat([angle, angle])
    return angle.cos(), angle.sin()


def rotate(x: Tensor, turn: tuple[Tensor, Tensor]) -> Tensor:
    """Rotate (B, H, E, N) by its positions."""
    first, second = x.chunk(2, dim=2)
    return x * turn[0] + torch.cat([-second, first], dim=2) * turn[1]


def heads_of(x: Tensor, heads: int) -> Tensor:
    """(B, C, N) -> (B, H, E, N)."""
    return x.reshape(x.shape[0], heads, -1, x.shape[-1])


def global_attention(q: Tensor, k: Tensor, v: Tensor, valid: Tensor) -> Tensor:
    """Every frame sees every valid frame.

    Args:
        q, k, v: (B, H, E, N), positions already in q and k.
        valid: (B, 1, N), 1 where a frame is inside the song.

    Returns:
        (B, C, N)
    """
    bias = (1.0 - valid).unsqueeze(2) * MASKED
    if not torch.jit.is_tracing():
        mixed = F.scaled_dot_product_attention(
            q.transpose(2, 3), k.transpose(2, 3), v.transpose(2, 3), attn_mask=bias.to(q.dtype)
        )
        return mixed.transpose(2, 3).flatten(1, 2)
    scores = torch.matmul(q.transpose(2, 3) * q.shape[2] ** -0.5, k) + bias
    return torch.matmul(v, scores.softmax(dim=-1).transpose(2, 3)).flatten(1, 2)


def local_attention(q: Tensor, k: Tensor, v: Tensor, valid: Tensor) -> Tensor:
    """Every frame sees the valid frames at most LOCAL_BLOCK away, computed in blocks.

    Each block of queries meets its own block of keys and both neighbours; a band mask keeps the window
    sliding. Shapes as in :func:`global_attention`.
    """
    batch, heads, dim, frames = q.shape
    blocks = frames // LOCAL_BLOCK
    queries = q.reshape(batch, heads, dim, blocks, LOCAL_BLOCK).permute(0, 3, 1, 4, 2)
    keys = _with_neighbours(k).permute(0, 3, 1, 2, 4)
    values = _with_neighbours(v).permute(0, 3, 1, 4, 2)
    inside = _with_neighbours(valid.unsqueeze(1)).permute(0, 3, 1, 2, 4)
    bias = (1.0 - inside) * MASKED + _band(q.device)
    scores = torch.matmul(queries * dim**-0.5, keys) + bias.to(q.dtype)
    mixed = torch.matmul(scores.softmax(dim=-1), values)
    return mixed.permute(0, 2, 4, 1, 3).reshape(batch, heads * dim, frames)


def _with_neighbours(x: Tensor) -> Tensor:
    """(B, H, E, N) -> (B, H, E, blocks, 3·LOCAL_BLOCK): each block between its neighbours."""
    batch, heads, dim, frames = x.shape
    edge = torch.zeros_like(x[..., :LOCAL_BLOCK])
    blocks = frames // LOCAL_BLOCK
    before = torch.cat([edge, x[..., : frames - LOCAL_BLOCK]], dim=3)
    after = torch.cat([x[..., LOCAL_BLOCK:], edge], dim=3)
    shape = (batch, heads, dim, blocks, LOCAL_BLOCK)
    return torch.cat([before.reshape(shape), x.reshape(shape), after.reshape(shape)], dim=4)


def _band(device: torch.device) -> Tensor:
    """(LOCAL_BLOCK, 3·LOCAL_BLOCK): 0 inside the sliding window, MASKED outside."""
    query = torch.arange(LOCAL_BLOCK, device=device)[:, None]
    key = torch.arange(3 * LOCAL_BLOCK, device=device)[None] - LOCAL_BLOCK
    return ((query - key).abs() > LOCAL_BLOCK).float() * MASKED
