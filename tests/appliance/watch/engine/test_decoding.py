"""The confined decoder, with valid files and with files built to do harm."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import soundfile
from support.vocals import sung

from appliance.audio.recording import AudioInfo, probe, read_blocks
from appliance.errors import InputError, OutputError
from appliance.watch.engine import decoding
from appliance.watch.engine.child import _check_decoder
from appliance.watch.engine.decoding import Limits, decode
from appliance.watch.engine.failures import DecoderDiedError, NeedsSpaceError
from appliance.watch.engine.messages import Setup

LIMITS = Limits(memory_bytes=1 << 30, cpu_s=120, wall_s=600.0, sound_bytes=1 << 30)
FLAC_TOTAL_SAMPLES = 8 + 13
"""Offset of the byte whose lower half begins the 36-bit sample count in STREAMINFO (RFC 9639)."""


def decoded(path: Path, limits: Limits = LIMITS) -> tuple[AudioInfo, Path]:
    target = path.with_name("decoded.wav")
    source = os.open(path, os.O_RDONLY)
    try:
        return decode(source, "my take.wav", target, limits), target
    finally:
        os.close(source)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["a.flac", "b.wav", "c.mp3", "d.ogg", "e.aiff"])
def test_a_recording_becomes_a_plain_file_with_the_same_sound(tmp_path: Path, name: str) -> None:
    samples = np.stack([sung(1.3, 48_000), -0.5 * sung(1.3, 48_000)], axis=1)[:, : 1 + (name == "b.wav")]
    soundfile.write(tmp_path / name, samples, 48_000)
    info, target = decoded(tmp_path / name)
    expected = probe(tmp_path / name)
    assert info == replace(expected, path=Path("my take.wav"))
    found = soundfile.info(target)
    assert (found.samplerate, found.channels, found.subtype) == (44_100, info.channels, "FLOAT")
    assert found.frames == info.output_samples
    ours = np.concatenate(list(read_blocks(probe(target))))
    assert np.array_equal(ours, np.concatenate(list(read_blocks(expected))))


def test_defects_stay_for_whoever_renders_the_copy(tmp_path: Path) -> None:
    sides = np.stack([sung(2.0, 48_000) + 0.3, np.zeros(96_000)], axis=1)
    soundfile.write(tmp_path / "a.wav", sides, 48_000, "FLOAT")
    _, target = decoded(tmp_path / "a.wav")
    copy, original = probe(target), probe(tmp_path / "a.wav")
    assert copy.defects.sentences == original.defects.sentences != []
    ours, theirs = (np.concatenate(list(read_blocks(info))) for info in (copy, original))
    assert np.abs(ours - theirs).max() < 1e-3


def bomb(tmp_path: Path, kind: str) -> Path:
    path = tmp_path / f"bomb.{kind[:4].strip()}"
    if kind == "flac that promises 3 hours":
        soundfile.write(path, sung(1.2), 44_100)
        data = bytearray(path.read_bytes())
        data[FLAC_TOTAL_SAMPLES + 1 : FLAC_TOTAL_SAMPLES + 5] = (3 * 3600 * 44_100).to_bytes(4, "big")
    else:
        soundfile.write(path, sung(1.2), 44_100)
        data = bytearray(path.read_bytes())
        data[40:44] = (0x70000000).to_bytes(4, "little")
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("kind", ["flac that promises 3 hours", "wav that promises 6 hours"])
def test_a_header_that_promises_hours(tmp_path: Path, kind: str) -> None:
    with pytest.raises(InputError, match=r"^my take\.wav is .*(cut short|damaged)"):
        decoded(bomb(tmp_path, kind))


@pytest.fixture(scope="module")
def hours_of_silence(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two hours of silence in a few hundred kilobytes."""
    path = tmp_path_factory.mktemp("bomb") / "silence.flac"
    with soundfile.SoundFile(path, "w", 8_000, 1, "PCM_16") as file:
        for _ in range(120):
            file.write(np.zeros(60 * 8_000, np.int16))
    assert path.stat().st_size < 2 << 20
    return path


@pytest.mark.slow
def test_time_that_runs_out(hours_of_silence: Path, tmp_path: Path) -> None:
    path = tmp_path / "silence.flac"
    path.symlink_to(hours_of_silence)
    with pytest.raises(DecoderDiedError, match="took too long"):
        decoded(path, replace(LIMITS, cpu_s=1, sound_bytes=1 << 40))
    (tmp_path / "decoded.wav").unlink()
    with pytest.raises(DecoderDiedError):
        decoded(path, replace(LIMITS, wall_s=0.01))


def test_sound_that_does_not_fit(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", sung(2.0), 44_100)
    with pytest.raises(NeedsSpaceError, match="GB of disk") as caught:
        decoded(tmp_path / "a.wav", replace(LIMITS, sound_bytes=2 * 44_100 * 4 - 1))
    assert caught.value.errno == 0


def test_sound_that_no_disk_of_this_size_could_hold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    soundfile.write(tmp_path / "a.wav", sung(2.0), 44_100)
    total = 2 * 44_100 * 4 - 1
    disk = SimpleNamespace(f_blocks=total, f_frsize=1)
    monkeypatch.setattr("appliance.watch.engine.decoding.os.fstatvfs", lambda _: disk)
    with pytest.raises(InputError, match=r"^my take\.wav .* the whole disk"):
        decoded(tmp_path / "a.wav", replace(LIMITS, sound_bytes=total))


def test_memory_that_runs_out(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", sung(2.0), 44_100)
    with pytest.raises(DecoderDiedError):
        decoded(tmp_path / "a.wav", replace(LIMITS, memory_bytes=40 << 20))


def test_what_is_no_sound_is_refused_by_its_own_name(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(b"RIFF" + os.urandom(5000))
    with pytest.raises(InputError, match=r"^my take\.wav is"):
        decoded(tmp_path / "a.wav")


WALLS = """
import os, sys
from appliance.system import syscalls
syscalls.no_new_privileges()
if not syscalls.only_read(0):
    print("no landlock"); sys.exit()
assert open("/proc/self/fd/0").read() == "mine"
for call in (lambda: open(sys.argv[1]), lambda: open("/etc/passwd"), lambda: open(sys.argv[1] + "new", "w"),
             lambda: os.listdir("/"), lambda: open("/proc/self/fd/0", "w")):
    try:
        call()
    except PermissionError:
        continue
    sys.exit(1)
print("closed")
"""


def test_the_decoder_can_open_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("mine")
    (tmp_path / "other").write_text("other")
    with (tmp_path / "mine").open() as mine:
        done = subprocess.run(
            [sys.executable, "-c", WALLS, tmp_path / "other"],
            stdin=mine,
            capture_output=True,
            text=True,
            check=True,
        )
    if done.stdout.strip() == "no landlock":
        pytest.skip("this kernel has no Landlock")
    assert done.stdout.strip() == "closed"


@pytest.mark.parametrize(("deaths", "unfit"), [(1, False), (1000, True)])
def test_one_killed_check_does_not_condemn_the_decoder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, deaths: int, unfit: bool
) -> None:
    """If memory runs out, the kernel kills the decoder first; its limits are not too low because of that."""
    died = []

    def dying(*what: Any) -> AudioInfo:
        if len(died) < deaths:
            died.append(what)
            raise DecoderDiedError("It was killed.")
        return decode(*what)

    monkeypatch.setattr(decoding, "decode", dying)
    setup = Setup("pack", os.fspath(tmp_path), 1, LIMITS.memory_bytes, LIMITS.cpu_s, LIMITS.wall_s)
    with pytest.raises(OutputError) if unfit else nullcontext():
        _check_decoder(setup)
    assert len(died) < 10
    assert not list(tmp_path.iterdir())


def test_a_stream_that_is_put_together_is_decoded_behind_the_walls_too(tmp_path: Path) -> None:
    """libsndfile calls back into Python for it, and the child may make no new code by then."""
    path = tmp_path / "take.ogg"
    soundfile.write(path, sung(1.2), 44_100, format="OGG", subtype="VORBIS")
    frames = soundfile.info(path).frames
    path.write_bytes(40 * path.read_bytes())
    info, target = decoded(path)
    assert info.frames == 40 * frames == soundfile.info(target).frames
