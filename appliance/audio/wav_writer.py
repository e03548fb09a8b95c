"""Writes WAV files, 44.1 kHz and 24 bit, as a stream; the same samples give the same bytes.

libsndfile writes the container, this module rounds the samples. Given floats, soundfile 0.14 (libsndfile 1.2)
also clips at full scale and adds no dither, but it truncates to the upper 24 of 32 bits. That is an offset of
half a step and twice the error of rounding (0.55 instead of 0.29 steps RMS, 5.6 dB).
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from types import TracebackType

import numpy as np
import soundfile

from appliance.audio.blocks import BLOCK_SAMPLES, Block
from appliance.errors import OutputError
from appliance.files.write_errors import output_error, writing
from appliance.grid import SAMPLE_RATE_HZ

_FULL_SCALE = 1 << 23
_BYTES_PER_SAMPLE = 3
_LARGEST_WAV_BYTES = (1 << 32) - 4096
"""Largest sound in a WAV file: a RIFF size has 32 bits, less some room for the header."""

_PROBE = bytes(4096)
_PROBE_BYTES = 1 << 20


class WavWriter:
    """A WAV file of ``channels`` channels and ``samples`` samples; a context manager.

    The format is RF64 (EBU Tech 3306) if the sound is too long for WAV. Samples beyond full scale are
    clipped; :attr:`clipped` counts them.

    Raises:
        OutputError: the file exists or cannot be written; from all methods.
        ValueError: the samples written are more or fewer than ``samples``.
    """

    def __init__(self, path: Path, channels: int, samples: int) -> None:
        self._path = Path(path)
        self._left = samples
        self._bytes = 0
        self.clipped = 0
        size = samples * channels * _BYTES_PER_SAMPLE
        with writing(self._path):
            self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666)
        try:
            # A descriptor: Ctrl-C inside libsndfile's callbacks of a Python file object would be lost.
            self._file = soundfile.SoundFile(
                self._descriptor,
                "w",
                SAMPLE_RATE_HZ,
                channels,
                "PCM_24",
                format="RF64" if size > _LARGEST_WAV_BYTES else "WAV",
                closefd=False,
            )
        except soundfile.LibsndfileError as error:
            try:
                raise self._reason() from error
            finally:
                os.close(self._descriptor)

    def write(self, block: Block) -> None:
        """Append ``block``, (n, C) float32 with full scale at ±1: n samples, C channels."""
        if len(block) > self._left:
            raise ValueError(f"{self._path.name} takes {self._left} more samples, not {len(block)}")
        for start in range(0, len(block), BLOCK_SAMPLES):
            # Exact in single precision: the factor is a power of two, and floats above 2^23 are integers.
            part = np.rint(block[start : start + BLOCK_SAMPLES] * np.float32(_FULL_SCALE))
            if part.max() > _FULL_SCALE - 1 or part.min() < -_FULL_SCALE:
                self.clipped += int(np.count_nonzero((part > _FULL_SCALE - 1) | (part < -_FULL_SCALE)))
                part = np.clip(part, -_FULL_SCALE, _FULL_SCALE - 1)
            whole = part.astype(np.int32)
            try:
                # libsndfile keeps the upper 24 of 32 bits.
                self._file.write(whole << 8)
            except (soundfile.LibsndfileError, AssertionError) as error:
                raise self._reason() from error
            self._bytes += whole.size * _BYTES_PER_SAMPLE
        self._left -= len(block)

    def close(self) -> None:
        """Write the final header and sync the file to the disk."""
        if self._file.closed:
            return
        try:
            self._file.close()
            if os.fstat(self._descriptor).st_size < self._bytes:
                raise self._reason()
            with writing(self._path):
                os.fsync(self._descriptor)
        except soundfile.LibsndfileError as error:
            raise self._reason() from error
        finally:
            os.close(self._descriptor)

    def __enter__(self) -> WavWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            # The caller discards the file: a second error must not hide the first one.
            with suppress(OutputError):
                self.close()
            return
        self.close()
        if self._left:
            raise ValueError(f"{self._path.name} lacks {self._left} samples")

    def _reason(self) -> OutputError:
        """Why the last write failed. libsndfile does not tell, so this writes a few bytes without it."""
        end = os.fstat(self._descriptor).st_size
        try:
            for offset in range(0, _PROBE_BYTES, len(_PROBE)):
                os.pwrite(self._descriptor, _PROBE, end + offset)
        except OSError as error:
            return output_error(self._path.name, error)
        return OutputError(
            f"{self._path.name} cannot be written, and the system gives no reason; "
            "check the disk and render again."
        )


def write_wav(path: Path, blocks: Iterable[Block], channels: int, samples: int) -> int:
    """Write ``blocks``, (n, ``channels``) each, ``samples`` samples in all; returns how many were clipped.

    Raises as :class:`WavWriter` does.
    """
    with WavWriter(path, channels, samples) as writer:
        for block in blocks:
            writer.write(block)
    return writer.clipped
