"""WAV files: rounded to 24 bits, the same bytes for the same samples, RF64 for long sounds."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import pytest
import soundfile

from appliance.audio.wav_writer import WavWriter, write_wav
from appliance.errors import OutputError


def sound(samples: int, channels: int = 2) -> np.ndarray:
    return np.random.default_rng(samples).uniform(-1, 1, (samples, channels)).astype(np.float32)


def read_by_hand(path: Path) -> np.ndarray:
    """The file's 24-bit integers, read with Python's own WAV reader."""
    with wave.open(str(path)) as file:
        assert (file.getframerate(), file.getsampwidth()) == (44_100, 3)
        data = np.frombuffer(file.readframes(file.getnframes()), np.uint8)
        triples = data.reshape(-1, 3).astype(np.int32)
        values = triples[:, 0] | triples[:, 1] << 8 | triples[:, 2] << 16
        return (values - (values >> 23 << 24)).reshape(-1, file.getnchannels())


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("samples", [1, 44_101, 70_001])
def test_samples_are_rounded_to_the_nearest_of_24_bits(tmp_path: Path, channels: int, samples: int) -> None:
    x = sound(samples, channels)
    assert write_wav(tmp_path / "a.wav", [x], channels, samples) == 0
    assert np.array_equal(read_by_hand(tmp_path / "a.wav"), np.rint(x.astype(np.float64) * 2**23))
    assert soundfile.info(tmp_path / "a.wav").subtype == "PCM_24"


def test_full_scale_does_not_wrap(tmp_path: Path) -> None:
    x = np.array([1.0, -1.0, 1.5, -3.0, 1 - 2**-24, 1 - 2**-23, 1e9], np.float32)[:, None]
    assert write_wav(tmp_path / "a.wav", [x], 1, len(x)) == 5
    top = 2**23 - 1
    assert read_by_hand(tmp_path / "a.wav")[:, 0].tolist() == [top, -top - 1, top, -top - 1, top, top, top]


def test_same_samples_same_bytes_however_they_are_cut(tmp_path: Path) -> None:
    x = sound(150_000)
    write_wav(tmp_path / "a.wav", [x], 2, len(x))
    write_wav(tmp_path / "b.wav", np.array_split(x, 37), 2, len(x))
    assert (tmp_path / "a.wav").read_bytes() == (tmp_path / "b.wav").read_bytes()


def test_what_does_not_fit_a_wav_becomes_rf64(tmp_path: Path) -> None:
    hours_8 = 8 * 3600 * 44_100
    for samples, head in ((hours_8, b"RF64"), (44_100, b"RIFF")):
        writer = WavWriter(tmp_path / f"{samples}.wav", 2, samples)
        writer.write(sound(44_100))
        writer.close()
        assert (tmp_path / f"{samples}.wav").read_bytes()[:4] == head
        assert soundfile.info(tmp_path / f"{samples}.wav").frames == 44_100


def test_a_wrong_number_of_samples_is_a_bug(tmp_path: Path) -> None:
    for name, samples in (("a", 99), ("b", 101)):
        with pytest.raises(ValueError, match="samples"):
            write_wav(tmp_path / name, [sound(100)], 2, samples)


def test_an_existing_file_is_not_written_over(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_text("mine")
    with pytest.raises(OutputError, match="something else has that name"):
        write_wav(tmp_path / "a.wav", [sound(100)], 2, 100)
    assert (tmp_path / "a.wav").read_text() == "mine"


def test_soundfile_truncates_where_we_round(tmp_path: Path) -> None:
    """Why the module rounds by itself. Both clip, neither dithers."""
    x = np.random.default_rng(24).normal(0, 0.1, (200_000, 1)).astype(np.float32)
    x[:9, 0] = 1.0, 1.5, 1e9, np.inf, -1.0, -1.5, -1e9, -np.inf, 1 - 2**-24
    write_wav(tmp_path / "ours.wav", [x], 1, len(x))
    soundfile.write(tmp_path / "theirs.wav", x, 44_100, "PCM_24")
    ours, theirs = (read_by_hand(tmp_path / name) for name in ("ours.wav", "theirs.wav"))
    exact = np.clip(x.astype(np.float64) * 2**23, -(2**23), 2**23 - 1)
    # soundfile converts to 32 bits and keeps the upper 24.
    fine = np.clip(np.rint(x.astype(np.float64) * 2**31), -(2**31), 2**31 - 1)
    assert np.array_equal(theirs, np.floor(fine / 256))
    assert np.array_equal(ours, np.minimum(np.rint(exact), 2**23 - 1))
    errors = {name: (y - exact)[9:] for name, y in (("ours", ours), ("theirs", theirs))}
    assert abs(errors["ours"].mean()) < 0.01 and errors["theirs"].mean() == pytest.approx(-0.47, abs=0.01)
    rms = {name: float(np.sqrt(np.mean(error**2))) for name, error in errors.items()}
    assert rms["ours"] == pytest.approx(0.290, abs=0.003) and rms["theirs"] == pytest.approx(0.553, abs=0.005)


def test_whole_numbers_reach_the_file_as_they_are(tmp_path: Path) -> None:
    """soundfile writes the rounded numbers unchanged: it reads back the same values."""
    x = np.random.default_rng(5).integers(-(2**23), 2**23, (10_000, 2)).astype(np.float64) / 2**23
    write_wav(tmp_path / "a.wav", [x.astype(np.float32)], 2, len(x))
    assert np.array_equal(soundfile.read(tmp_path / "a.wav")[0], x)
