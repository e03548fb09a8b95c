"""What a recording should not hand on to the mix: a dead side, a DC offset, rumble."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
from support.vocals import sung

from appliance.audio.high_pass import HIGH_PASS_HZ, without_rumble
from appliance.audio.recording import AudioInfo, probe, read_blocks, read_mono

RATE_HZ = 44_100


def recorded(tmp_path: Path, sound: np.ndarray, rate_hz: int = RATE_HZ) -> AudioInfo:
    path = tmp_path / f"{len(list(tmp_path.iterdir()))}.wav"
    soundfile.write(path, sound, rate_hz, "FLOAT")
    return probe(path)


def whole(info: AudioInfo, block_samples: int = 65_536) -> np.ndarray:
    return np.concatenate(list(read_blocks(info, block_samples)))


def wind(seconds: float, hz: float, rate_hz: int = RATE_HZ) -> np.ndarray:
    return 0.3 * np.sin(2 * np.pi * hz * np.arange(round(seconds * rate_hz)) / rate_hz)


@pytest.mark.parametrize("side", [0, 1])
@pytest.mark.parametrize("rest", ["zeros", "dither", "preamp", "offset"])
def test_a_dead_side_gets_the_voice_of_the_other(tmp_path: Path, side: int, rest: str) -> None:
    voice = sung(3.0)
    sound = np.zeros((len(voice), 2), np.float32)
    noise = np.random.default_rng(0).uniform(-1, 1, len(voice))
    sound[:, 1 - side] = {
        "zeros": 0 * noise,
        "dither": noise / 32768,
        "preamp": noise / 2000,
        "offset": 0 * noise + 0.001,
    }[rest]
    sound[:, side] = voice
    info = recorded(tmp_path, sound)
    assert info.defects.only_side == ("left", "right")[side]
    np.testing.assert_array_equal(whole(info), np.stack([voice, voice], axis=1))
    np.testing.assert_array_equal(np.concatenate(list(read_mono(info))), voice)
    (said,) = info.defects.sentences
    assert ("left", "right")[side] in said


@pytest.mark.parametrize("offset", [0.4, -0.05])
@pytest.mark.parametrize("rate_hz", [44_100, 16_000, 96_000])
def test_an_offset_is_taken_away(tmp_path: Path, offset: float, rate_hz: int) -> None:
    voice = 0.5 * sung(3.0, rate_hz)
    info = recorded(tmp_path, voice + np.float32(offset), rate_hz)
    clean = recorded(tmp_path, voice, rate_hz)
    assert info.defects.high_pass and not clean.defects.high_pass
    found, wanted = whole(info), whole(clean)
    assert len(found) == info.output_samples
    assert (
        np.abs(found[1000:-1000] - wanted[1000:-1000]).max() < 2e-3
    )  # its ends keep what the resampler rings
    (said,) = info.defects.sentences
    assert "offset" in said and f"{HIGH_PASS_HZ:g} Hz" in said


@pytest.mark.parametrize("samples", [1, 100, 8_192, 8_193, 8_194, 16_386, 49_152, 49_153, 70_000])
def test_the_high_pass_keeps_every_length(samples: int) -> None:
    sound = np.full((samples, 2), 0.3, np.float32)
    found = np.concatenate(list(without_rumble(np.array_split(sound, 3), np.array([0.3, 0.3]))))
    assert found.shape == sound.shape and np.abs(found).max() < 1e-6
    assert list(without_rumble([], np.zeros(2))) == []


@pytest.mark.parametrize("hz", [1.0, 3.0, 6.0])
def test_rumble_below_hearing_is_taken_away(tmp_path: Path, hz: float) -> None:
    voice = 0.5 * sung(6.0)
    info = recorded(tmp_path, voice + wind(6.0, hz))
    assert info.defects.high_pass
    left = (whole(info)[:, 0] - voice)[RATE_HZ:-RATE_HZ]
    assert np.sqrt(np.mean(np.square(left))) < {1.0: 0.001, 3.0: 0.01, 6.0: 0.05}[hz] * 0.3
    assert "rumble" in info.defects.sentences[0]


def test_each_side_keeps_its_own_voice(tmp_path: Path) -> None:
    sides = np.stack([sung(3.0) + 0.2, 0.5 * sung(3.0) - 0.1], axis=1)
    found = whole(recorded(tmp_path, sides))
    np.testing.assert_allclose(found, np.stack([sung(3.0), 0.5 * sung(3.0)], axis=1), atol=2e-3)


def test_the_high_pass_lets_pass_what_is_sung_and_does_not_delay_it() -> None:
    time = np.arange(4 * RATE_HZ) / RATE_HZ
    for hz in (55.0, 82.4, 440.0):
        tone = (0.2 * np.sin(2 * np.pi * hz * time))[:, None].astype(np.float32)
        found = np.concatenate(list(without_rumble([tone[:70_000], tone[70_000:]], np.zeros(1))))
        assert found.shape == tone.shape
        assert np.abs(found - tone)[RATE_HZ:-RATE_HZ].max() < 2e-4
    click = np.zeros((3 * RATE_HZ, 1), np.float32)
    click[50_000] = 1.0
    found = np.concatenate(list(without_rumble([click], np.zeros(1))))
    assert np.abs(found).argmax() == 50_000 and abs(found.sum()) < 1e-3


def test_blocks_of_any_size_give_the_same(tmp_path: Path) -> None:
    info = recorded(tmp_path, sung(5.0) + 0.3)
    np.testing.assert_array_equal(whole(info), whole(info, 4_000))
    np.testing.assert_array_equal(
        np.concatenate(list(without_rumble([sung(5.0)[:, None]], np.zeros(1)))),
        np.concatenate(list(without_rumble(np.array_split(sung(5.0)[:, None], 17), np.zeros(1)))),
    )


@pytest.mark.parametrize("name", ["demo", "vocadito_1.wav", "vocadito_10.wav", "stereo", "opposed", "panned"])
def test_a_clean_recording_keeps_its_samples(
    name: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    if name == "demo":
        path = request.getfixturevalue("demo_vocal")
    elif name.startswith("vocadito"):
        path = request.getfixturevalue("shared") / "vocals" / name
    else:
        right = {"stereo": 1.0, "opposed": -1.0, "panned": 0.03}[name]
        path = recorded(tmp_path, np.outer(sung(2.0), [1.0, right])).path
    info = probe(path)
    assert not info.defects.high_pass and info.defects.only_side is None and not info.defects.sentences
    stored, _ = soundfile.read(path, dtype="float32", always_2d=True)
    np.testing.assert_array_equal(whole(info), np.broadcast_to(stored, (len(stored), 2)))
