"""Sung test material made of sines: a melody with vibrato, no corpus and no speech synthesiser needed."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

MELODY = (60, 62, 64, 65, 67, 67, 65, 64, 62, 60, 64, 67)


def sung(
    seconds: float,
    rate_hz: int = 44_100,
    note_s: float = 0.5,
    semitones: float = 0.0,
    vibrato_hz: float = 5.5,
) -> NDArray[np.float32]:
    """(n,) a voice-like tone singing :data:`MELODY` over and over: ten harmonics, vibrato, soft onsets.

    The melody is transposed by ``semitones``.
    """
    time = np.arange(round(seconds * rate_hz)) / rate_hz
    index = (time / note_s).astype(int)
    pitch = np.array(MELODY)[index % len(MELODY)] + 0.3 * np.sin(2 * np.pi * vibrato_hz * time)
    pitch = pitch + semitones
    f0 = 440.0 * 2.0 ** ((pitch - 69.0) / 12.0)
    phase = 2 * np.pi * np.cumsum(f0) / rate_hz
    tone = sum(np.sin(k * phase) / k**1.3 * (k * f0 < 0.45 * rate_hz) for k in range(1, 11))
    inside = time - index * note_s
    envelope = np.clip(inside / 0.03, 0, 1) * np.clip((note_s - inside) / 0.05, 0, 1)
    return (0.2 * tone * envelope).astype(np.float32)
