"""The steady part of a recording: hum, hiss and room, which a singer never is.

A voice leaves every frequency now and then, noise does not: what a frequency never falls below for half a
minute is noise (minimum statistics, after Martin, IEEE Trans. Speech and Audio 9(5), 2001).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from appliance.grid import SAMPLE_RATE_HZ
from appliance.vocal.frames import HOP_SAMPLES, FrameChunk

_QUANTILE = 0.1
_EVERY = 8
"""Frames between those looked at: neighbours share most of their window."""

_UNTRUSTED_S = 3.0
_TRUSTED_S = 9.0
"""Within less than 3 s a held note is as steady as a hum; from 9 s on the floor is taken as it is."""


@dataclass(frozen=True)
class NoiseFloor:
    """Magnitude that each of B bins rarely falls below, for the 93 ms (``long``) and 46 ms window.

    ``loud`` is the magnitude of the strongest bin in a loud frame nearby: what "loud" means just here.
    """

    long: NDArray[np.float32]
    short: NDArray[np.float32]
    loud: float


def with_noise_floor(chunks: Iterable[FrameChunk]) -> Iterator[tuple[FrameChunk, NoiseFloor]]:
    """Each chunk with the noise floor of itself and its two neighbours (36 s)."""
    near: deque[FrameChunk] = deque(maxlen=3)
    for chunk in chunks:
        near.append(chunk)
        if len(near) > 1:
            yield near[-2], _floor(near)
    if near:
        last = near[-1]
        if len(near) == 3:
            near.popleft()
        yield last, _floor(near)


def _floor(near: Iterable[FrameChunk]) -> NoiseFloor:
    near = list(near)
    seconds = sum(len(chunk.level_db) for chunk in near) * HOP_SAMPLES / SAMPLE_RATE_HZ
    trust = min(1.0, max(0.0, (seconds - _UNTRUSTED_S) / (_TRUSTED_S - _UNTRUSTED_S)))
    return NoiseFloor(
        long=_quantile([chunk.long for chunk in near]) * np.float32(trust),
        short=_quantile([chunk.short for chunk in near]) * np.float32(trust),
        loud=float(np.quantile(np.concatenate([c.short[::_EVERY].max(axis=1) for c in near]), 0.95)),
    )


def _quantile(magnitudes: list[NDArray[np.float32]]) -> NDArray[np.float32]:
    looked_at = np.concatenate([m[::_EVERY] for m in magnitudes])
    return np.asarray(np.quantile(looked_at, _QUANTILE, axis=0), np.float32)
