"""The header of a WAV file, and a better one where the file's own would hide sound.

Programs that stream into a pipe cannot come back to fill in sizes: they leave 0, 0x80000000 or almost 4 GB.
Others write a few bytes too many, put an ID3 tag in front, or call RF64 by its newer name. The sound is there
in all of these; libsndfile reads it behind a header that says so.

Sources: Multimedia Programming Interface 1.0 (RIFF, RIFX), EBU Tech 3306 (RF64), ITU-R BS.2088 (BW64).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import BinaryIO

from appliance.audio.pieces import Pieces, Stretch

_STREAMED_FROM = 0x7FFF0000
"""A declared size from here on that the file does not hold was written before the end was known."""

_FORGIVEN_BYTES = 100
"""Fewer missing bytes than this are a miscounted header, not sound: less than a millisecond."""

_MOST_CHUNKS = 10_000
_LARGEST_RIFF = 0xFFFFFFFF
_MPEG_TAGS = (0x50, 0x55)
"""Format tags of MPEG audio inside a WAV."""


@dataclass(frozen=True, slots=True)
class WavHeader:
    """Where the sound lies: ``data`` as far as the file holds it, ``format`` from the ``fmt`` chunk.

    ``trouble`` says in a clause why the file is incomplete. ``ordinary``: libsndfile reads the file itself.
    """

    format: bytes
    data: Stretch
    big_endian: bool
    ordinary: bool
    trouble: str | None = None

    @property
    def is_mpeg(self) -> bool:
        """Whether the sound is an MP3 stream."""
        return int.from_bytes(self.format[:2], "little") in _MPEG_TAGS

    def readable(self, file: BinaryIO) -> Pieces:
        """The same sound behind a header that declares all of it."""
        order = "big" if self.big_endian else "little"
        form = self.format + bytes(len(self.format) % 2)

        def chunk(name: bytes, length: int) -> bytes:
            return name + length.to_bytes(4, order)  # type: ignore[arg-type]

        body = b"WAVE" + chunk(b"fmt ", len(self.format)) + form
        whole = len(body) + 8 + self.data.length
        if whole <= _LARGEST_RIFF:
            head = chunk(b"RIFX" if self.big_endian else b"RIFF", whole) + body
            head += chunk(b"data", self.data.length)
        else:
            ds64 = chunk(b"ds64", 28) + (whole + 36).to_bytes(8, "little")
            ds64 += self.data.length.to_bytes(8, "little") + bytes(12)
            head = chunk(b"RF64", _LARGEST_RIFF) + b"WAVE" + ds64 + body[4:] + chunk(b"data", _LARGEST_RIFF)
        return Pieces(file, [head, self.data])


def read_wav_header(file: BinaryIO, size: int, offset: int) -> WavHeader | None:
    """The header of the WAV that begins at ``offset``; None where it has no format or no sound."""
    file.seek(offset)
    kind = file.read(12)[:4]
    big_endian = kind == b"RIFX"
    form = b""
    large = 0
    position = offset + 12
    for _ in range(_MOST_CHUNKS):
        if position + 8 > size:
            break
        file.seek(position)
        name, raw = file.read(4), file.read(4)
        length = int.from_bytes(raw, "big" if big_endian else "little")
        if name == b"fmt ":
            form = file.read(min(length, 4096))
        elif name == b"ds64":
            large = int.from_bytes(file.read(24)[8:16], "little")
        elif name == b"data":
            if kind in (b"RF64", b"BW64") and length == _LARGEST_RIFF:
                length = large
            return _header(file, size, position + 8, length, form, kind, offset) if form else None
        position += 8 + length + length % 2
    return None


def _header(
    file: BinaryIO, size: int, start: int, declared: int, form: bytes, kind: bytes, offset: int
) -> WavHeader:
    held = size - start
    block = max(1, int.from_bytes(form[12:14], "big" if kind == b"RIFX" else "little"))
    ordinary = kind != b"BW64" and offset == 0
    length, trouble = declared, None
    if declared == 0 and held > 1 and not _is_chunk(file, start):
        length, ordinary = held, False
    elif declared > held:
        length, ordinary = held, False
        if declared < _STREAMED_FROM and declared - held >= _FORGIVEN_BYTES:
            trouble = f"its header declares {declared:,} bytes of sound but the file holds {held:,}"
    elif not chunks_follow(file, size, start + declared + declared % 2):
        trouble = f"its header declares {declared:,} bytes of sound, but something else than a chunk follows"
    if not ordinary:
        length -= length % block
    big_endian = kind == b"RIFX"
    return WavHeader(form, Stretch(start, length), big_endian, ordinary, trouble)


def chunks_follow(file: BinaryIO, size: int, position: int) -> bool:
    """Whether the file ends at ``position``, or goes on with a chunk, padding or a tag.

    Otherwise the size that led there is damaged: what follows is the rest of the sound.
    """
    file.seek(position)
    rest = file.read(8)
    if len(rest) < 8 or not rest.strip(b"\0") or rest[:3] in (b"TAG", b"ID3"):
        return True
    return _is_chunk(file, position)


def _is_chunk(file: BinaryIO, position: int) -> bool:
    """Whether another chunk begins there: four printable characters, and a size inside the file."""
    file.seek(position)
    head = file.read(8)
    return len(head) == 8 and all(0x20 <= byte < 0x7F for byte in head[:4])
