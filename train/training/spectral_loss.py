"""Distance of two sounds: mel spectra at several resolutions, as in Yamamoto et al. (arXiv 1910.11480).

Mel bands are compared instead of bins, because noise between the partials need not agree.

Letters: B batch, S samples, F frames, K bins, M mel bands.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from appliance.grid import SAMPLE_RATE_HZ
from appliance.numerics.mel import mel_of

RESOLUTIONS = ((256, 40), (512, 64), (1024, 80), (2048, 120))
"""Window lengths in samples, with their numbers of mel bands."""

QUIET = 1e-4
"""Amplitude (-80 dB) below which differences do not count."""


def magnitudes(sound: Tensor, size: int) -> Tensor:
    """Amplitudes (B, F, K) of ``sound`` (B, S), 1 for a full-scale sine; frames overlap by half."""
    window = torch.hann_window(size, device=sound.device)
    frames = sound.unfold(1, size, size // 2) * (window * (2.0 / window.sum()))
    spectrum = torch.fft.rfft(frames)
    return (spectrum.real.square() + spectrum.imag.square() + 1e-14).sqrt()


def spectral_terms(made: Tensor, wanted: Tensor) -> dict[str, Tensor]:
    """Distances of ``made`` and ``wanted``, both (B, S), averaged over RESOLUTIONS.

    ``mel``: mean distance of log mel spectra (natural logarithm). ``linear``: relative error of the mel
    spectrum, dominated by loud bands. With bins instead of bands, a partial one bin off would cost more than
    none at all.
    """
    logs, linears = [], []
    for size, count in RESOLUTIONS:
        matrix = mel_matrix(size, count).to(made.device)
        a, b = magnitudes(made, size) @ matrix, magnitudes(wanted, size) @ matrix
        logs.append((torch.log(a + QUIET) - torch.log(b + QUIET)).abs().mean())
        floor = b.shape[1] * b.shape[2] * QUIET
        linears.append(((a - b).abs().sum(dim=(1, 2)) / (b.sum(dim=(1, 2)) + floor)).mean())
    return {"mel": torch.stack(logs).mean(), "linear": torch.stack(linears).mean()}


@lru_cache(maxsize=8)
def mel_matrix(size: int, count: int) -> Tensor:
    """Matrix (K, M) of triangular mel bands, each of which averages its bins."""
    hz = np.fft.rfftfreq(size, 1.0 / SAMPLE_RATE_HZ)
    place = mel_of(hz) / mel_of(hz)[-1] * (count + 1)
    triangles = np.maximum(0.0, 1.0 - np.abs(place[:, None] - np.arange(1, count + 1)))
    sums = triangles.sum(axis=0)
    empty = np.flatnonzero(sums < 0.5)  # bands narrower than a bin take their nearest one
    for band in empty.tolist():
        triangles[int(np.argmin(np.abs(place - band - 1))), band] = 1.0
    return torch.from_numpy((triangles / triangles.sum(axis=0)).astype(np.float32))
