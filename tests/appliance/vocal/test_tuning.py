"""The tuning of singers who are out of tune by a known amount."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
import soxr

from appliance.grid import SAMPLE_RATE_HZ
from appliance.vocal.tracker import PITCH_FRAME_S, PitchTrack, track_pitch
from appliance.vocal.tuning import cents_of, tuning_of

SCALE = (57, 59, 60, 62, 64, 65, 67, 69)
"""A minor, as MIDI numbers."""

NOTE_FRAMES = 40


def sung(cents: float, seed: int = 0, notes: int = 120, sinks_cents: float = 0.0) -> PitchTrack:
    """Notes of half a second with a scoop, vibrato and a random error each, all ``cents`` off."""
    rng = np.random.default_rng(seed)
    pitch = []
    for pick in rng.integers(0, len(SCALE), notes):
        time_s = np.arange(NOTE_FRAMES) * PITCH_FRAME_S
        scoop = -1.5 * np.exp(-time_s / 0.04)
        vibrato = 0.4 * np.sin(2 * np.pi * 5.5 * time_s + rng.uniform(0, 6)) * np.clip(time_s / 0.3, 0, 1)
        pitch.append(SCALE[pick] + scoop + vibrato + rng.normal(0.0, 0.12))
    semitones = np.concatenate(pitch) + cents / 100.0
    semitones -= np.linspace(0.0, sinks_cents / 100.0, len(semitones))
    f0_hz = (440.0 * 2.0 ** ((semitones - 69.0) / 12.0)).astype(np.float32)
    f0_hz[::NOTE_FRAMES] = 0.0  # a breath between the notes
    f0_hz[1::NOTE_FRAMES] = f0_hz[2::NOTE_FRAMES] = f0_hz[3::NOTE_FRAMES] = 0.0
    voiced = np.where(f0_hz > 0, 0.95, 0.02).astype(np.float32)
    level_db = np.where(f0_hz > 0, -20.0, -70.0).astype(np.float32)
    return PitchTrack(f0_hz, voiced, level_db, np.zeros_like(f0_hz))


def apart(a_cents: float, b_cents: float) -> float:
    """Distance on the circle of a semitone: -50 and 50 cents are the same tuning."""
    return abs((a_cents - b_cents + 50.0) % 100.0 - 50.0)


@pytest.mark.slow
@pytest.mark.parametrize("cents", range(-50, 51, 10))
def test_the_offset_is_found_within_five_cents(cents: int) -> None:
    for seed in range(3):
        tuning = tuning_of(sung(cents, seed))
        assert apart(tuning.cents, cents) < 5.0
        assert tuning.clarity > 0.5 and tuning.drift_cents == 0.0
        assert np.all(tuning.curve == np.float32(tuning.cents))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["vocadito_1.wav", "vocadito_10.wav"])
def test_a_real_singer_is_followed_within_eight_cents(shared: Path, name: str) -> None:
    """The recording is played faster or slower, so that the singer is out of tune by so much more."""
    sound, rate_hz = sf.read(shared / "vocals" / name, dtype="float32")

    def heard(cents: float) -> float:
        shifted = soxr.resample(sound, rate_hz * 2 ** (cents / 1200), SAMPLE_RATE_HZ)
        return tuning_of(track_pitch([shifted], len(shifted))).cents

    as_sung = heard(0.0)
    for cents in (-50, -30, -10, 10, 20, 40):
        assert apart(heard(cents), as_sung + cents) < 8.0, cents


def test_a_singer_who_sinks_is_followed() -> None:
    track = sung(10.0, notes=240, sinks_cents=60.0)
    tuning = tuning_of(track)
    assert tuning.drift_cents == pytest.approx(-60.0, abs=12.0)
    true = 10.0 - np.linspace(0.0, 60.0, len(track))
    middle = slice(len(track) // 6, -len(track) // 6)
    assert np.abs(tuning.curve[middle] - true[middle]).max() < 8.0


def test_no_singing_has_no_tuning() -> None:
    empty = np.zeros(500, np.float32)
    tuning = tuning_of(PitchTrack(empty, empty, empty - 80.0, empty))
    assert (tuning.cents, tuning.clarity, tuning.drift_cents) == (0.0, 0.0, 0.0)
    assert tuning.curve.shape == (500,)


def test_a_given_reference_in_cents() -> None:
    assert cents_of(440.0) == 0.0
    assert cents_of(415.3047) == pytest.approx(-100.0, abs=1e-3)  # a semitone lower


def test_a_singer_at_a_baroque_pitch_is_named_by_it() -> None:
    """A = 415 Hz is a semitone under 440: by itself the offset says nothing of that."""
    tuning = tuning_of(sung(-103.0))
    assert tuning.cents == pytest.approx(-3.0, abs=5.0)
    baroque = tuning.near(cents_of(415.3))
    assert baroque.cents == pytest.approx(-103.0, abs=5.0)
    assert baroque.curve[0] == pytest.approx(baroque.cents, abs=0.01)
    assert baroque.near(0.0).cents == pytest.approx(tuning.cents)
    assert baroque.reference_hz == pytest.approx(414.6, abs=1.2)
