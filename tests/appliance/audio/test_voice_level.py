"""The level of a voice beside noises that are louder than it, against pyloudnorm on the singing alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyloudnorm
import pytest
from support.vocals import sung

from appliance.audio.recording import probe, read_mono
from appliance.audio.voice_level import VoiceLevel, measure_voice
from appliance.vocal.tracker import track_pitch

RATE_HZ = 44_100
SECONDS = 12.0
GAP_S = 3.0


def quiet_voice() -> np.ndarray:
    """(n,) three seconds of nothing, then twelve of a voice at -40 dBFS."""
    return np.concatenate([np.zeros(round(GAP_S * RATE_HZ)), 0.05 * sung(SECONDS)]).astype(np.float32)


def clap(seconds: float = 0.12, seed: int = 0) -> np.ndarray:
    time = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    return 0.9 * np.random.default_rng(seed).uniform(-1, 1, len(time)) * np.exp(-time / 0.02)


def bump(seconds: float = 0.2) -> np.ndarray:
    """A knock at the stand: a loud low swing that dies away."""
    time = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    return 0.95 * np.sin(2 * np.pi * 45 * time) * np.exp(-time / 0.04)


def with_noise(noise: np.ndarray, *at_s: float) -> np.ndarray:
    voice = quiet_voice()
    for second in at_s:
        start = round(second * RATE_HZ)
        voice[start : start + len(noise)] += noise.astype(np.float32)
    return np.clip(voice, -1, 1)


def measured(voice: np.ndarray) -> VoiceLevel:
    track = track_pitch([voice], len(voice))
    return measure_voice([np.repeat(voice[:, None], 2, axis=1)], track.f0_hz > 0)


def sung_lufs(voice: np.ndarray) -> float:
    """By pyloudnorm, of what is sung, on both channels."""
    part = voice[round(GAP_S * RATE_HZ) :].astype(np.float64)
    return pyloudnorm.Meter(RATE_HZ).integrated_loudness(np.stack([part, part], axis=1))


NOISES = {
    "four claps": with_noise(clap(), 0.3, 0.8, 1.4, 2.0),
    "forty claps": with_noise(clap(), *np.arange(0.1, 2.9, 0.07)),
    "a bump before": with_noise(bump(), 1.0),
    "a bump while singing": with_noise(bump(), 6.2),
    "three bumps while singing": with_noise(bump(), 5.0, 8.1, 11.9),
    "a pop of one sample": with_noise(np.array([0.99]), 7.77),
    "a door": with_noise(clap(0.8), 1.2),
}


@pytest.mark.parametrize("noise", NOISES)
def test_the_level_is_that_of_the_singing(noise: str) -> None:
    level = measured(NOISES[noise])
    assert level.lufs == pytest.approx(sung_lufs(quiet_voice()), abs=0.5)


@pytest.mark.parametrize("noise", NOISES)
def test_what_is_far_louder_than_the_voice_is_turned_down_and_nothing_else(noise: str) -> None:
    voice = NOISES[noise]
    level = measured(voice)
    stereo = np.repeat(voice[:, None], 2, axis=1)
    tamed = np.concatenate(list(level.tamed([stereo[:50_000], stereo[50_000:]])))
    assert tamed.shape == stereo.shape
    loudest = np.abs(quiet_voice()).max()
    assert np.abs(tamed).max() < 2 * loudest  # 6 dB
    # Half a second away from a noise no sample has changed.
    count = np.cumsum(np.pad(np.abs(voice) > 2.1 * loudest, RATE_HZ // 2))
    near = count[-len(voice) :] > count[: len(voice)]
    np.testing.assert_array_equal(tamed[~near], stereo[~near])
    first = np.flatnonzero(np.abs(voice) > 2.1 * loudest)[0] / RATE_HZ
    assert level.outbursts[0].start_s == pytest.approx(first, abs=0.03)
    most = 20 * np.log10(np.abs(voice).max() / loudest)
    assert max(o.over_db for o in level.outbursts) == pytest.approx(most, abs=6)


@pytest.mark.parametrize("name", ["made", "demo", "vocadito_1.wav", "vocadito_10.wav"])
def test_a_vocal_without_such_noise_stays_as_it_is(name: str, request: pytest.FixtureRequest) -> None:
    if name == "made":
        voice = sung(SECONDS)
    else:
        path = (
            request.getfixturevalue("demo_vocal")
            if name == "demo"
            else Path(request.getfixturevalue("shared")) / "vocals" / name
        )
        voice = np.concatenate(list(read_mono(probe(path))))
    level = measured(voice)
    assert level.outbursts == ()
    blocks = [voice[:, None], voice[:100, None]]
    assert next(iter(level.tamed(blocks))) is blocks[0]


def test_without_singing_the_level_is_that_of_the_whole() -> None:
    noise = 0.1 * np.random.default_rng(3).standard_normal((5 * RATE_HZ, 2)).astype(np.float32)
    level = measure_voice([noise], np.zeros(431, np.bool_))
    assert level.lufs == pytest.approx(
        pyloudnorm.Meter(RATE_HZ).integrated_loudness(noise.astype(np.float64)), abs=0.1
    )
    assert level.outbursts == ()
    assert measure_voice([np.zeros((0, 2), np.float32)], np.zeros(0, np.bool_)).lufs == -np.inf
