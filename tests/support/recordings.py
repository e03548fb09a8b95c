"""Recordings for tests: a chirp in each container."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile

from appliance.audio.recording import probe, read_blocks

CONTAINERS = {
    "wav": ("WAV", "PCM_24"),
    "aiff": ("AIFF", "PCM_24"),
    "flac": ("FLAC", "PCM_24"),
    "ogg": ("OGG", "VORBIS"),
    "mp3": ("MP3", "MPEG_LAYER_III"),
}


def tone(seconds: float, rate_hz: int, channels: int = 1) -> np.ndarray:
    """A quiet chirp, (T, channels), with a click in the middle whose position shows any delay."""
    t = np.arange(int(seconds * rate_hz)) / rate_hz
    x = 0.2 * np.sin(2 * np.pi * (200 + 100 * t) * t)
    x[len(x) // 2] += 0.7
    return np.stack([x * (1 - 0.3 * c) for c in range(channels)], axis=1)


def write(path: Path, sound: np.ndarray, rate_hz: int, subtype: str = "PCM_24") -> Path:
    """Write ``sound`` (T,) or (T, channels) to ``path``."""
    soundfile.write(path, sound, rate_hz, subtype=subtype)
    return path


def whole(path: Path) -> np.ndarray:
    """All samples of the recording ``path`` as read, (T, 2) at 44.1 kHz."""
    return np.concatenate(list(read_blocks(probe(path))))
