"""Simulates a recording: room, noise, microphone, level and clipping.

The steps are applied in their physical order: room, noise in the room, microphone, gain, clipping of the
input stage. The direct sound is not delayed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import signal  # type: ignore[import-untyped]

from train.singer.noise import NOISE_KINDS, NoiseKind, active_power, add_noise


@dataclass(frozen=True, slots=True)
class RecordingSettings:
    """The conditions of a recording; the defaults change nothing."""

    rt60_s: float = 0.0
    """Reverberation time; 0 means no room."""
    direct_to_reverb_db: float = 15.0
    noise: tuple[tuple[NoiseKind, float], ...] = ()
    """Kind and signal-to-noise ratio in dB of every noise."""
    high_pass_hz: float = 0.0
    low_pass_hz: float = 0.0
    """Corner frequencies of the microphone's second-order filters; 0 means none."""
    presence_hz: float = 4000.0
    presence_db: float = 0.0
    """Frequency and gain of a broad peak (or dip) of the microphone."""
    level_db: float | None = None
    """RMS of the sung part in dBFS; None keeps the level."""
    clip_db: float = 0.0
    """Level of the highest peak above the clipping level; 0 means no clipping."""


def sample_recording(seed: int) -> RecordingSettings:
    """Draw recording conditions, from a treated booth to a phone in a kitchen; reproducible by ``seed``."""
    rng = np.random.default_rng([seed, 0xA6])

    def between(low: float, high: float) -> float:
        return float(rng.uniform(low, high))

    def maybe(probability: float, value: float, otherwise: float = 0.0) -> float:
        return value if rng.uniform() < probability else otherwise

    kinds = [kind for kind in NOISE_KINDS if rng.uniform() < 0.25]
    return RecordingSettings(
        rt60_s=maybe(0.7, between(0.15, 1.2)),
        direct_to_reverb_db=between(2.0, 20.0),
        noise=tuple((kind, between(8.0, 45.0)) for kind in kinds),
        high_pass_hz=maybe(0.6, between(40.0, 180.0)),
        low_pass_hz=maybe(0.3, between(4000.0, 14000.0)),
        presence_hz=between(1500.0, 7000.0),
        presence_db=between(-4.0, 7.0),
        level_db=between(-36.0, -14.0),
        clip_db=maybe(0.1, between(0.5, 6.0)),
    )


def sample_company(seed: int) -> RecordingSettings:
    """Conditions of :func:`sample_recording`, with people talking 3 to 20 dB below the singer."""
    rng = np.random.default_rng([seed, 0xBB])
    return replace(sample_recording(seed), noise=(("babble", float(rng.uniform(3.0, 20.0))),))


def augment(
    audio: NDArray[np.float32], rate_hz: int, settings: RecordingSettings, rng: np.random.Generator
) -> NDArray[np.float32]:
    """Record mono ``audio`` (S,) under ``settings``; returns (S,), from -1 to 1."""
    out = audio.astype(np.float64)
    if settings.rt60_s > 0.0:
        response = room_response(settings.rt60_s, settings.direct_to_reverb_db, rate_hz, rng)
        out = signal.oaconvolve(out, response)[: len(audio)]
    noisy = out.astype(np.float32)
    for kind, snr_db in settings.noise:
        noisy = add_noise(noisy, rate_hz, kind, snr_db, rng)
    out = microphone(noisy.astype(np.float64), rate_hz, settings)
    if settings.level_db is not None:
        power = active_power(out.astype(np.float32), rate_hz)
        out *= 10.0 ** (settings.level_db / 20.0) / np.sqrt(power) if power > 0.0 else 1.0
    if settings.clip_db > 0.0:
        ceiling = float(np.abs(out).max(initial=0.0)) * 10.0 ** (-settings.clip_db / 20.0)
        out = np.clip(out, -ceiling, ceiling)
    return np.clip(out, -1.0, 1.0).astype(np.float32)


def room_response(
    rt60_s: float, direct_to_reverb_db: float, rate_hz: int, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Impulse response of a room: direct sound of amplitude 1 at sample 0, early reflections, decaying tail.

    The tail is noise that falls by 60 dB in about ``rt60_s``, high frequencies faster, and starts after the
    first reflections (J. A. Moorer, "About this reverberation business", 1979).
    """
    count = max(2, int(1.2 * rt60_s * rate_hz))
    times_s = np.arange(count) / rate_hz
    tail = rng.normal(size=count) * 10.0 ** (-3.0 * times_s / rt60_s)
    tail[times_s < 0.012] = 0.0
    duller = signal.lfilter([0.35], [1.0, -0.65], tail)
    brightness = np.exp(-times_s / (0.25 * rt60_s))
    reverb = brightness * tail + (1.0 - brightness) * duller
    energy = float(np.square(reverb).sum())
    for _ in range(int(rng.integers(4, 9))):
        at = min(count - 1, int(rng.uniform(0.003, 0.05) * rate_hz))
        reverb[at] += rng.choice((-1.0, 1.0)) * np.sqrt(energy) * rng.uniform(0.1, 0.35)
    reverb[0] = 0.0
    reverb *= np.sqrt(10.0 ** (-direct_to_reverb_db / 10.0) / max(float(np.square(reverb).sum()), 1e-20))
    reverb[0] = 1.0
    return np.asarray(reverb)


def microphone(audio: NDArray[np.float64], rate_hz: int, settings: RecordingSettings) -> NDArray[np.float64]:
    """Apply the microphone's frequency response to ``audio`` (S,)."""
    out = audio
    if settings.high_pass_hz > 0.0:
        out = signal.sosfilt(signal.butter(2, settings.high_pass_hz, "high", fs=rate_hz, output="sos"), out)
    if 0.0 < settings.low_pass_hz < 0.49 * rate_hz:
        out = signal.sosfilt(signal.butter(2, settings.low_pass_hz, "low", fs=rate_hz, output="sos"), out)
    if settings.presence_db and settings.presence_hz < 0.45 * rate_hz:
        out = signal.lfilter(*_peak(settings.presence_hz, settings.presence_db, rate_hz), out)
    return np.asarray(out)


def _peak(centre_hz: float, gain_db: float, rate_hz: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Coefficients of a peaking equaliser with Q = 0.7 (R. Bristow-Johnson, "Audio EQ Cookbook")."""
    a = 10.0 ** (gain_db / 40.0)
    w = 2.0 * np.pi * centre_hz / rate_hz
    alpha = np.sin(w) / (2.0 * 0.7)
    b = np.array([1.0 + alpha * a, -2.0 * np.cos(w), 1.0 - alpha * a])
    return b, np.array([1.0 + alpha / a, -2.0 * np.cos(w), 1.0 - alpha / a])
