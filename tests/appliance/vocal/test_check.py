"""The check accepts singing and refuses silence, noise and steady tones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
from numpy.typing import NDArray
from support.vocals import sung

from appliance.vocal.check import VocalCheck, check_vocal
from appliance.vocal.tracker import track_pitch

RATE = 44_100


def checked(sound: NDArray[np.floating]) -> VocalCheck:
    return check_vocal(track_pitch([sound.astype(np.float32)], len(sound)))


def noise(kind: str, seconds: float) -> NDArray[np.float64]:
    samples = round(seconds * RATE)
    rng = np.random.default_rng(7)
    if kind == "white":
        return 0.05 * rng.normal(size=samples)
    if kind == "pink":
        spectrum = np.fft.rfft(rng.normal(size=samples))
        spectrum /= np.sqrt(np.maximum(np.arange(len(spectrum)), samples * 20 / RATE))
        pink = np.fft.irfft(spectrum, samples)
        return 0.1 * pink / np.abs(pink).max()
    mains_hz = {"hum 50": 50, "hum 60": 60}[kind]
    time = np.arange(samples) / RATE
    hum = sum((np.sin(2 * np.pi * mains_hz * k * time + k) / k for k in (1, 2, 3, 5)), np.zeros(samples))
    return 0.05 * hum + 0.002 * rng.normal(size=samples)


def test_singing_passes() -> None:
    check = checked(sung(6.0))
    assert check.reason is None
    assert check.sentence is None
    assert check.sung_s == pytest.approx(6, abs=1.5)
    assert 0.6 < check.voiced_share <= 1


@pytest.mark.parametrize("seconds", [0.02, 5.0])
def test_silence_is_refused(seconds: float) -> None:
    check = checked(np.zeros(round(seconds * RATE)))
    assert check.reason == "silent"
    assert check.sentence is not None
    assert "silent" in check.sentence
    assert check.peak_db == -100


def test_no_samples_are_silence() -> None:
    assert check_vocal(track_pitch([], 0)).reason == "silent"


def test_dither_is_silence() -> None:
    dither = np.round(np.random.default_rng(0).uniform(-1, 1, 5 * RATE)) / 32768
    assert checked(dither).reason == "silent"


@pytest.mark.slow
@pytest.mark.parametrize("seconds", [2.0, 6.0, 20.0])
@pytest.mark.parametrize("kind", ["white", "pink", "hum 50", "hum 60"])
def test_noise_without_a_singer_is_refused(kind: str, seconds: float) -> None:
    check = checked(noise(kind, seconds))
    assert check.reason in (("noise",) if kind in ("white", "pink") else ("noise", "tone"))
    assert check.sentence is not None


def test_a_steady_tone_is_refused_and_named() -> None:
    check = checked(0.2 * np.sin(2 * np.pi * 330 * np.arange(6 * RATE) / RATE))
    assert check.reason == "tone"
    assert check.sentence is not None
    assert "steady tone" in check.sentence


def test_a_very_quiet_take_passes() -> None:
    take = sung(6.0)
    quiet = np.round(take / np.abs(take).max() * 10 ** (-50 / 20) * 32768) / 32768
    assert checked(quiet).reason is None


@pytest.mark.slow
def test_a_few_words_in_a_long_silence_pass() -> None:
    pause = np.zeros(60 * RATE)
    check = checked(np.concatenate([pause, sung(2.0), pause]))
    assert check.reason is None
    assert check.voiced_share < 0.05


def test_a_single_short_word_passes() -> None:
    assert checked(sung(0.5)).reason is None


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["white", "pink", "hum 50", "hum 60"])
def test_singing_in_noise_passes(kind: str) -> None:
    take = sung(10.0)
    added = noise(kind, 10.0)
    added *= np.sqrt(np.mean(take**2) / np.mean(added**2)) * 10 ** (-5 / 20)
    assert checked(take + added).reason is None


@pytest.mark.slow
@pytest.mark.parametrize("name", ["vocadito_1.wav", "vocadito_10.wav"])
def test_real_singers_pass(shared: Path, name: str) -> None:
    sound, _ = sf.read(shared / "vocals" / name, dtype="float32")
    check = checked(sound)
    assert check.reason is None
    assert check.sung_s > 0.5 * len(sound) / RATE
