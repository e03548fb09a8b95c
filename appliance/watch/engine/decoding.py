"""Decodes an untrusted recording to a plain WAV file with the help of a confined process.

The child (:mod:`appliance.watch.engine.decode_child`) gets the open recording and an open file for raw
samples. It is not trusted: its answer is validated strictly, its output must have the size that the answer
implies, and this process writes the header.
"""

from __future__ import annotations

import os
import select
import signal
import struct
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from appliance.audio.recording import HIGHEST_RATE_HZ, LOWEST_RATE_HZ, MOST_CHANNELS, AudioInfo
from appliance.errors import InputError
from appliance.grid import SAMPLE_RATE_HZ
from appliance.watch.engine.decode_child import MAX_LOST, SOURCE
from appliance.watch.engine.failures import (
    DecoderDiedError,
    DecoderKilledError,
    DecoderStuckError,
    NeedsSpaceError,
)

HEADER_BYTES = 80
_LONGEST_ANSWER_BYTES = 16_384
_BYTES_PER_VALUE = 4
_END_S = 5.0
_ENDLESS = 1
"""Stands for the exit status of a child that said too much or did not end."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of decoding one recording: memory, CPU seconds, wall-clock seconds, bytes of sound."""

    memory_bytes: int
    cpu_s: int
    wall_s: float
    sound_bytes: int


class _Answer(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


class _Facts(_Answer):
    container: Annotated[str, Field(pattern=r"^(WAV|AIFF|FLAC|OGG|MP3|CAF|W64|AU)$")]
    rate_hz: Annotated[int, Field(ge=LOWEST_RATE_HZ, le=HIGHEST_RATE_HZ)]
    channels: Annotated[int, Field(ge=1, le=MOST_CHANNELS)]
    frames: Annotated[int, Field(ge=1, lt=1 << 62)]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    peak: Annotated[float, Field(ge=0)]
    opposed: bool
    lost: Annotated[tuple[tuple[float, float], ...], Field(max_length=MAX_LOST)] = ()


class _Refused(_Answer):
    refused: str


class _Needs(_Answer):
    needs_bytes: Annotated[int, Field(ge=0)]


class _WriteError(_Answer):
    write_errno: Annotated[int, Field(ge=1, le=4095)]


class _Memory(_Answer):
    memory: bool


class _ShutOut(_Answer):
    shut_out: bool


class _Reply(BaseModel):
    """One of the answers."""

    model_config = ConfigDict(strict=True)
    said: _Facts | _Refused | _Needs | _WriteError | _Memory | _ShutOut


def decode(source: int, name: str, target: Path, limits: Limits) -> AudioInfo:
    """Decode the open file ``source`` to the new WAV file ``target``; returns the recording's facts.

    ``target`` is RF64 (EBU Tech 3306) with 32-bit float samples at 44.1 kHz and the recording's channels.
    ``name`` is the name of the recording in errors.

    Raises:
        InputError: the recording cannot be used.
        DecoderDiedError: the process crashed or exceeded its limits; DecoderKilledError: it was killed from
            outside; DecoderStuckError: it did not finish within ``limits.wall_s``.
        NeedsSpaceError: there is not enough space for the sound.
        OSError: the target or the process cannot be created.
    """
    os.lseek(source, 0, os.SEEK_SET)
    out = os.open(target, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        os.lseek(out, HEADER_BYTES, os.SEEK_SET)
        said = _parse(name, *_run(source, name, out, limits))
        if isinstance(said, _ShutOut):
            said = _parse(name, *_run(source, name, out, limits, landlock=False))
        if isinstance(said, _Refused):
            raise InputError(said.refused.replace(str(SOURCE), name))
        if isinstance(said, _Memory):
            raise DecoderDiedError(
                f"{name}: decoding it needs more than the {limits.memory_bytes >> 20} MB of memory allowed."
            )
        if isinstance(said, _Needs):
            disk = os.fstatvfs(out)
            if said.needs_bytes > disk.f_blocks * disk.f_frsize:  # waiting for space would never end
                raise InputError(
                    f"{name} is too long: its sound needs {said.needs_bytes / 1e9:.1f} GB, more than the "
                    "whole disk has; cut it into songs."
                )
            raise NeedsSpaceError(
                f"{name}: decoding it needs {said.needs_bytes / 1e9:.1f} GB of disk, and only "
                f"{max(0, limits.sound_bytes) / 1e9:.1f} GB may be used."
            )
        if isinstance(said, _WriteError):
            reason = os.strerror(said.write_errno)
            raise NeedsSpaceError(f"The sound of {name} cannot be written: {reason}.", said.write_errno)
        if not isinstance(said, _Facts):
            raise DecoderDiedError(f"{name}: the decoder's answer is invalid.")
        info = AudioInfo(Path(name), **said.model_dump())
        sound_bytes = info.output_samples * info.channels * _BYTES_PER_VALUE
        if os.fstat(out).st_size != HEADER_BYTES + sound_bytes:
            raise DecoderDiedError(f"{name}: the decoded length differs from the decoder's answer.")
        os.pwrite(out, header(info.channels, info.output_samples), 0)
        return info
    finally:
        os.close(out)


def _run(source: int, name: str, out: int, limits: Limits, *, landlock: bool = True) -> tuple[bytes, int]:
    """Run the child; returns its answer and its exit status."""
    words = (os.getpid(), limits.memory_bytes, limits.cpu_s, max(0, limits.sound_bytes), out, int(landlock))
    command = [sys.executable, "-I", "-B", "-m", "appliance.watch.engine.decode_child", *map(str, words)]
    with subprocess.Popen(
        command,
        stdin=source,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,  # decoders may print text from the file
        pass_fds=(out,),
        env={},
        cwd="/",
    ) as child:
        try:
            answer = _read(child, time.monotonic() + limits.wall_s)
            if answer is None:
                raise DecoderStuckError(
                    f"{name} was not read to its end within {limits.wall_s:,.0f} s: "
                    "the disk or the computer hangs."
                )
            with suppress(subprocess.TimeoutExpired):
                child.wait(_END_S)
        finally:
            endless = child.poll() is None
            if endless:
                child.kill()
        return answer, _ENDLESS if endless else child.wait()


def _read(child: subprocess.Popen[bytes], until_s: float) -> bytes | None:
    """Read the child's output until it closes; b'' if it is too long, None if the time is over."""
    assert child.stdout is not None
    answer, pipe = b"", child.stdout.fileno()
    while len(answer) <= _LONGEST_ANSWER_BYTES:
        left_s = until_s - time.monotonic()
        if left_s <= 0 or not select.select([pipe], [], [], left_s)[0]:
            return None
        piece = os.read(pipe, _LONGEST_ANSWER_BYTES)
        if not piece:
            return answer
        answer += piece
    return b""


def _parse(name: str, answer: bytes, status: int) -> _Answer:
    if status == 0:
        with suppress(ValidationError, ValueError):
            return _Reply.model_validate_json(b'{"said":' + answer + b"}").said
    if status == -signal.SIGKILL:  # its own limits end it by other signals
        raise DecoderKilledError(
            f"{name} is not read yet: something killed the decoder; the memory of this computer may be short."
        )
    if status == -signal.SIGXCPU:
        why = "took too long to decode"
    elif status < 0:
        why = f"made the decoder crash or exceed its limits ({signal.Signals(-status).name})"
    else:
        why = "made the decoder fail"
    raise DecoderDiedError(f"{name} {why}; it is damaged or malicious: export it again as WAV or FLAC.")


def header(channels: int, samples: int) -> bytes:
    """The RF64 header of a file of float samples, :data:`HEADER_BYTES` long, with sizes in ``ds64``."""
    frame_bytes = channels * _BYTES_PER_VALUE
    sound_bytes = samples * frame_bytes
    unknown = 0xFFFFFFFF
    riff = struct.pack("<4sI4s", b"RF64", unknown, b"WAVE")
    ds64 = struct.pack("<4sIQQQI", b"ds64", 28, HEADER_BYTES - 8 + sound_bytes, sound_bytes, samples, 0)
    byte_rate = SAMPLE_RATE_HZ * frame_bytes
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 3, channels, SAMPLE_RATE_HZ, byte_rate, frame_bytes, 32)
    return riff + ds64 + form + struct.pack("<4sI", b"data", unknown)
