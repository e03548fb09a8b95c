"""The pitch track of a singer: what is sung, how surely, how loud, and where notes begin.

The tracker is classical, so that it needs no weights and treats every voice alike: spectral templates and
autocorrelation propose a few pitches a frame (:mod:`appliance.vocal.candidates`), above the steady noise
(:mod:`appliance.vocal.noise_floor`); continuity chooses among them (:mod:`appliance.vocal.path`).
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
from appliance.vocal.frames import HOP_SAMPLES, frame_chunks
from appliance.vocal.noise_floor import with_noise_floor
from appliance.vocal.onsets import SpectralRise, onset_strength
from appliance.vocal.path import Path, best_path
from appliance.vocal.voicing import voicing

PITCH_FRAME_S = HOP_SAMPLES / SAMPLE_RATE_HZ
"""Seconds a pitch frame (11.6 ms); frame t covers samples [512 t, 512 (t + 1)) at 44.1 kHz."""

SUNG = 0.5
"""Frames at least this surely voiced have a pitch."""


@dataclass(frozen=True)
class PitchTrack:
    """Pitch frames of a recording; each array is (N,) float32, N = ceil(samples at 44.1 kHz / 512).

    ``f0_hz`` is 0 where nothing is sung; ``voiced`` is the probability that something is; ``level_db`` is
    the RMS in dBFS, at least -100; ``flux`` >= 0 is the onset strength, about 1 at a clear onset.
    """

    f0_hz: NDArray[np.float32]
    voiced: NDArray[np.float32]
    level_db: NDArray[np.float32]
    flux: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.f0_hz)


def track_pitch(blocks: Iterable[NDArray[np.float32]], total_samples: int) -> PitchTrack:
    """Track the pitch (60-1100 Hz) of one voice in mono 44.1 kHz ``blocks``.

    The result does not depend on how the recording is cut into blocks; memory grows only by the track
    itself (1.2 MB an hour for each of some ten arrays). Raises ValueError where the blocks do not add up
    to ``total_samples``.
    """
    if total_samples <= 0:
        nothing = np.zeros(0, np.float32)
        return PitchTrack(nothing, nothing, nothing, nothing)
    levels: list[NDArray[np.float32]] = []
    rises: list[NDArray[np.float32]] = []
    spectral_rise = SpectralRise()

    def candidates() -> Iterator[Candidates]:
        for chunk, noise in with_noise_floor(frame_chunks(blocks, total_samples)):
            levels.append(chunk.level_db)
            rises.append(spectral_rise.push(chunk, noise))
            yield find_candidates(chunk, noise)

    with closing(ahead(candidates())) as found:  # heard in one thread, followed in the other
        path = _whole(best_path(found))
    voiced = voicing(path)
    f0_hz = np.where(voiced >= SUNG, path.f0_hz, 0.0).astype(np.float32)
    flux = onset_strength(np.concatenate(rises), f0_hz, voiced)
    return PitchTrack(f0_hz, voiced, np.concatenate(levels), flux)


def _whole(parts: Iterable[Path]) -> Path:
    parts = list(parts)
    return Path(
        f0_hz=np.concatenate([part.f0_hz for part in parts]),
        match=np.concatenate([part.match for part in parts]),
        periodicity=np.concatenate([part.periodicity for part in parts]),
        band_db=np.concatenate([part.band_db for part in parts]),
    )
