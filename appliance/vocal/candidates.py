"""Pitch candidates: a few per frame, each with two measures of evidence.

The *template match* compares the spectrum with combs of prime harmonics (after SWIPE', Camacho and Harris,
JASA 124(3), 2008). It is robust to noise and picks the right octave. The *periodicity* is the autocorrelation
divided by that of the window (Boersma, IFA Proc. 17, 1993). It gives the pitch to a few cents and shows how
periodic the sound is.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from appliance.vocal.frames import BIN_HZ, BINS, LONG_WINDOW, LOW_RATE_HZ, SHORT_WINDOW, FrameChunk
from appliance.vocal.noise_floor import NoiseFloor

LOWEST_HZ = 60.0
HIGHEST_HZ = 1100.0
CANDIDATES = 5

_GRID_CENTS = 25.0
GRID_HZ = 57.0 * 2.0 ** (np.arange(211) * _GRID_CENTS / 1200.0)
"""Template pitches, 57-1183 Hz: a few steps beyond the range, so that its ends can be local maxima."""

_HARMONICS = (1, 2, 3, 5, 7, 11, 13, 17, 19, 23)
_TOP_HZ = 5000.0
_RUMBLE_HZ = 40.0
COMPRESSION = 0.7
_OVERSUBTRACTION = 7.0
_GAIN_FLOOR = 0.1
_UPSAMPLING = 2
_LONGEST_LAG_S = 1 / 110
_SEARCH_CENTS = np.arange(-60.0, 61.0, 15.0)


@dataclass(frozen=True)
class Candidates:
    """Pitch candidates: T pitch frames, K = 5 candidates per frame, best template match first.

    ``f0_hz`` (T, K) is 0 where a frame has fewer than K. ``match`` (T, K) is the template match, about 0-1.
    ``periodicity`` (T, K) is the normalised autocorrelation at the period, at most about 1. ``band_db`` (T,)
    is the level of the frame between 40 Hz and 5.5 kHz in dBFS, after the steady noise is subtracted.
    """

    f0_hz: NDArray[np.float32]
    match: NDArray[np.float32]
    periodicity: NDArray[np.float32]
    band_db: NDArray[np.float32]


def find_candidates(chunk: FrameChunk, noise: NoiseFloor) -> Candidates:
    """Find the candidates of a chunk of T frames, after subtracting the steady ``noise``."""
    rough_hz, match = _peaks(_template_match(chunk.long, noise.long))
    power = np.square(chunk.short * noise_gain(chunk.short, noise.short))
    power[:, : int(_RUMBLE_HZ / BIN_HZ)] = 0.0
    f0_hz, periodicity = _refine(power, rough_hz)
    band_db = 10.0 * np.log10(np.maximum(power.sum(axis=1), 1e-10))
    return Candidates(f0_hz, match, periodicity, band_db.astype(np.float32))


def noise_gain(magnitude: NDArray[np.float32], floor: NDArray[np.float32]) -> NDArray[np.float32]:
    """Gain (T, B) of spectral subtraction, at least _GAIN_FLOOR; T frames, B bins.

    ``floor`` is the tenth percentile, 0.37 of the mean for Rayleigh noise. Seven times the floor exceeds
    nearly all fluctuations of the noise.
    """
    noise = np.square(_OVERSUBTRACTION * floor)
    gain = 1.0 - noise / np.maximum(np.square(magnitude), np.maximum(noise, 1e-20))
    return np.asarray(np.sqrt(np.maximum(gain, _GAIN_FLOOR**2)), np.float32)


def _template_match(magnitude: NDArray[np.float32], floor: NDArray[np.float32]) -> NDArray[np.float32]:
    """Match (T, G) of each spectrum (T, B) with the combs of the G grid pitches; T frames, B bins."""
    weight, combs = pitch_templates()
    loudness = magnitude**COMPRESSION * weight
    # Normalise before noise is subtracted, so that a frame of mostly steady noise matches weakly.
    norm = np.sqrt(np.sum(np.square(loudness), axis=1, keepdims=True))
    loudness *= noise_gain(magnitude, floor) ** COMPRESSION / np.maximum(norm, 1e-6)
    return np.asarray(loudness @ combs, np.float32)


@lru_cache(maxsize=1)
def pitch_templates() -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Weight of each bin (B,) and the comb templates (B, G) of the G grid pitches; B bins.

    A comb has positive teeth at the fundamental and its prime multiples, and negative dips half-way between;
    at an octave too low, dips cancel teeth. A tooth is as wide as the window's main lobe plus the spread of
    vibrato. That is narrower than in SWIPE' and admits less noise.
    """
    bin_hz = np.arange(BINS) * BIN_HZ
    audible = (bin_hz >= _RUMBLE_HZ) & (bin_hz <= _TOP_HZ)
    weight = audible * (1.0 + bin_hz / 229.0) ** -0.25
    ratio = bin_hz[:, None] / GRID_HZ[None, :]
    combs = np.zeros_like(ratio)
    for harmonic in _HARMONICS:
        half_width = np.minimum(0.25, 0.015 * harmonic + 20.0 / GRID_HZ)
        combs += _tooth(ratio - harmonic, half_width)
        combs -= 0.5 * _tooth(ratio - harmonic + 0.5, half_width)
        combs -= 0.5 * _tooth(ratio - harmonic - 0.5, half_width)
    combs *= np.maximum(ratio, 0.25) ** -0.3 * weight[:, None]
    combs /= np.sqrt(np.sum(np.square(np.maximum(combs, 0.0)), axis=0))
    return weight.astype(np.float32), combs.astype(np.float32)


def _tooth(away: NDArray[np.float64], half_width: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(np.abs(away) < half_width, np.cos(0.5 * np.pi * away / half_width), 0.0)


def _peaks(match: NDArray[np.float32]) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
    """The K highest local maxima of each frame, (T, G) -> pitch in Hz (0 if none) and match, each (T, K)."""
    inner = match[:, 1:-1]
    is_peak = (inner > match[:, :-2]) & (inner >= match[:, 2:]) & (inner > 0.0)
    height = np.where(is_peak, inner, -1.0)
    top = np.argpartition(-height, CANDIDATES, axis=1)[:, :CANDIDATES]
    order = np.argsort(-np.take_along_axis(height, top, axis=1), axis=1, kind="stable")
    index = np.take_along_axis(top, order, axis=1) + 1
    centre = np.take_along_axis(match, index, axis=1)
    before = np.take_along_axis(match, index - 1, axis=1)
    after = np.take_along_axis(match, index + 1, axis=1)
    found = np.take_along_axis(height, index - 1, axis=1) > 0.0
    cents = _vertex(before, centre, after) * _GRID_CENTS
    f0_hz = np.where(found, GRID_HZ[index] * 2.0 ** (cents / 1200.0), 0.0)
    return f0_hz, np.where(found, centre, 0.0).astype(np.float32)


def _refine(
    power: NDArray[np.float32], rough_hz: NDArray[np.float64]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Move candidates (T, K) to the nearest peak of the autocorrelation; returns its pitch and height.

    High pitches are measured several periods away: there, an error in lag is a smaller error in pitch.
    """
    found = rough_hz > 0.0
    rough = np.where(found, rough_hz, 200.0)
    correlation = _autocorrelation(power)
    periods = np.maximum(1.0, np.floor(rough * _LONGEST_LAG_S))
    lag = periods * (LOW_RATE_HZ * _UPSAMPLING) / rough
    lags = lag[:, :, None] * 2.0 ** (-_SEARCH_CENTS / 1200.0)
    below = lags.astype(np.intp)
    share = lags - below
    frame = np.arange(len(power))[:, None, None]
    height = (1.0 - share) * correlation[frame, below] + share * correlation[frame, below + 1]
    best = np.argmax(height[:, :, 1:-1], axis=2)[:, :, None] + 1
    centre = np.take_along_axis(height, best, axis=2)[:, :, 0]
    before = np.take_along_axis(height, best - 1, axis=2)[:, :, 0]
    after = np.take_along_axis(height, best + 1, axis=2)[:, :, 0]
    step_cents = _SEARCH_CENTS[1] - _SEARCH_CENTS[0]
    cents = _SEARCH_CENTS[best[:, :, 0]] + step_cents * _vertex(before, centre, after)
    refined = rough * 2.0 ** (cents / 1200.0)
    in_range = found & (refined >= LOWEST_HZ) & (refined <= HIGHEST_HZ)
    return (
        np.where(in_range, refined, 0.0).astype(np.float32),
        np.where(in_range, centre, 0.0).astype(np.float32),
    )


def _autocorrelation(power: NDArray[np.float32]) -> NDArray[np.float32]:
    """Autocorrelation (T, L) at L lags of half a sample, 1 at lag 0, divided by that of the window."""
    length = LONG_WINDOW * _UPSAMPLING
    longest = int(LOW_RATE_HZ * _UPSAMPLING / 55.0) + 2
    correlation = np.fft.irfft(power, length, axis=1)[:, :longest].astype(np.float32)
    correlation /= np.maximum(correlation[:, :1], 1e-20)
    return np.asarray(correlation / _window_autocorrelation(longest), np.float32)


@lru_cache(maxsize=1)
def _window_autocorrelation(longest: int) -> NDArray[np.float32]:
    window = 0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(SHORT_WINDOW) / SHORT_WINDOW)
    power = np.square(np.abs(np.fft.rfft(window, LONG_WINDOW)))
    correlation = np.fft.irfft(power, LONG_WINDOW * _UPSAMPLING)[:longest]
    return np.asarray(correlation / correlation[0], np.float32)


def _vertex(
    before: NDArray[np.floating[Any]], centre: NDArray[np.floating[Any]], after: NDArray[np.floating[Any]]
) -> NDArray[np.float64]:
    """Peak of the parabola through three equidistant heights, in steps from the centre (-0.5 to 0.5)."""
    curvature = before - 2.0 * centre.astype(np.float64) + after
    slope = 0.5 * (after.astype(np.float64) - before)
    return np.clip(np.where(curvature < 0.0, -slope / np.minimum(curvature, -1e-12), 0.0), -0.5, 0.5)
