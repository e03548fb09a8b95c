"""A file put together from pieces of another file and from bytes of our own.

libsndfile reads what lies on the disk; some recordings need another header, or lack some bytes in the middle.
Nothing is copied: a read takes what it needs from the pieces.
"""

from __future__ import annotations

import io
import os
from bisect import bisect_right
from collections.abc import Iterable
from typing import BinaryIO, NamedTuple


class Stretch(NamedTuple):
    """``length`` bytes of the file from ``start`` on."""

    start: int
    length: int


class Pieces(io.RawIOBase):
    """Stretches of ``file`` and literal bytes, one after the other, as a file to read and to seek in."""

    def __init__(self, file: BinaryIO, pieces: Iterable[Stretch | bytes]) -> None:
        super().__init__()
        self._file = file
        self._pieces = [piece for piece in pieces if _length(piece)]
        self._starts: list[int] = []
        end = 0
        for piece in self._pieces:
            self._starts.append(end)
            end += _length(piece)
        self._size = end
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._size}[whence]
        self._position = max(0, base + offset)
        return self._position

    def readinto(self, buffer: object) -> int:
        view = memoryview(buffer).cast("B")  # type: ignore[arg-type]
        filled = 0
        while filled < len(view) and self._position < self._size:
            number = bisect_right(self._starts, self._position) - 1
            piece, inside = self._pieces[number], self._position - self._starts[number]
            count = min(len(view) - filled, _length(piece) - inside)
            if isinstance(piece, bytes):
                data = piece[inside : inside + count]
            else:
                self._file.seek(piece.start + inside)
                data = self._file.read(count)
                if not data:
                    break  # the file has become shorter
            view[filled : filled + len(data)] = data
            filled += len(data)
            self._position += len(data)
        return filled


def _length(piece: Stretch | bytes) -> int:
    return len(piece) if isinstance(piece, bytes) else piece.length
