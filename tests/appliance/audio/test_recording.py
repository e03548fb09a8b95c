"""Recordings: which files are read completely, and which are refused."""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path

import numpy as np
import pytest
import soundfile
from support.obeying_modes import obeying_modes
from support.recordings import CONTAINERS, tone, whole, write

from appliance.audio.defects import Defects
from appliance.audio.mp3_frames import find_frames
from appliance.audio.recording import probe, read_blocks, read_mono
from appliance.errors import InputError


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("ending", CONTAINERS)
def test_every_container_is_read_whole_and_in_time(tmp_path: Path, ending: str, channels: int) -> None:
    container, subtype = CONTAINERS[ending]
    sound = tone(2.1, 44_100, channels)
    path = write(tmp_path / f"take.{ending}", sound, 44_100, subtype)
    info = probe(path)
    assert (info.container, info.channels, info.rate_hz) == (container, channels, 44_100)
    assert info.frames == info.output_samples == len(sound)
    assert info.duration_s == pytest.approx(2.1, abs=1e-4)
    assert info.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    heard = whole(path)
    assert heard.shape == (len(sound), 2) and heard.dtype == np.float32
    assert np.argmax(np.abs(heard[:, 0])) == len(sound) // 2
    error = heard - (sound if channels == 2 else np.repeat(sound, 2, axis=1))
    lossless = ending in ("wav", "aiff", "flac")
    assert np.sqrt(np.mean(error**2)) < (2**-23 if lossless else 0.025)


@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ULAW"])
def test_wav_encodings(tmp_path: Path, subtype: str) -> None:
    sound = tone(1.2, 44_100)
    heard = whole(write(tmp_path / "take.wav", sound, 44_100, subtype))
    assert np.abs(heard[:, 0] - sound[:, 0]).max() < {"PCM_U8": 0.01, "ULAW": 0.03}.get(subtype, 1e-4)


def test_the_name_does_not_matter(tmp_path: Path) -> None:
    path = write(tmp_path / "take.flac", tone(1.5, 48_000), 48_000)
    other = path.rename(tmp_path / "take.wav")
    assert probe(other).container == "FLAC"


def test_mono_is_the_mean_of_the_channels(tmp_path: Path) -> None:
    sound = tone(1.1, 44_100, 2)
    info = probe(write(tmp_path / "take.wav", sound, 44_100, "FLOAT"))
    assert not info.opposed
    heard = np.concatenate(list(read_mono(info)))
    assert heard == pytest.approx(sound.mean(axis=1), abs=1e-6)


def test_a_singer_whose_channels_cancel_is_still_heard(tmp_path: Path) -> None:
    left = tone(1.1, 44_100)
    info = probe(write(tmp_path / "take.wav", np.hstack([left, -left]), 44_100, "FLOAT"))
    assert info.opposed
    assert np.concatenate(list(read_mono(info))) == pytest.approx(left[:, 0], abs=1e-6)


def test_peak(tmp_path: Path) -> None:
    sound = np.zeros((44_100, 2))
    assert probe(write(tmp_path / "silent.wav", sound, 44_100)).peak_dbfs == -np.inf
    sound[5, 1] = -0.5
    assert probe(write(tmp_path / "click.wav", sound, 44_100)).peak_dbfs == pytest.approx(-6.02, abs=0.01)


def test_exactly_one_second_is_enough(tmp_path: Path) -> None:
    assert probe(write(tmp_path / "a.wav", tone(1, 44_100), 44_100)).output_samples == 44_100


@pytest.mark.parametrize("declared", [0xFFFFFFFF, 0x7FFFF000])
def test_a_wav_streamed_through_a_pipe_is_whole(tmp_path: Path, declared: int) -> None:
    path = write(tmp_path / "take.wav", tone(1.5, 44_100), 44_100, "PCM_16")
    data = bytearray(path.read_bytes())
    data[40:44] = declared.to_bytes(4, "little")
    path.write_bytes(data)
    assert probe(path).frames == 66_150


@pytest.mark.parametrize("rate_hz", [8_000, 11_025, 16_000, 22_050, 24_000, 32_000, 48_000])
@pytest.mark.parametrize("channels", [1, 2])
def test_every_rate_an_mp3_can_have(tmp_path: Path, rate_hz: int, channels: int) -> None:
    path = write(tmp_path / "take.mp3", tone(2.3, rate_hz, channels), rate_hz, "MPEG_LAYER_III")
    assert probe(path).frames == int(2.3 * rate_hz)
    with path.open("rb") as file:
        frames = find_frames(file, path.stat().st_size)
    assert frames is not None and not frames.gaps and not frames.incomplete
    held = frames.count * frames.first.samples
    assert 0 <= held - probe(path).frames <= 4 * 1152


def untagged_mp3(path: Path, seconds: float, mode: str) -> Path:
    """An MP3 file without the Info frame that states its length."""
    soundfile.write(path, tone(seconds, 44_100), 44_100, bitrate_mode=mode, compression_level=0.5)
    data = path.read_bytes()
    assert b"Xing" in data[:200] or b"Info" in data[:200]
    path.write_bytes(data[data.index(data[:2], 4) :])
    return path


def test_an_mp3_of_constant_bit_rate_needs_no_length(tmp_path: Path) -> None:
    path = untagged_mp3(tmp_path / "take.mp3", 10, "CONSTANT")
    info = probe(path)
    assert 0 <= info.frames - 441_000 <= 3 * 1152  # the encoder's padding is unknown
    assert len(whole(path)) == info.frames
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2 + 7])
    assert re.search(r"last frame, at 5\.0 s, is incomplete", refusal(path))


def test_an_mp3_of_variable_bit_rate_without_a_length_is_whole(tmp_path: Path) -> None:
    """libsndfile guesses its length from the first frame, and stops there."""
    info = probe(untagged_mp3(tmp_path / "take.mp3", 3, "VARIABLE"))
    assert 0 <= info.frames - 3 * 44_100 <= 3 * 1152


def test_rf64_and_metadata_behind_the_sound(tmp_path: Path) -> None:
    path = tmp_path / "take.wav"
    soundfile.write(path, tone(1.5, 44_100), 44_100, "PCM_16", format="RF64")
    assert probe(path).frames == 66_150
    path = write(tmp_path / "tagged.wav", tone(1.5, 44_100), 44_100, "PCM_16")
    path.write_bytes(path.read_bytes() + b"LIST\x04\0\0\0INFO")
    assert probe(path).frames == 66_150


# Refusals: one sentence each, which names the file and says what to do.


def refusal(path: Path) -> str:
    with pytest.raises(InputError) as caught:
        probe(path)
    text = str(caught.value)
    assert path.name in text and text.endswith(".") and "\n" not in text
    return text


def test_missing_folder_device_empty(tmp_path: Path) -> None:
    assert "does not exist" in refusal(tmp_path / "none.wav")
    assert "does not exist" in refusal(tmp_path / "none" / "none.wav")
    assert "is a folder" in refusal(tmp_path)
    assert "not a regular file" in refusal(Path("/dev/zero"))
    os.mkfifo(tmp_path / "fifo.wav")
    assert "not a regular file" in refusal(tmp_path / "fifo.wav")
    (tmp_path / "empty.wav").touch()
    assert "is empty" in refusal(tmp_path / "empty.wav")
    assert "cannot be read" in refusal(tmp_path / ("n" * 300 + ".wav"))


def test_unreadable_permission(tmp_path: Path) -> None:
    path = write(tmp_path / "private.wav", tone(1.5, 8_000), 8_000)
    path.chmod(0)
    with obeying_modes():
        assert "may not be read" in refusal(path)


@pytest.mark.parametrize("name", ["text.wav", "text.mp3", "text.flac", "text.ogg", "text.aiff"])
@pytest.mark.parametrize("content", [b"Dear singer,\n" * 999, b"R", bytes(50_000), b"\xff\xd8\xff\xe0" * 999])
def test_what_is_not_audio(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    assert "not a recording" in refusal(tmp_path / name)


@pytest.mark.parametrize("head", [b"RIFF\0\0\0\0WAVE", b"FORM\0\0\0\0AIFF", b"fLaC", b"OggS"])
def test_a_valid_header_without_sound_behind_it(tmp_path: Path, head: bytes) -> None:
    path = tmp_path / "take.wav"
    for tail in (b"", b"nonsense" * 5000):
        path.write_bytes(head + tail)
        assert "cut short" in refusal(path) or "damaged" in refusal(path)


@pytest.mark.parametrize("share", [0.02, 0.5, 0.97])
@pytest.mark.parametrize("ending", CONTAINERS)
def test_a_file_whose_end_is_missing(tmp_path: Path, ending: str, share: float) -> None:
    path = write(tmp_path / f"take.{ending}", tone(4, 44_100), 44_100, CONTAINERS[ending][1])
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    assert "cut short" in refusal(path)


@pytest.mark.parametrize("ending", ["aiff", "flac", "ogg", "mp3"])
def test_a_file_that_misses_its_last_bytes(tmp_path: Path, ending: str) -> None:
    path = write(tmp_path / f"take.{ending}", tone(4, 44_100), 44_100, CONTAINERS[ending][1])
    path.write_bytes(path.read_bytes()[:-3])
    assert "cut short" in refusal(path)


def test_a_flipped_byte_in_a_flac(tmp_path: Path) -> None:
    path = write(tmp_path / "take.flac", tone(3, 44_100), 44_100)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    path.write_bytes(data)
    assert "damaged" in refusal(path)


@pytest.mark.parametrize("value", [5e9, -1e12, 6.6e37, -3e38])
@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("many", [False, True])
def test_a_sample_that_no_recording_has_is_refused(
    tmp_path: Path, value: float, channels: int, many: bool
) -> None:
    """One damaged bit makes such a sample of a float; its square is beyond the range of floats."""
    sound = 0.1 * np.random.default_rng(1).standard_normal((3 * 8000, channels)).astype(np.float32)
    sound[12_000 : 24_000 if many else 12_001] = value
    text = refusal(write(tmp_path / "flipped.wav", sound, 8000, "FLOAT"))
    assert re.search(r"flipped\.wav .* at 1\.500 s.*export it again", text)


@pytest.mark.parametrize("channels", [1, 2])
def test_floats_on_the_scale_of_whole_numbers_are_read(tmp_path: Path, channels: int) -> None:
    """Some programs write 32-bit numbers as floats without dividing them."""
    sound = (2.0**31 * 0.3 * np.random.default_rng(1).uniform(-1, 1, (16_000, channels))).astype(np.float32)
    info = probe(write(tmp_path / "whole.wav", sound, 8000, "FLOAT"))
    assert info.defects == Defects() and not info.opposed
    assert sum(block.shape[0] for block in read_mono(info)) == info.output_samples


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_samples_that_are_not_numbers(tmp_path: Path, value: float) -> None:
    sound = tone(4, 44_100, 2)
    sound[3 * 44_100, 1] = value
    text = refusal(write(tmp_path / "take.wav", sound, 44_100, "FLOAT"))
    assert "not numbers" in text and "3.000 s" in text


@pytest.mark.parametrize("frames", [0, 1, 2, 44_099])
def test_too_short(tmp_path: Path, frames: int) -> None:
    text = refusal(write(tmp_path / "take.wav", np.full((frames, 1), 0.1), 44_100))
    assert "at least one second" in text and ("no sound" in text) == (frames == 0)


@pytest.mark.parametrize("channels", [3, 6, 8, 64])
def test_too_many_channels(tmp_path: Path, channels: int) -> None:
    text = refusal(write(tmp_path / "take.wav", np.zeros((44_100, channels)), 44_100))
    assert f"{channels} channels" in text and "mono or stereo" in text


@pytest.mark.parametrize("rate_hz", [4_000, 7_999, 192_001, 384_000])
def test_rate_out_of_range(tmp_path: Path, rate_hz: int) -> None:
    assert f"{rate_hz} Hz" in refusal(write(tmp_path / "take.wav", np.zeros(2 * rate_hz), rate_hz))


def test_a_file_that_changes_after_the_probe(tmp_path: Path) -> None:
    path = write(tmp_path / "take.wav", tone(3, 44_100), 44_100)
    info = probe(path)
    for sound, rate_hz in ((tone(2, 44_100), 44_100), (tone(4, 44_100), 44_100), (tone(3, 48_000), 48_000)):
        write(path, sound, rate_hz)
        with pytest.raises(InputError, match="changed while"):
            list(read_blocks(info))
