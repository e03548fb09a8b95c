"""A latent of a recording, for conditioning on audio: principal components of its mel spectrum.

SAMUeL (arXiv 2507.19991) conditions on an audio VAE's latent of the vocal: 64 rows at 21.5 Hz. This is a
substitute that two CPU cores can afford: the same rows and rate, but linear, fitted to the training
recordings, and of the magnitude spectrum. Besides the melody it keeps timbre, consonants, room and noise,
which melodic features drop.

Letters: S samples, M mel bands, T score frames of 2048 samples, F = 64 rows.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from appliance.grid import FRAME_SAMPLES, SAMPLE_RATE_HZ
from appliance.numerics.mel import hz_of, mel_of
from appliance.vocal.features import FEATURE_ROWS

Array = NDArray[np.float32]

WINDOW_SAMPLES = 4096
"""93 ms, long enough to separate the harmonics of a low voice."""

BANDS = 160
LOWEST_HZ, HIGHEST_HZ = 60.0, 10_000.0
RANGE_DB = 80.0
"""Dynamic range below the recording's loudest band; quieter values are raised to its floor."""


def mel_spectrum(audio: Array) -> Array:
    """Log-mel spectrum (M, T) of mono ``audio`` (S,), in bels relative to the loudest band.

    T = S / 2048, rounded up.
    """
    frames = -(-len(audio) // FRAME_SAMPLES)
    margin = (WINDOW_SAMPLES - FRAME_SAMPLES) // 2
    padded = np.pad(audio, (margin, frames * FRAME_SAMPLES - len(audio) + margin))
    places = FRAME_SAMPLES * np.arange(frames)[:, None] + np.arange(WINDOW_SAMPLES)[None]
    spectrum = np.abs(np.fft.rfft(padded[places] * np.hanning(WINDOW_SAMPLES), axis=1)) ** 2
    power = mel_bank() @ spectrum.T
    loudest = float(power.max(initial=1e-20))
    floor = max(loudest, 1e-20) * 10.0 ** (-RANGE_DB / 10.0)
    bels: Array = np.log10(np.maximum(power, floor) / max(loudest, 1e-20)).astype(np.float32)
    return bels


def mel_bank() -> Array:
    """Triangular bands (M, WINDOW_SAMPLES / 2 + 1), evenly spaced in mel, with a maximum of 1."""
    edges = hz_of(np.linspace(mel_of(LOWEST_HZ), mel_of(HIGHEST_HZ), BANDS + 2))
    hz = np.fft.rfftfreq(WINDOW_SAMPLES, 1.0 / SAMPLE_RATE_HZ)
    # The lowest bands would be narrower than a bin, so every band has at least the width of one.
    width = SAMPLE_RATE_HZ / WINDOW_SAMPLES
    centre = edges[1:-1, None]
    below = np.maximum(centre - edges[:-2, None], width)
    above = np.maximum(edges[2:, None] - centre, width)
    slope = np.where(hz[None] < centre, (hz[None] - centre) / below, (centre - hz[None]) / above)
    bank: Array = np.maximum(0.0, 1.0 + slope).astype(np.float32)
    return bank


@dataclass(frozen=True, slots=True)
class Components:
    """Principal components: ``mean`` (M,), ``axes`` (F, M) and ``scale`` (F,), their standard deviations.

    ``kept`` is the share of the variance that they explain.
    """

    mean: Array
    axes: Array
    scale: Array
    kept: float

    def latent(self, spectrum: Array) -> Array:
        """Spectrum (M, T) -> latent (F, T); each row has unit variance over the fitted recordings."""
        latent: Array = (self.axes @ (spectrum - self.mean[:, None]) / self.scale[:, None]).astype(np.float32)
        return latent


def fit_components(spectra: Iterable[Array], count: int = FEATURE_ROWS) -> Components:
    """The ``count`` strongest principal components of all ``spectra`` (M, T) together."""
    frames, total, products = 0, np.zeros(BANDS), np.zeros((BANDS, BANDS))
    for spectrum in spectra:
        values = spectrum.astype(np.float64)
        frames += values.shape[1]
        total += values.sum(axis=1)
        products += values @ values.T
    mean = total / frames
    variances, axes = np.linalg.eigh(products / frames - np.outer(mean, mean))
    strongest = np.argsort(variances)[::-1][:count]
    scale = np.sqrt(np.maximum(variances[strongest], 1e-8))
    kept = float(variances[strongest].sum() / variances.sum())
    return Components(
        mean.astype(np.float32), axes[:, strongest].T.astype(np.float32), scale.astype(np.float32), kept
    )
