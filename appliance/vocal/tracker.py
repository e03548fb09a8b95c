"""The pitch track of a singer: pitch, voicing, level and onset strength.

The tracker is classical signal processing: it needs no weights and treats all voices alike. Spectral
templates and autocorrelation propose a few pitches per frame (:mod:`appliance.vocal.candidates`) above the
noise floor (:mod:`appliance.vocal.noise_floor`). A search for the most continuous path chooses among them
(:mod:`appliance.vocal.path`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from appliance.grid import SAMPLE_RATE_HZ
from appliance.system.threads import ahead
from appliance.vocal.candidates import Candidates, find_candidates
from appliance.vocal.company import company, rest_of
from appliance.vocal.frames import HOP_SAMPLES, frame_chunks
from appliance.vocal.noise_floor import with_noise_floor
from appliance.vocal.onsets import SpectralRise, onset_strength
from appliance.vocal.path import Path, best_path
from appliance.vocal.voicing import voicing

PITCH_FRAME_S = HOP_SAMPLES / SAMPLE_RATE_HZ
"""Seconds per pitch frame (11.6 ms); frame t covers samples [512 t, 512 (t + 1)) at 44.1 kHz."""

SUNG = 0.5
"""Least voicing of a frame that has a pitch."""


@dataclass(frozen=True)
class PitchTrack:
    """N pitch frames of a recording, N = ceil(samples at 44.1 kHz / 512); each array is (N,) float32.

    ``f0_hz`` is 0 where nothing is sung. ``voiced`` is the probability that the frame is sung. ``level_db``
    is the RMS in dBFS, at least -100. ``flux`` is the onset strength, 0 or more, about 1 at a clear onset.
    """

    f0_hz: NDArray[np.float32]
    voiced: NDArray[np.float32]
    level_db: NDArray[np.float32]
    flux: NDArray[np.float32]
    company: float = 0.0
    """Probability that there is more than one voice, or instruments (:mod:`appliance.vocal.company`)."""

    def __len__(self) -> int:
        return len(self.f0_hz)


def track_pitch(blocks: Iterable[NDArray[np.float32]], total_samples: int) -> PitchTrack:
    """Track the pitch (60-1100 Hz) of one voice in mono ``blocks`` at 44.1 kHz, each (n,), n samples.

    The result does not depend on the block size. Memory grows only with the track: about ten arrays of 1.2 MB
    per hour.

    Raises:
        ValueError: the blocks do not add up to ``total_samples``.
    """
    if total_samples <= 0:
        nothing = np.zeros(0, np.float32)
        return PitchTrack(nothing, nothing, nothing, nothing)
    levels: list[NDArray[np.float32]] = []
    rises: list[NDArray[np.float32]] = []
    rests: list[NDArray[np.float32]] = []
    spectral_rise = SpectralRise()

    def candidates() -> Iterator[Candidates]:
        for chunk, noise in with_noise_floor(frame_chunks(blocks, total_samples)):
            levels.append(chunk.level_db)
            rises.append(spectral_rise.push(chunk, noise))
            found = find_candidates(chunk, noise)
            rests.append(rest_of(chunk, noise, found))
            yield found

    with closing(ahead(candidates())) as found:  # candidates in one thread, the path in the other
        path = _whole(best_path(found))
    voiced = voicing(path)
    f0_hz = np.where(voiced >= SUNG, path.f0_hz, 0.0).astype(np.float32)
    flux = onset_strength(np.concatenate(rises), f0_hz, voiced)
    others = company(np.concatenate(rests), f0_hz > 0.0)
    return PitchTrack(f0_hz, voiced, np.concatenate(levels), flux, others)


def _whole(parts: Iterable[Path]) -> Path:
    parts = list(parts)
    return Path(
        f0_hz=np.concatenate([part.f0_hz for part in parts]),
        match=np.concatenate([part.match for part in parts]),
        periodicity=np.concatenate([part.periodicity for part in parts]),
        band_db=np.concatenate([part.band_db for part in parts]),
    )
