"""Streams of sample blocks: recut to one size, or kept on disk to be read several times.

Everything that hears sound takes an iterable of blocks, so that an hour costs the memory of a second. A
block is (n, C) float32: n samples of C channels at 44.1 kHz. Filters recut what they are given, so that
their results do not depend on how the caller happened to cut it.
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
"""Usual samples a block (1.49 s)."""


def recut(blocks: Iterable[NDArray[Real]], block_samples: int = BLOCK_SAMPLES) -> Iterator[NDArray[Real]]:
    """The same samples in blocks of ``block_samples``; the last block may be shorter, none is empty.

    Shape: (n, C) or (n,) in, (``block_samples``, C) or (``block_samples``,) out.
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
    """The first ``samples`` samples of ``blocks``, with silence behind them where there are fewer.

    Shape: (n, C) or (n,) in and out, the n adding up to ``samples``. At least one block must come in.
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
    """Stereo sound kept in an unnamed file, to be read as often as needed.

    ``folder`` is where the file lies (hidden, gone when closed or when the process dies); a minute
    takes 21 MB. Raises OutputError when the disk is full.
    """

    def __init__(self, folder: Path) -> None:
        try:
            self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - closed by close()
        except OSError as error:
            raise OutputError(f"No working file can be made in {folder}: {error.strerror}.") from error
        self._folder = folder
        self.samples = 0

    def append(self, block: Block) -> None:
        """Adds ``block``, (n, 2) float32."""
        try:
            self._file.write(np.ascontiguousarray(block, np.float32).data)
            self._file.flush()
        except OSError as error:
            raise OutputError(
                f"The disk of {self._folder} has no room for the working sound ({error.strerror}); "
                "free some space and render again."
            ) from error
        self.samples += len(block)

    def blocks(self) -> Iterator[Block]:
        """The sound from its start: blocks of (:data:`BLOCK_SAMPLES`, 2), the last one shorter."""
        frame_bytes = 2 * 4
        for start in range(0, self.samples, BLOCK_SAMPLES):
            count = min(BLOCK_SAMPLES, self.samples - start)
            # Two readers, in threads perhaps, share no place in the file.
            data = os.pread(self._file.fileno(), count * frame_bytes, start * frame_bytes)
            yield np.frombuffer(data, np.float32).reshape(count, 2)

    def close(self) -> None:
        """Frees the disk space."""
        self._file.close()

    def __enter__(self) -> Spool:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
