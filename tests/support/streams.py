"""Recordings in every container, read to their end or refused."""

from __future__ import annotations

from pathlib import Path

import pytest
import soundfile

from appliance.audio.recording import AudioInfo, probe, read_mono
from appliance.errors import InputError
from support.vocals import sung

SECONDS = 6.0
RATE_HZ = 44_100


def made(folder: Path, ending: str, **options: object) -> Path:
    """Six seconds of singing in a container."""
    path = folder / f"take.{ending}"
    soundfile.write(path, sung(SECONDS), RATE_HZ, **options)  # type: ignore[arg-type]
    return path


def read(path: Path) -> AudioInfo:
    """Probed, and read to the end as a render does."""
    info = probe(path)
    assert sum(len(block) for block in read_mono(info)) == info.output_samples
    return info


def refusal(path: Path) -> str:
    with pytest.raises(InputError) as caught:
        probe(path)
    return str(caught.value)


def put(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path
