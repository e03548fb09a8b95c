"""Reading recordings: what is read, what is refused, and that no sample is lost or delayed."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from scipy.signal import resample_poly
from support.obeying_modes import obeying_modes

from appliance.audio.containers import mp3_samples
from appliance.audio.recording import probe, read_blocks, read_mono
from appliance.errors import InputError

CONTAINERS = {
    "wav": ("WAV", "PCM_24"),
    "aiff": ("AIFF", "PCM_24"),
    "flac": ("FLAC", "PCM_24"),
    "ogg": ("OGG", "VORBIS"),
    "mp3": ("MP3", "MPEG_LAYER_III"),
}


def tone(seconds: float, rate_hz: int, channels: int = 1) -> np.ndarray:
    """A quiet chirp with a click in the middle, whose position shows any delay."""
    t = np.arange(int(seconds * rate_hz)) / rate_hz
    x = 0.2 * np.sin(2 * np.pi * (200 + 100 * t) * t)
    x[len(x) // 2] += 0.7
    return np.stack([x * (1 - 0.3 * c) for c in range(channels)], axis=1)


def write(path: Path, sound: np.ndarray, rate_hz: int, subtype: str = "PCM_24") -> Path:
    soundfile.write(path, sound, rate_hz, subtype=subtype)
    return path


def whole(path: Path) -> np.ndarray:
    return np.concatenate(list(read_blocks(probe(path))))


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


@pytest.mark.parametrize(
    ("rate_hz", "frames"),
    [
        (8_000, 8_001),
        (11_025, 23_457),
        (12_345, 31_337),
        (16_000, 40_003),
        (22_050, 44_103),
        (37_800, 70_001),
        (44_101, 99_991),
        (48_000, 71_993),
        (88_200, 123_457),
        (96_000, 100_003),
        (192_000, 250_007),
    ],
)
def test_resampling_agrees_with_scipy_and_theory_at_odd_rates_and_lengths(
    tmp_path: Path, rate_hz: int, frames: int
) -> None:
    rng = np.random.default_rng(rate_hz)
    partials_hz = rng.uniform(50, 0.35 * min(rate_hz, 44_100), (12, 1))
    phases = rng.uniform(0, 2 * np.pi, (12, 1))

    def sampled(count: int, rate: int) -> np.ndarray:
        return 0.07 * np.sin(2 * np.pi * partials_hz * np.arange(count) / rate + phases).sum(axis=0)

    sound = sampled(frames, rate_hz)
    path = write(tmp_path / "take.wav", sound, rate_hz, "FLOAT")
    heard = whole(path)
    assert len(heard) == probe(path).output_samples == round(frames * 44_100 / rate_hz)
    references = [sampled(len(heard), 44_100)]
    divisor = np.gcd(44_100, rate_hz)
    up, down = 44_100 // divisor, rate_hz // divisor
    if max(up, down) < 2000:  # scipy's filter grows with the terms of the ratio
        half = 80 * max(up, down)
        taps = np.sinc(np.arange(-half, half + 1) / max(up, down)) * np.kaiser(2 * half + 1, 10)
        references.append(resample_poly(sound, up, down, window=taps / taps.sum())[: len(heard)])
    inner = slice(3000, len(heard) - 3000)
    for wanted in references:
        error = heard[inner, 0] - wanted[inner]
        assert np.sqrt(np.mean(error**2)) < 1e-4 * np.sqrt(np.mean(wanted[inner] ** 2))


@pytest.mark.parametrize("block_samples", [1, 777, 44_100, 10**7])
def test_block_size_changes_nothing(tmp_path: Path, block_samples: int) -> None:
    seconds = 1.05
    info = probe(write(tmp_path / "take.wav", tone(seconds, 22_050, 2), 22_050))
    blocks = list(read_blocks(info, block_samples))
    assert {len(b) for b in blocks[:-1]} <= {block_samples}
    assert np.array_equal(np.concatenate(blocks), np.concatenate(list(read_blocks(info))))


@pytest.mark.slow
def test_memory_does_not_grow_with_length(tmp_path: Path) -> None:
    """Decode twenty minutes (212 MB of samples) in a process and measure its memory."""
    path = tmp_path / "long.flac"
    with soundfile.SoundFile(path, "w", 8_000, 1, "PCM_16") as file:
        for _ in range(1200):
            file.write(np.zeros(8_000))
    script = (
        "import resource, sys\n"
        "from pathlib import Path\n"
        "from appliance.audio.recording import probe, read_blocks\n"
        "peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "before = peak()\n"
        "total = sum(len(b) for b in read_blocks(probe(Path(sys.argv[1]))))\n"
        "print(total, peak() - before)"
    )
    result = subprocess.run([sys.executable, "-c", script, path], capture_output=True, text=True, check=True)
    total, grown_kib = map(int, result.stdout.split())
    assert total == 1200 * 44_100
    assert grown_kib < 40 * 1024


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
        held, cut = mp3_samples(file, path.stat().st_size)
    assert 0 <= held - probe(path).frames <= 4 * 1152 and not cut


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
    assert 0 <= info.frames - 441_000 <= 3 * 1152  # how much the encoder added is unknown
    assert len(whole(path)) == info.frames
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2 + 7])
    assert "last frame is incomplete" in refusal(path)


def test_an_mp3_of_variable_bit_rate_is_not_shortened_in_silence(tmp_path: Path) -> None:
    assert "does not state its length" in refusal(untagged_mp3(tmp_path / "take.mp3", 3, "VARIABLE"))


def test_rf64_and_metadata_behind_the_sound(tmp_path: Path) -> None:
    path = tmp_path / "take.wav"
    soundfile.write(path, tone(1.5, 44_100), 44_100, "PCM_16", format="RF64")
    assert probe(path).frames == 66_150
    path = write(tmp_path / "tagged.wav", tone(1.5, 44_100), 44_100, "PCM_16")
    path.write_bytes(path.read_bytes() + b"LIST\x04\0\0\0INFO")
    assert probe(path).frames == 66_150


# Refusals: one sentence that names the file and says what to do.


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


@pytest.mark.parametrize("ending", ["wav", "aiff", "flac", "ogg", "mp3"])
def test_a_file_that_misses_its_last_bytes(tmp_path: Path, ending: str) -> None:
    path = write(tmp_path / f"take.{ending}", tone(4, 44_100), 44_100, CONTAINERS[ending][1])
    path.write_bytes(path.read_bytes()[:-3])
    assert "cut short" in refusal(path)


def test_a_recorder_that_never_closed_its_file(tmp_path: Path) -> None:
    path = write(tmp_path / "take.wav", tone(2, 44_100), 44_100, "PCM_16")
    data = bytearray(path.read_bytes())
    data[40:44] = bytes(4)
    path.write_bytes(data)
    assert "switched off" in refusal(path)


def test_a_flipped_byte_in_a_flac(tmp_path: Path) -> None:
    path = write(tmp_path / "take.flac", tone(3, 44_100), 44_100)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    path.write_bytes(data)
    assert "damaged" in refusal(path)


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
