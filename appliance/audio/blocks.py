"""Streams of sample blocks: recut to one size, cut to a length, or spooled to disk.

All code that processes sound takes an iterable of blocks, so that an hour needs no more memory than a second.
A block is (n, C) float32: n samples of C channels at 44.1 kHz. Filters recut their input, so that their
results do not depend on the caller's block size.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from appliance.errors import OutputError

Block = NDArray[np.float32]
Real = TypeVar("Real", bound="np.floating[Any]")

BLOCK_SAMPLES = 65_536
"""Default samples per block (1.49 s)."""


def recut(blocks: Iterable[NDArray[Real]], block_samples: int = BLOCK_SAMPLES) -> Iterator[NDArray[Real]]:
    """Regroup a stream into blocks of ``block_samples``; the last may be shorter, none is empty.

    Shape: (n, C) or (n,) in, (``block_samples``, C) or (``block_samples``,) out; n samples, C channels.

    >>> [block.tolist() for block in recut([np.arange(3), np.arange(3, 5)], 2)]
    [[0, 1], [2, 3], [4]]
    """
    held: list[NDArray[Real]] = []
    held_samples = 0
    for block in blocks:
        held.append(block)
        held_samples += len(block)
        if held_samples < block_samples:
            continue
        joined = np.concatenate(held)
        whole = held_samples - held_samples % block_samples
        for start in range(0, whole, block_samples):
            yield joined[start : start + block_samples]
        held = [joined[whole:]]
        held_samples -= whole
    if held_samples:
        yield np.concatenate(held)


def exactly(blocks: Iterable[Block], samples: int) -> Iterator[Block]:
    """Cut a stream to ``samples`` samples, or append silence up to that length.

    Shape: (n, C) or (n,) in and out; n samples, C channels. The n of the output add up to ``samples``. The
    input must have at least one block.
    """
    left = samples
    shape: tuple[int, ...] = ()
    for block in blocks:
        shape = block.shape[1:]
        if left > 0 and len(block):
            yield block[:left]
            left -= min(left, len(block))
    if left > 0:
        yield np.zeros((left, *shape), np.float32)


class Spool:
    """Stereo sound in a temporary file without a name, readable several times.

    The file lies in ``folder`` and disappears when it is closed or the process ends. A minute takes 21 MB.

    Raises:
        OutputError: the file cannot be made, or (from :meth:`append`) the disk is full.
    """

    def __init__(self, folder: Path) -> None:
        try:
            self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - closed by close()
        except OSError as error:
            raise OutputError(
                f"{folder}: cannot make a temporary file there ({error.strerror}); "
                "check its permissions and free space."
            ) from error
        self._folder = folder
        self.samples = 0

    def append(self, block: Block) -> None:
        """Append ``block``: (n, 2) float32, n samples of two channels."""
        try:
            self._file.write(np.ascontiguousarray(block, np.float32).data)
            self._file.flush()
        except OSError as error:
            raise OutputError(
                f"{self._folder}: cannot write a temporary file there ({error.strerror}); "
                "free some space and render again."
            ) from error
        self.samples += len(block)

    def blocks(self) -> Iterator[Block]:
        """Read the sound from its start: blocks of (:data:`BLOCK_SAMPLES`, 2), the last one shorter."""
        frame_bytes = 2 * 4
        for start in range(0, self.samples, BLOCK_SAMPLES):
            count = min(BLOCK_SAMPLES, self.samples - start)
            # pread: concurrent readers share no file position.
            data = os.pread(self._file.fileno(), count * frame_bytes, start * frame_bytes)
            yield np.frombuffer(data, np.float32).reshape(count, 2)

    def close(self) -> None:
        """Remove the file."""
        self._file.close()

    def __enter__(self) -> Spool:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
