"""Short sound files of renders: MP3, at the best quality at which all of them together are small."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from appliance.errors import OutputError
from appliance.files.whole import whole_file
from appliance.grid import SAMPLE_RATE_HZ

COMPRESSIONS = (0.5, 0.6, 0.7, 0.8, 0.9)
"""libsndfile's compression levels that are tried in turn, at a variable bit rate."""

FADE_IN_S, FADE_OUT_S = 0.02, 1.0

Audio = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Cut:
    """Where an excerpt is taken from: ``seconds`` of the sound file ``source``, from ``start_s`` on."""

    source: Path
    start_s: float
    seconds: float


def excerpt(cut: Cut) -> Audio:
    """The excerpt, faded in and out: (S, C) for C channels at the rate of the sound file."""
    with soundfile.SoundFile(cut.source) as sound:
        rate_hz = sound.samplerate
        sound.seek(min(round(cut.start_s * rate_hz), sound.frames))
        samples = sound.read(round(cut.seconds * rate_hz), dtype="float32", always_2d=True)
    faded: Audio = samples * _fade(len(samples), rate_hz)[:, None]
    return faded


def _fade(samples: int, rate_hz: int) -> Audio:
    time_s = np.arange(samples) / rate_hz
    left_s = (samples - 1) / rate_hz - time_s
    return np.clip(np.minimum(time_s / FADE_IN_S, left_s / FADE_OUT_S), 0.0, 1.0).astype(np.float32)


def write_excerpts(cuts: Mapping[Path, Cut], most_bytes: int) -> float:
    """Write each excerpt to its file, all at the same quality; returns the compression level, 0 to 1.

    Raises:
        OutputError: the excerpts are larger than ``most_bytes`` even at the lowest quality.
    """
    sounds = {file: excerpt(cut) for file, cut in cuts.items()}
    for compression in COMPRESSIONS:
        for file, samples in sounds.items():
            file.parent.mkdir(parents=True, exist_ok=True)
            write_mp3(file, samples, compression)
        size = sum(file.stat().st_size for file in sounds)
        if size <= most_bytes:
            return compression
    raise OutputError(f"The excerpts take {size} bytes and may take {most_bytes}; make them shorter.")


def write_mp3(file: Path, samples: Audio, compression: float) -> None:
    """Write ``samples`` (S, C) at 44.1 kHz as MP3; the same samples give the same bytes."""
    with whole_file(file) as stream:
        soundfile.write(
            stream,
            samples,
            SAMPLE_RATE_HZ,
            format="MP3",
            bitrate_mode="VARIABLE",
            compression_level=compression,
        )
