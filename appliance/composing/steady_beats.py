"""Likely tempi of a song, and the evenly spaced beat grid that fits each tempo best.

A comb is a sum of pulses, one per beat. Correlating the evidence with a comb of frequency f at any phase
needs only the evidence's spectrum at the harmonics of f.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from appliance.composing.beat_evidence import PULSE_S, Array, BeatEvidence, centroids

SLOWEST_BPM, FASTEST_BPM = 40.0, 220.0
TEMPI_HZ = np.geomspace(SLOWEST_BPM, FASTEST_BPM, 150) / 60
"""Beats per second of the tempi that are looked for; each is 1.1 % faster than the one before."""

USUAL_BPM, TEMPO_SPREAD = 95.0, 0.6
"""Median and log deviation of the tempi people sing in; this prior decides between a tempo and its double."""

_WINDOW_S, _HOP_S = 10.0, 5.0  # of the tempogram; a window has about twenty beats, in which no tempo drifts
_CANDIDATES = 5


def likely_periods(beats: BeatEvidence) -> list[float]:
    """Beat periods in seconds, likeliest first: peaks of the tempogram, weighted by the tempo prior."""
    strength = tempogram(beats, _WINDOW_S, _HOP_S).sum(axis=0)
    score = np.log(np.maximum(strength / strength.max(), 1e-6)) * 4 + log_tempo_prior(TEMPI_HZ)
    inner = np.pad(score, 1, constant_values=-np.inf)
    peaks = np.flatnonzero((inner[1:-1] >= inner[:-2]) & (inner[1:-1] > inner[2:]))
    peaks = peaks[np.argsort(-score[peaks])][:_CANDIDATES]
    return [float(1 / TEMPI_HZ[p]) for p in peaks]


def tempogram(beats: BeatEvidence, window_s: float, hop_s: float) -> Array:
    """Strength of each tempo in windows of ``window_s`` every ``hop_s``: (windows, tempi)."""
    window, hop = round(window_s * beats.rate_hz), round(hop_s * beats.rate_hz)
    padded = np.pad(beats.excess, (round(0.5 * window_s * beats.rate_hz), window))
    frames = np.lib.stride_tricks.sliding_window_view(padded, window)[::hop]
    size = 4096
    spectrum = np.fft.rfft(frames * np.hanning(window), size, axis=1)
    strength = np.zeros((len(frames), len(TEMPI_HZ)))
    for i, f in enumerate(TEMPI_HZ):
        weights, bins = _harmonics(f, beats.rate_hz, size)
        combs = _over_phases(spectrum[:, bins] * weights)
        strength[:, i] = combs.max(1) / math.sqrt(float(weights @ weights))
    return strength


def log_tempo_prior(hz: Array) -> Array:
    """How likely people sing at ``hz`` beats per second, as a log; the shape of ``hz``."""
    return np.asarray(-0.5 * (np.log(60 * hz / USUAL_BPM) / TEMPO_SPREAD) ** 2)


def steady_beats(beats: BeatEvidence, period_s: float, exact: bool = False) -> Array:
    """The best evenly spaced grid with a period near ``period_s``; ``exact`` keeps the period.

    Returns the times of its N beats in seconds, (N,).
    """
    n = len(beats.excess)
    size = 8 * (1 << max(8, n - 1).bit_length())
    spectrum = np.fft.rfft(beats.excess, size)
    around = np.array([1 / period_s])
    if not exact:
        step_hz = beats.rate_hz / n / 8
        steps = math.ceil(0.04 / period_s / step_hz)
        around = around + np.arange(-steps, steps + 1) * step_hz
    best, best_hz, best_phase = -np.inf, 1 / period_s, 0.0
    for part in np.array_split(around, max(1, len(around) // 512)):
        rows = [_harmonics(f, beats.rate_hz, size) for f in part]
        h = min(len(w) for w, _ in rows)
        combs = _over_phases(np.stack([spectrum[b[:h]] * w[:h] for w, b in rows]))
        i, j = np.unravel_index(int(combs.argmax()), combs.shape)
        if combs[i, j] > best:
            best, best_hz, best_phase = float(combs[i, j]), float(part[i]), float(j / combs.shape[1])
    period, first = 1 / best_hz, best_phase / best_hz + 0.5 / beats.rate_hz
    for _ in range(4):  # refine below a frame: linear regression on the centroid of each beat's evidence
        index = np.arange(math.floor(-first / period), math.ceil((n / beats.rate_hz - first) / period) + 1)
        lies, weight = centroids(beats, first + index * period, period)
        if weight.sum() < 1e-9:
            break
        x, total = index - (weight @ index) / weight.sum(), weight.sum()
        if not exact:
            slope = (weight * x) @ lies / max((weight * x) @ x, 1e-9)
            period += float(slope)
            first += float((weight @ lies) / total - slope * (weight @ index) / total)
        else:
            first += float((weight @ lies) / total)
    first -= period * math.floor(first / period)
    return np.asarray(first + np.arange(math.floor((n / beats.rate_hz - first) / period) + 1) * period)


def _harmonics(hz: float, rate_hz: float, size: int) -> tuple[Array, NDArray[np.intp]]:
    """Weights of the harmonics of a comb of ``hz`` beats per second, and their bins in an FFT of ``size``."""
    h = np.arange(1, max(2, int(8.0 / hz)) + 1)
    weights = np.exp(-2 * (np.pi * h * hz * PULSE_S) ** 2)
    return weights, np.minimum(np.round(h * hz / rate_hz * size).astype(np.intp), size // 2)


def _over_phases(combs: NDArray[np.complexfloating]) -> Array:
    """Correlation of R combs with H harmonics each, (R, H), at 64 phases of the period: (R, 64)."""
    full = np.zeros((len(combs), 33), dtype=np.complex128)
    h = min(combs.shape[1], 32)
    full[:, 1 : h + 1] = combs[:, :h]
    return np.fft.irfft(full, 64, axis=1)
