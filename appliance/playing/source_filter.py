"""The fixed part of the audio decoder: STFT of the sources, their summary for the network, and the ISTFT.

The STFT uses sine windows with an overlap of one half. Analysis and synthesis window multiply to a Hann
window, whose halves add to one, so gains of one reproduce the sources exactly. The network gives a gain per
band. Interpolated over frequency these gains are a short filter, which does not smear onsets. The phases stay
those of the sources.

Shapes: S sources, K = 513 bins, A bands, F frames; frame f covers samples 512 (f - 1) to 512 (f + 1).
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from appliance.grid import SAMPLE_RATE_HZ
from appliance.music.score import PITCHES
from appliance.numerics.mel import mel_of
from appliance.playing.excitation import SOURCES, Excitation

Array = NDArray[np.float32]
Spectrum = NDArray[np.complex64]

HOP_SAMPLES = 512
WINDOW_SAMPLES = 2 * HOP_SAMPLES
SPECTRUM_BINS = HOP_SAMPLES + 1
BANDS = 64
GAIN_ROWS = SOURCES * BANDS
DECODER_ROWS = SOURCES * BANDS + 2 * PITCHES
"""Input rows of the audio decoder."""

QUIET = 1e-8
LOUDNESS_SPAN = 8.0
"""Powers of ten between QUIET and full scale."""


@lru_cache(maxsize=1)
def bands() -> Array:
    """Share of each bin in each band, (A, K); the shares of a bin add to one.

    Band centres are evenly spaced on the mel scale, about one bin apart at the low end.
    """
    bins = mel_of(np.fft.rfftfreq(WINDOW_SAMPLES, 1.0 / SAMPLE_RATE_HZ))
    place = bins / bins[-1] * (BANDS - 1)
    shares: Array = np.maximum(0.0, 1.0 - np.abs(place - np.arange(BANDS)[:, None])).astype(np.float32)
    return shares


@lru_cache(maxsize=1)
def window() -> Array:
    """The sine window, (1024,)."""
    half: Array = np.sin(np.pi * (np.arange(WINDOW_SAMPLES) + 0.5) / WINDOW_SAMPLES).astype(np.float32)
    return half


def sources_of(excitation: Excitation, first: int, frames: int) -> tuple[Spectrum, Array]:
    """Frames ``first`` to ``first + frames``: spectra (S, K, F) and input rows (DECODER_ROWS, F)."""
    sound = excitation.sources(HOP_SAMPLES * (first - 1), HOP_SAMPLES * (frames + 1))
    spectrum = stft(sound)
    power = np.square(spectrum.real) + np.square(spectrum.imag)
    loud = np.log10(bands() @ power * np.float32(1.0 / WINDOW_SAMPLES) + np.float32(QUIET))
    centres = HOP_SAMPLES * np.arange(first, first + frames, dtype=np.int64) + HOP_SAMPLES // 2
    rows = np.concatenate([(loud / LOUDNESS_SPAN + 1.0).reshape(-1, frames), excitation.activity(centres)])
    return spectrum, rows.astype(np.float32)


def stft(sound: Array) -> Spectrum:
    """Short-time Fourier transform: (S, 512 (F + 1)) -> (S, K, F)."""
    halves = sound.reshape(len(sound), -1, HOP_SAMPLES)
    frames = np.concatenate([halves[:, :-1], halves[:, 1:]], axis=2) * window()
    spectrum: Spectrum = np.fft.rfft(frames, axis=2).astype(np.complex64).transpose(0, 2, 1)
    return spectrum


def istft(spectrum: Spectrum) -> Array:
    """Inverse transform, (K, F) -> (512 (F - 1),): samples from the first frame's centre to the last's."""
    frames = np.fft.irfft(spectrum.T, WINDOW_SAMPLES, axis=1).astype(np.float32) * window()
    sound: Array = (frames[:-1, HOP_SAMPLES:] + frames[1:, :HOP_SAMPLES]).reshape(-1)
    return sound


def filtered(spectrum: Spectrum, gains: Array) -> Spectrum:
    """Apply ``gains`` (S · A, F), natural logarithms, to the sources (S, K, F) and add them up: (K, F)."""
    by_band = gains.reshape(SOURCES, BANDS, -1)
    shaped = spectrum * np.exp(np.einsum("ak,saf->skf", bands(), by_band, optimize=True))
    total: Spectrum = shaped.sum(axis=0).astype(np.complex64)
    return total
