"""Small files that decode to large ones, and files that only claim to be large."""

from __future__ import annotations

import gzip
import io
import zipfile
from collections.abc import Iterator

import numpy as np
import soundfile


def bombs(hours: float) -> Iterator[tuple[str, bytes]]:
    """Files as names and bytes, each with ``hours`` of silence in a few kilobytes."""
    yield "hours of silence.flac", _silence("FLAC", "PCM_16", hours)
    yield "hours of silence.ogg", _silence("OGG", "VORBIS", hours / 4)
    yield "hours of silence.mp3", _silence("MP3", "MPEG_LAYER_III", hours / 4)
    yield "a billion samples.flac", _promising(_silence("FLAC", "PCM_16", 0.001), (1 << 36) - 1)
    yield "zip.wav", _zip()
    yield "gz.flac", gzip.compress(bytes(50 << 20))


def _silence(container: str, encoding: str, hours: float) -> bytes:
    file = io.BytesIO()
    with soundfile.SoundFile(file, "w", 8_000, 1, encoding, format=container) as sound:
        minute = np.zeros(60 * 8_000, np.int16)
        for _ in range(max(1, round(hours * 60))):
            sound.write(minute)
    return file.getvalue()


def _promising(flac: bytes, samples: int) -> bytes:
    """Set the sample count: the lower 36 bits of bytes 18 to 25, in STREAMINFO (RFC 9639)."""
    packed = int.from_bytes(flac[18:26], "big") >> 36 << 36 | samples
    return flac[:18] + packed.to_bytes(8, "big") + flac[26:]


def _zip() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(20):
            archive.writestr(f"{number}.wav", bytes(5 << 20))
    return file.getvalue()
