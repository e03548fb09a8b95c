"""Adds noise at a given signal-to-noise ratio: mains hum, white noise, pink noise, people talking."""

from __future__ import annotations

from functools import lru_cache
from typing import Literal, get_args

import numpy as np
import soxr
from numpy.typing import NDArray

from train.singer.speech import SPEECH_RATE_HZ, speak
from train.singer.voices import voices

NoiseKind = Literal["hum", "white", "pink", "babble"]
NOISE_KINDS: tuple[NoiseKind, ...] = get_args(NoiseKind)

_ACTIVE_DB = 40.0
_BABBLE_SPEAKERS = 8
_BABBLE_TEXTS = (
    ("en", "We could move the microphone closer, and then try the second verse once more from the top."),
    ("en", "Did anybody bring the other cable? The one by the window hums whenever the kettle is on."),
    ("de", "Morgen früh kommt der Klavierstimmer, bis dahin lassen wir die Tür am besten offen stehen."),
    ("de", "Der Kaffee ist gleich fertig, und wer noch Kuchen möchte, sagt bitte jetzt Bescheid."),
    ("fr", "On recommence après la pause, et cette fois tout le monde respire au même endroit."),
    ("it", "Se la finestra resta aperta sentiamo tutte le macchine che passano sotto la sala."),
)  # fmt: skip


def add_noise(
    audio: NDArray[np.float32], rate_hz: int, kind: NoiseKind, snr_db: float, rng: np.random.Generator
) -> NDArray[np.float32]:
    """Add noise to mono ``audio`` (S,); returns (S,), not clipped.

    ``snr_db`` is the ratio of mean powers of the sung part of ``audio`` (:func:`active_power`) and of the
    noise. Silent audio is returned unchanged.

    Raises:
        ValueError: ``kind`` is not in :data:`NOISE_KINDS`.
        MachineError: ``kind`` is babble and espeak-ng is not installed.
    """
    makers = {"hum": _hum, "white": _white, "pink": _pink, "babble": _babble}
    if kind not in makers:
        raise ValueError(f"no noise called {kind!r}; choose one of {', '.join(NOISE_KINDS)}")
    power = active_power(audio, rate_hz)
    if power == 0.0:
        return np.array(audio, np.float32)
    noise = makers[kind](len(audio), rate_hz, rng)
    wanted = power * 10.0 ** (-snr_db / 10.0)
    scale = np.sqrt(wanted / max(float(np.square(noise).mean()), 1e-20))
    return np.asarray(audio + scale * noise, np.float32)


def active_power(audio: NDArray[np.float32], rate_hz: int) -> float:
    """Mean power of the 50 ms frames of ``audio`` (S,) within 40 dB of the loudest; 0 for silence."""
    frame = max(1, rate_hz // 20)
    padded = np.pad(audio.astype(np.float64), (0, -len(audio) % frame))
    power = np.square(padded.reshape(-1, frame)).mean(axis=1)
    loudest = float(power.max(initial=0.0))
    return float(power[power >= loudest * 10.0 ** (-_ACTIVE_DB / 10.0)].mean()) if loudest > 0.0 else 0.0


def _hum(count: int, rate_hz: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Mains hum at 50 or 60 Hz with harmonics up to about 1.2 kHz, as from a bad cable."""
    mains_hz = float(rng.choice((50.0, 60.0))) * (1.0 + rng.normal(0.0, 2e-4))
    times_s = np.arange(count) / rate_hz
    hum = np.zeros(count)
    for harmonic in range(1, 21):
        loudness = rng.uniform(0.2, 1.0) / harmonic ** rng.uniform(0.6, 1.2)
        hum += loudness * np.sin(2.0 * np.pi * mains_hz * harmonic * times_s + rng.uniform(0.0, 2.0 * np.pi))
    return hum


def _white(count: int, rate_hz: int, rng: np.random.Generator) -> NDArray[np.float64]:
    return rng.normal(size=count)


def _pink(count: int, rate_hz: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Noise whose power falls by 3 dB per octave above 20 Hz, made of blocks that overlap at equal power."""
    block = 1 << 17
    starts = range(-block // 2, count, block // 2)
    shape = 1.0 / np.sqrt(np.maximum(np.fft.rfftfreq(block, 1.0 / rate_hz), 20.0))
    fade = np.sin(np.pi * (np.arange(block) + 0.5) / block)
    pink = np.zeros(count + 2 * block)
    for start in starts:
        noise = np.fft.irfft(np.fft.rfft(rng.normal(size=block)) * shape, block)
        pink[start + block : start + 2 * block] += fade * noise
    return pink[block : block + count]


def _babble(count: int, rate_hz: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Several people talking, each in a loop."""
    babble = np.zeros(count)
    for _ in range(_BABBLE_SPEAKERS):
        text = int(rng.integers(len(_BABBLE_TEXTS)))
        words = _talk(text, str(rng.choice(voices("train"))), rate_hz)
        loop = np.roll(np.resize(words, max(count, len(words))), int(rng.integers(len(words))))[:count]
        babble += loop * 10.0 ** (rng.uniform(-8.0, 0.0) / 20.0)
    return babble


@lru_cache(maxsize=64)
def _talk(text: int, variant: str, rate_hz: int) -> NDArray[np.float64]:
    language, words = _BABBLE_TEXTS[text]
    samples = speak(words, language, variant, monotone=False).samples
    return np.asarray(soxr.resample(samples / max(float(samples.std()), 1e-9), SPEECH_RATE_HZ, rate_hz))
