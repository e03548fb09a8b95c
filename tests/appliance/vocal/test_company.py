"""One voice or more: sums of known voices, and recordings of one singer."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from support.vocals import sung

from appliance.audio.recording import probe, read_mono
from appliance.vocal.tracker import track_pitch

SECONDS = 8.0


def company_of(sound: np.ndarray) -> float:
    return track_pitch([sound.astype(np.float32)], len(sound)).company


def voice(semitones: float = 0.0, note_s: float = 0.5, vibrato_hz: float = 5.5) -> np.ndarray:
    return sung(SECONDS, note_s=note_s, semitones=semitones, vibrato_hz=vibrato_hz)


def struck(level: float = 0.1) -> np.ndarray:
    """Another chord of decaying tones each second, as a piano plays."""
    time = np.arange(round(SECONDS * 44_100)) / 44_100
    roots = np.array([48, 53, 55, 45, 50, 43, 48, 52])[np.minimum(time.astype(int), 7)]
    sound = np.zeros(len(time))
    for tone in (0, 3, 7, 10):
        f_hz = 440.0 * 2 ** ((roots + tone - 69) / 12)
        sound += sum(np.sin(2 * np.pi * k * f_hz * time) / k for k in range(1, 7))
    return level * np.exp(-(time % 1.0) / 0.5) * sound


SEVERAL = {
    "thirds": voice() + voice(-4),
    "a duet of its own rhythms": voice() + voice(-3, note_s=0.75, vibrato_hz=5.0),
    "a choir": voice() + 0.8 * voice(-5, vibrato_hz=5.1) + 0.8 * voice(-8, vibrato_hz=6.0) + 0.8 * voice(-17),
    "a softer second": voice() + 0.4 * voice(-4, vibrato_hz=4.8),
    "with chords": voice() + struck(),
    "chords alone": struck(),
}


@pytest.mark.parametrize("name", SEVERAL)
def test_several_voices_are_told(name: str) -> None:
    assert company_of(SEVERAL[name]) > 0.6


ONE = {
    "plain": voice(),
    "low": voice(-17),
    "high": voice(10),
    "noisy": voice() + 0.02 * np.random.default_rng(0).standard_normal(round(SECONDS * 44_100)),
    "humming": voice() + 0.01 * np.sin(2 * np.pi * 50 * np.arange(round(SECONDS * 44_100)) / 44_100),
    "clipped": np.clip(6 * voice(), -1, 1),
    "in a room": voice() + 0.25 * np.roll(voice(), 2_000) + 0.15 * np.roll(voice(), 5_000),
    "doubled": voice() + voice(vibrato_hz=5.2),
}


@pytest.mark.parametrize("name", ONE)
def test_one_voice_is_one(name: str) -> None:
    assert company_of(ONE[name]) < 0.3


@pytest.mark.parametrize("name", ["demo", "vocadito_1.wav", "vocadito_10.wav"])
def test_singers_alone_are_alone(name: str, request: pytest.FixtureRequest) -> None:
    if name == "demo":
        path = Path(request.getfixturevalue("demo_vocal"))
    else:
        path = Path(request.getfixturevalue("shared")) / "vocals" / name
    assert company_of(np.concatenate(list(read_mono(probe(path))))) < 0.05


def test_too_little_singing_tells_nothing() -> None:
    assert company_of(np.zeros(44_100)) == 0.0
    assert company_of(SEVERAL["thirds"][:20_000]) == 0.0
