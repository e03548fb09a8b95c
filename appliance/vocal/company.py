"""Company: whether more than one voice sounds, or instruments with it.

One voice leaves nothing behind: without the harmonics of its pitch, the rest of a spectrum matches no other
pitch. A second voice does. What counts is the best template match of the rest, relative to that of the voice,
at pitches that are not harmonically related to it. So voices in unison or in octaves pass for one.

Letters: T pitch frames, B bins, G grid pitches, E examined frames, every eighth.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from appliance.vocal.candidates import COMPRESSION, GRID_HZ, Candidates, noise_gain, pitch_templates
from appliance.vocal.frames import BIN_HZ, BINS, FrameChunk
from appliance.vocal.noise_floor import NoiseFloor

EVERY = 8
"""Only each eighth frame is examined: neighbouring frames share most of their window. A divisor of the frames
in a chunk."""

_TOOTH_HZ, _TOOTH_SHARE = 28.0, 0.03
"""Bins this near to a harmonic, or within this share of its frequency, belong to it."""

_RELATED = (1 / 4, 1 / 3, 1 / 2, 2 / 3, 3 / 4, 1, 4 / 3, 3 / 2, 2, 5 / 2, 3, 4, 5)
_RELATED_OCTAVES = 0.05

_EVEN_ODDS, _SLOPE = 0.24, 5.5
"""Median rest at which company is as likely as not, and the slope of the log odds against its logarithm.
Measured on singers of the simulation and on two real ones: 0.01-0.13 for one voice, however noisy, up to 0.20
in a hall; 0.3-0.75 for duets and choirs, 0.16-0.43 for a singer 12 dB above a piano, 0.3-0.6 for one 3 dB
above it."""

_FEWEST = 12
"""Sung frames that must have been examined: about a second."""


def rest_of(chunk: FrameChunk, noise: NoiseFloor, found: Candidates) -> NDArray[np.float32]:
    """Best match of what the first candidate leaves, relative to its own, (E,); -1 without candidate."""
    weight, templates = pitch_templates()
    magnitude = chunk.long[::EVERY]
    loudness = magnitude**COMPRESSION * weight
    norm = np.sqrt(np.sum(np.square(loudness), axis=1, keepdims=True))
    loudness *= noise_gain(magnitude, noise.long) ** COMPRESSION / np.maximum(norm, 1e-6)
    f0_hz = found.f0_hz[::EVERY, 0]
    pitch_hz = np.where(f0_hz > 0.0, f0_hz, 200.0)[:, None]
    bin_hz = (np.arange(BINS) * BIN_HZ).astype(np.float32)[None]
    harmonic_hz = np.maximum(np.round(bin_hz / pitch_hz), 1.0) * pitch_hz
    own = np.abs(bin_hz - harmonic_hz) < np.maximum(_TOOTH_HZ, _TOOTH_SHARE * bin_hz)
    loudness[own & (bin_hz >= 0.5 * pitch_hz)] = 0.0
    match = loudness @ templates
    octaves = np.log2(GRID_HZ[None] / pitch_hz).astype(np.float32)
    for ratio in _RELATED:
        match[np.abs(octaves - np.float32(math.log2(ratio))) < _RELATED_OCTAVES] = 0.0
    rest = match.max(axis=1) / np.maximum(found.match[::EVERY, 0], 1e-3)
    return np.where(f0_hz > 0.0, np.maximum(rest, 0.0), -1.0).astype(np.float32)


def company(rest: NDArray[np.float32], sung: NDArray[np.bool_]) -> float:
    """Probability that there is more than one voice, from the ``rest`` (E,) of a recording.

    ``sung`` (T,) says in which frames something is sung; only these count. 0 if they are too few.
    """
    counted = rest[sung[::EVERY] & (rest >= 0.0)]
    if len(counted) < _FEWEST:
        return 0.0
    log_odds = _SLOPE * math.log(max(float(np.median(counted)), 1e-3) / _EVEN_ODDS)
    return 1.0 / (1.0 + math.exp(-log_odds))
