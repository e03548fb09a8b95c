"""The fixed half of the audio decoder: sources as a spectrum, its summary for the network, the way back.

An STFT with sine windows that overlap by half: analysis and synthesis windows multiply to Hann, whose
halves add to one, so that gains of one give back the sources exactly. The network gives gains by band,
smooth over frequency, which is a short filter and does not smear what is sharp in time. Phases are the
sources' own.

Letters: S sources, K = 513 bins, A bands, F frames; frame f covers samples 512 (f - 1) .. 512 (f + 1).
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
"""Rows that the audio decoder is given for every frame."""

QUIET = 1e-8
LOUDNESS_SPAN = 8.0
"""Powers of ten between QUIET and full scale."""


@lru_cache(maxsize=1)
def bands() -> Array:
    """(A, K): how much of each bin belongs to each band; a bin's shares add to one.

    Centres are equally far apart in mel, about a bin at the low end.
    """
    bins = mel_of(np.fft.rfftfreq(WINDOW_SAMPLES, 1.0 / SAMPLE_RATE_HZ))
    place = bins / bins[-1] * (BANDS - 1)
    shares: Array = np.maximum(0.0, 1.0 - np.abs(place - np.arange(BANDS)[:, None])).astype(np.float32)
    return shares


@lru_cache(maxsize=1)
def window() -> Array:
    """Sine window, (1024,)."""
    half: Array = np.sin(np.pi * (np.arange(WINDOW_SAMPLES) + 0.5) / WINDOW_SAMPLES).astype(np.float32)
    return half


def sources_of(excitation: Excitation, first: int, frames: int) -> tuple[Spectrum, Array]:
    """Frames ``first`` .. ``first + frames``: the sources' spectra (S, K, F) and rows (DECODER_ROWS, F)."""
    sound = excitation.sources(HOP_SAMPLES * (first - 1), HOP_SAMPLES * (frames + 1))
    spectrum = stft(sound)
    power = np.square(spectrum.real) + np.square(spectrum.imag)
    loud = np.log10(bands() @ power * np.float32(1.0 / WINDOW_SAMPLES) + np.float32(QUIET))
    centres = HOP_SAMPLES * np.arange(first, first + frames, dtype=np.int64) + HOP_SAMPLES // 2
    rows = np.concatenate([(loud / LOUDNESS_SPAN + 1.0).reshape(-1, frames), excitation.keys(centres)])
    return spectrum, rows.astype(np.float32)


def stft(sound: Array) -> Spectrum:
    """(S, 512 (F + 1)) -> (S, K, F)."""
    halves = sound.reshape(len(sound), -1, HOP_SAMPLES)
    frames = np.concatenate([halves[:, :-1], halves[:, 1:]], axis=2) * window()
    spectrum: Spectrum = np.fft.rfft(frames, axis=2).astype(np.complex64).transpose(0, 2, 1)
    return spectrum


def istft(spectrum: Spectrum) -> Array:
    """(K, F) -> (512 (F - 1),): the samples that two frames cover, from the middle of the first on."""
    frames = np.fft.irfft(spectrum.T, WINDOW_SAMPLES, axis=1).astype(np.float32) * window()
    sound: Array = (frames[:-1, HOP_SAMPLES:] + frames[1:, :HOP_SAMPLES]).reshape(-1)
    return sound


def filtered(spectrum: Spectrum, gains: Array) -> Spectrum:
    """Sources (S, K, F) shaped by natural logarithms of gains (S · A, F), and added up: (K, F)."""
    by_band = gains.reshape(SOURCES, BANDS, -1)
    shaped = spectrum * np.exp(np.einsum("ak,saf->skf", bands(), by_band, optimize=True))
    total: Spectrum = shaped.sum(axis=0).astype(np.complex64)
    return total
