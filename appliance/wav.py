"""WAV files out: 44.1 kHz, 24 bit, streamed, the same bytes for the same samples.

libsndfile writes the container; rounding is done here, because its own conversion of floats wraps
around at full scale.
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import soundfile

from appliance.blocks import BLOCK_SAMPLES, Block
from appliance.errors import OutputError
from appliance.publish import output_error, writing
from appliance.score import SAMPLE_RATE_HZ

_FULL_SCALE = 1 << 23
_BYTES_PER_SAMPLE = 3
_LARGEST_WAV_BYTES = (1 << 32) - 4096
"""A RIFF size has 32 bits; a little is left for the header."""


class WavWriter:
    """A WAV file of ``channels`` channels and, in the end, ``samples`` samples. A context manager.

    RF64 (EBU Tech 3306) where the sound is longer than a WAV file can be. Samples beyond full scale
    stay at full scale; :attr:`clipped` counts them. Raises OutputError when the file cannot be written.
    """

    def __init__(self, path: Path, channels: int, samples: int) -> None:
        self._path = Path(path)
        self._left = samples
        self._sink = _Sink(self._path)
        self.clipped = 0
        size = samples * channels * _BYTES_PER_SAMPLE
        try:
            self._file = soundfile.SoundFile(
                self._sink,
                "w",
                SAMPLE_RATE_HZ,
                channels,
                "PCM_24",
                format="RF64" if size > _LARGEST_WAV_BYTES else "WAV",
            )
        except soundfile.LibsndfileError as error:
            self._sink.close()
            raise self._sink.reason(error) from error

    def write(self, block: Block) -> None:
        """Adds ``block``, (n, C) float32 with full scale at ±1."""
        if len(block) > self._left:
            raise ValueError(f"{self._path.name} was to hold {self._left} samples more, not {len(block)}")
        for start in range(0, len(block), BLOCK_SAMPLES):
            part = np.rint(block[start : start + BLOCK_SAMPLES].astype(np.float64) * _FULL_SCALE)
            self.clipped += int(np.count_nonzero((part > _FULL_SCALE - 1) | (part < -_FULL_SCALE)))
            whole = np.clip(part, -_FULL_SCALE, _FULL_SCALE - 1).astype(np.int32)
            try:
                # libsndfile takes the upper 24 bits of 32.
                self._file.write(whole << 8)
            except (soundfile.LibsndfileError, AssertionError) as error:
                raise self._sink.reason(error) from error
            if self._sink.error is not None:
                raise self._sink.reason(self._sink.error)
        self._left -= len(block)

    def close(self) -> None:
        """Finishes the header and waits until the file is on the disk."""
        if self._sink.closed:
            return
        try:
            self._file.close()
            if self._sink.error is not None:
                raise self._sink.reason(self._sink.error)
            with writing(self._path):
                self._sink.sync()
        finally:
            self._sink.close()

    def __enter__(self) -> WavWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            self._sink.give_up()
        self.close()
        if error is None and self._left:
            raise ValueError(f"{self._path.name} misses {self._left} samples")


def write_wav(path: Path, blocks: Iterable[Block], channels: int, samples: int) -> int:
    """Writes ``blocks``, (n, ``channels``) each and ``samples`` in all; returns how many clipped."""
    with WavWriter(path, channels, samples) as writer:
        for block in blocks:
            writer.write(block)
    return writer.clipped


class _Sink:
    """A file for libsndfile that remembers the system's error, which libsndfile would forget."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with writing(path):
            self._file = path.open("x+b", buffering=0)
        self.error: OSError | None = None
        self._given_up = False

    @property
    def closed(self) -> bool:
        return self._file.closed

    def write(self, data: Any) -> int:
        if self.error is not None or self._given_up:
            return 0 if self.error is not None else len(data)
        view = memoryview(data)
        try:
            while view:
                view = view[self._file.write(view) :]
        except OSError as error:
            self.error = error
            return 0
        return len(data)

    def read(self, count: int = -1) -> bytes:
        return self._file.read(count) or b""

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def sync(self) -> None:
        if not self._given_up:
            os.fsync(self._file.fileno())

    def give_up(self) -> None:
        """The file is going to be thrown away: its header need not be finished."""
        self._given_up = True
        self.error = None

    def reason(self, error: BaseException) -> OutputError:
        if self.error is not None:
            return output_error(self._path.name, self.error)
        return OutputError(f"{self._path.name} cannot be written: {error}.")

    def close(self) -> None:
        self._file.close()
