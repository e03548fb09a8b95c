"""Attention on (B, C, N): global, perhaps at a reduced frame rate, and local in a sliding window.

Letters: B batch, C channels, H heads, E = C/H, N latent frames (a multiple of LOCAL_BLOCK), Q queries and
K keys.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

LOCAL_BLOCK = 16
"""Local attention reaches this many latent frames (1.5 s) to either side."""

MASKED = -1e4
"""Score of what may not be seen: far below any real one, and finite in every precision."""


def rotary(frames: int, dim: int, device: torch.device, stride: int = 1) -> tuple[Tensor, Tensor]:
    """Cosines and sines (E, N / stride) of rotary positions (Su et al., arXiv 2104.09864).

    With a ``stride`` a position is the middle of so many frames.
    """
    half = dim // 2
    speed = 10000.0 ** (-torch.arange(half, device=device, dtype=torch.float32) / half)
    position = torch.arange(frames, device=device, dtype=torch.float32)[::stride] + (stride - 1) / 2
    angle = speed[:, None] * position[None]
    angle = torch.cat([angle, angle])
    return angle.cos(), angle.sin()


def rotate(x: Tensor, turn: tuple[Tensor, Tensor]) -> Tensor:
    """Rotate (B, H, E, N) by its positions."""
    first, second = x.chunk(2, dim=2)
    return x * turn[0] + torch.cat([-second, first], dim=2) * turn[1]


def heads_of(x: Tensor, heads: int) -> Tensor:
    """(B, C, N) -> (B, H, E, N)."""
    return x.reshape(x.shape[0], heads, -1, x.shape[-1])


def pooled(x: Tensor, stride: int) -> Tensor:
    """(B, C, N) -> (B, C, N / stride): the mean of so many frames."""
    return x if stride == 1 else F.avg_pool1d(x, stride, stride)


def wide_mask(valid: Tensor, stride: int = 1) -> Tensor:
    """(B, 1, N), 1 inside the song -> (B, 1, 1, N / stride), added to the scores of pooled keys.

    Pooled frames that reach beyond the song's end are not seen.
    """
    return (1.0 - pooled(valid, stride).floor()).unsqueeze(2) * MASKED


def global_attention(q: Tensor, k: Tensor, v: Tensor, mask: Tensor) -> Tensor:
    """Every query sees every key that ``mask`` does not hide.

    Args:
        q: (B, H, E, Q), positions already in it.
        k, v: (B, H, E, K), positions already in k.
        mask: (B, 1, 1, K) from :func:`wide_mask`.

    Returns:
        (B, C, Q)
    """
    if not torch.jit.is_tracing():
        mixed = F.scaled_dot_product_attention(
            q.transpose(2, 3), k.transpose(2, 3), v.transpose(2, 3), attn_mask=mask.to(q.dtype)
        )
        return mixed.transpose(2, 3).flatten(1, 2)
    scores = torch.matmul(q.transpose(2, 3) * q.shape[2] ** -0.5, k) + mask
    return torch.matmul(v, scores.softmax(dim=-1).transpose(2, 3)).flatten(1, 2)


def near_keys(k: Tensor) -> Tensor:
    """(B, H, E, N) -> (B, H, N / LOCAL_BLOCK, 3 LOCAL_BLOCK, E): what each block of queries may see."""
    return _with_neighbours(k).permute(0, 1, 3, 4, 2)


def near_values(v: Tensor) -> Tensor:
    """(B, H, E, N) -> (B, H, N / LOCAL_BLOCK, E, 3 LOCAL_BLOCK)."""
    return _with_neighbours(v).permute(0, 1, 3, 2, 4)


def near_mask(valid: Tensor) -> Tensor:
    """(B, 1, N) -> (B, 1, N / LOCAL_BLOCK, 3 LOCAL_BLOCK, LOCAL_BLOCK), added to the scores.

    Each block of queries meets its own block of keys and both neighbours; a band keeps the window sliding.
    """
    inside = near_keys(valid.unsqueeze(1))
    return (1.0 - inside) * MASKED + _band(valid.device)


def local_attention(q: Tensor, k: Tensor, v: Tensor, mask: Tensor) -> Tensor:
    """Every frame sees the valid frames at most LOCAL_BLOCK away, computed in blocks.

    Scores lie as (keys, queries): so no product needs one of its sides transposed.

    Args:
        q: (B, H, E, N), positions already in it.
        k, v: from :func:`near_keys`, positions already in it, and :func:`near_values`.
        mask: from :func:`near_mask`.

    Returns:
        (B, C, N)
    """
    batch, heads, dim, frames = q.shape
    queries = q.reshape(batch, heads, dim, frames // LOCAL_BLOCK, LOCAL_BLOCK).permute(0, 1, 3, 2, 4)
    scores = torch.matmul(k, queries * dim**-0.5) + mask.to(q.dtype)
    mixed = torch.matmul(v, scores.softmax(dim=3))
    return mixed.permute(0, 1, 3, 2, 4).reshape(batch, heads * dim, frames)


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
    """(3·LOCAL_BLOCK, LOCAL_BLOCK): 0 inside the sliding window, MASKED outside."""
    query = torch.arange(LOCAL_BLOCK, device=device)[None]
    key = torch.arange(3 * LOCAL_BLOCK, device=device)[:, None] - LOCAL_BLOCK
    return ((query - key).abs() > LOCAL_BLOCK).float() * MASKED
