"""One damage at a time in every container: the whole length is read, or the file is refused.

ffmpeg, where it is installed, says how much of a damaged MP3 or Ogg there is to be heard.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import soundfile
from support.streams import RATE_HZ, SECONDS, put, read
from support.vocals import sung

from appliance.audio.recording import probe
from appliance.errors import InputError

LIBRARIES = {"mp3": "MP3", "ogg": "OGG", "flac": "FLAC", "wav": "WAV", "aiff": "AIFF", "opus": "OGG"}


def ffmpeg_frames(path: Path) -> int | None:
    """Samples a channel that ffmpeg decodes; None where it reports an error or is not installed."""
    if shutil.which("ffmpeg") is None:
        return None
    command = ["ffmpeg", "-v", "error", "-i", path, "-f", "s16le", "-ac", "1", "-"]
    done = subprocess.run(command, capture_output=True, check=False)
    return None if done.returncode or done.stderr else len(done.stdout) // 2


def damaged(choice: np.random.Generator, data: bytes) -> bytes:
    """A flipped bit, a byte overwritten, a stretch cut out, a stretch of zeros, or the end missing."""
    at, kind = int(choice.integers(len(data))), int(choice.integers(5))
    length = int(choice.integers(1, 2000))
    if kind == 0:
        return data[:at] + bytes([data[at] ^ 1 << int(choice.integers(8))]) + data[at + 1 :]
    if kind == 1:
        return data[:at] + bytes([int(choice.integers(256))]) + data[at + 1 :]
    if kind == 2:
        return data[:at] + data[at + length :]
    if kind == 3:
        return data[:at] + bytes(min(length, len(data) - at)) + data[at + length :]
    return data[: max(at, 1)]


def silently_shorter(folder: Path, ending: str, tries: int, seed: int) -> list[str]:
    """Damages after which less is read than is there, without a word."""
    options = {
        "mp3": {"format": "MP3"},
        "opus": {"format": "OGG", "subtype": "OPUS"},
        "wav": {"subtype": "PCM_16"},
    }
    path = folder / f"take.{ending}"
    rate_hz = 48_000 if ending == "opus" else RATE_HZ
    soundfile.write(path, sung(SECONDS), rate_hz, **options.get(ending, {}))  # type: ignore[arg-type]
    data, whole = path.read_bytes(), probe(path)
    choice, wrong = np.random.default_rng(seed), []
    for number in range(tries):
        put(path, damaged(choice, data))
        try:
            info = read(path)
        except InputError:
            continue
        if info.frames >= whole.frames - (50 if ending in ("wav", "aiff", "flac") else 2 * 1152):
            continue
        theirs = ffmpeg_frames(path)
        if ending in ("wav", "aiff", "flac") or theirs is None or info.frames < theirs - 2 * 1152:
            wrong.append(f"{ending} {number}: {info.duration_s:.2f} s of {whole.duration_s:.2f}")
    return wrong


def needed(ending: str) -> None:
    """Only ffmpeg can say how much of a damaged lossy file there is to be heard."""
    if ending in ("mp3", "ogg", "opus") and shutil.which("ffmpeg") is None:
        pytest.skip("ffmpeg is not installed")


@pytest.mark.slow
@pytest.mark.parametrize("ending", LIBRARIES)
def test_no_damage_shortens_the_sound_without_a_word(tmp_path: Path, ending: str) -> None:
    needed(ending)
    assert silently_shorter(tmp_path, ending, 60, seed=15) == []


@pytest.mark.soak
@pytest.mark.parametrize("ending", LIBRARIES)
def test_two_thousand_damages(tmp_path: Path, ending: str) -> None:
    needed(ending)
    assert silently_shorter(tmp_path, ending, 2000, seed=1) == []
