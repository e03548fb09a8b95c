"""Onset strength, from the spectrum and from the pitch.

A singer begins a note with a new sound (a consonant, the end of a breath) or, on one vowel, with a new pitch.
The first is the rise of the spectrum above an earlier spectrum that is widened in frequency, so that vibrato
does not count (SuperFlux, Böck and Widmer, DAFx 2013). The second is a step between the mean pitches before
and after, each taken over one period of vibrato.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from appliance.numerics.mel import mel_of
from appliance.vocal.frames import BIN_HZ, BINS, FrameChunk
from appliance.vocal.noise_floor import NoiseFloor

_BANDS = 24
_LOWEST_HZ = 80.0
_HIGHEST_HZ = 5000.0
_LAG = 3
"""Frames over which a rise is measured (35 ms)."""

_QUIET = 10.0 ** (-45 / 10)
"""Power, relative to loud frames nearby, below which a rise does not count (-45 dB)."""

_NOISE_REACH = 4.0
_CLEAR_RISE = 2.0
"""Mean rise of log power at a clear onset: there, the strength is 1."""

_STEP_FRAMES = 14
_STEP_GAP = 2
_SMALLEST_STEP = 0.4
_CLEAR_STEP = 1.0
"""Pitch steps in semitones: the strength rises from 0 at the smallest step to 1 at a clear step."""

_PULSE = np.array([0.3, 0.7, 1.0, 0.7, 0.3])


class SpectralRise:
    """Onset strength of consecutive chunks; keeps the last frames of one chunk for the next."""

    def __init__(self) -> None:
        self._before: NDArray[np.float32] | None = None

    def push(self, chunk: FrameChunk, noise: NoiseFloor) -> NDArray[np.float32]:
        """Rise (T,) of the chunk's T frames above those 35 ms earlier; about 1 at a clear onset."""
        filters = _band_filters()
        power = np.square(chunk.short) @ filters
        hidden = np.square(_NOISE_REACH * noise.short) @ filters + _QUIET * max(noise.loud, 1e-6) ** 2
        if self._before is None:
            self._before = np.zeros((_LAG, _BANDS), np.float32)
        power = np.concatenate([self._before, power])
        self._before = power[-_LAG:]
        loudness = np.log(power + hidden)
        wide = loudness.copy()
        wide[:, 1:] = np.maximum(wide[:, 1:], loudness[:, :-1])
        wide[:, :-1] = np.maximum(wide[:, :-1], loudness[:, 1:])
        rise = np.maximum(loudness[_LAG:] - wide[:-_LAG], 0.0).mean(axis=1)
        return np.asarray(rise / _CLEAR_RISE, np.float32)


@lru_cache(maxsize=1)
def _band_filters() -> NDArray[np.float32]:
    """(B, 24) triangles, evenly spaced on the mel scale."""
    mel = np.linspace(mel_of(_LOWEST_HZ), mel_of(_HIGHEST_HZ), _BANDS + 2)
    bins = mel_of(np.arange(BINS) * BIN_HZ)[:, None]
    step = mel[1] - mel[0]
    return np.asarray(np.maximum(0.0, 1.0 - np.abs(bins - mel[None, 1:-1]) / step), np.float32)


def onset_strength(
    rise: NDArray[np.float32], f0_hz: NDArray[np.float32], voiced: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Onset strength (T,) from the spectral ``rise``, the pitch and the voicing, each (T,), T frames."""
    # A rise over three frames counts for the middle one.
    centred = np.append(rise[1:], np.zeros(1, np.float32))
    return np.maximum(centred, _pitch_steps(f0_hz, voiced)).astype(np.float32)


def _pitch_steps(f0_hz: NDArray[np.float32], voiced: NDArray[np.float32]) -> NDArray[np.float64]:
    """A pulse of height 0-1 at each step of the mean pitch: (T,)."""
    size = step_peaks(pitch_step(f0_hz, voiced))
    height = np.clip((size - _SMALLEST_STEP) / (_CLEAR_STEP - _SMALLEST_STEP), 0.0, 1.0)
    return np.convolve(height, _PULSE)[len(_PULSE) // 2 :][: len(height)]


def step_peaks(step: NDArray[np.float64]) -> NDArray[np.float64]:
    """Absolute pitch ``step`` in semitones where it is largest within 81 ms, otherwise 0: (T,) -> (T,)."""
    size = np.abs(step)
    reach = _STEP_FRAMES // 2
    around = np.lib.stride_tricks.sliding_window_view(np.pad(size, reach), 2 * reach + 1)
    return np.where(around.argmax(axis=1) == reach, size, 0.0)


def pitch_step(f0_hz: NDArray[np.float32], voiced: NDArray[np.float32]) -> NDArray[np.float64]:
    """Semitones from the mean pitch before each frame to that after it, (T,); 0 next to a gap."""
    weight = np.where(f0_hz > 0.0, voiced, 0.0).astype(np.float64)
    semitones = 12.0 * np.log2(np.maximum(f0_hz, 1.0)) * (weight > 0.0)
    padding = _STEP_FRAMES + _STEP_GAP
    total = np.cumsum(np.pad(weight, (padding + 1, padding)))
    moment = np.cumsum(np.pad(weight * semitones, (padding + 1, padding)))
    frame = np.arange(len(f0_hz)) + padding
    ends = ((frame - _STEP_GAP - _STEP_FRAMES, frame - _STEP_GAP), (frame + _STEP_GAP, frame + padding))
    weights = [total[end] - total[start] for start, end in ends]
    means = [
        (moment[end] - moment[start]) / np.maximum(w, 1e-9)
        for (start, end), w in zip(ends, weights, strict=True)
    ]
    enough = np.minimum(*weights) > 0.6 * _STEP_FRAMES
    return np.where(enough, means[1] - means[0], 0.0)
