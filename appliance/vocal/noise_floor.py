"""The noise floor of a recording: hum, hiss and room.

A voice leaves each frequency now and then; steady noise does not. The level that a frequency rarely falls
below within half a minute is therefore noise (minimum statistics, after Martin, IEEE Trans. Speech and Audio
Processing 9(5), 2001).
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
"""Only each eighth frame is used: neighbouring frames share most of their window."""

_UNTRUSTED_S = 3.0
_TRUSTED_S = 9.0
"""Below 3 s the floor is ignored, since a held note is as steady as hum; from 9 s it is used in full."""


@dataclass(frozen=True)
class NoiseFloor:
    """Noise magnitude of B bins, each (B,), in the 93 ms (``long``) and the 46 ms window (``short``).

    ``loud`` is the magnitude of the strongest bin in a loud frame nearby, a local reference level.
    """

    long: NDArray[np.float32]
    short: NDArray[np.float32]
    loud: float


def with_noise_floor(chunks: Iterable[FrameChunk]) -> Iterator[tuple[FrameChunk, NoiseFloor]]:
    """Pair each chunk with the noise floor of itself and its two neighbours (36 s)."""
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
