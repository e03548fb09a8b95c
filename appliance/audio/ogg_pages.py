"""The pages of an Ogg file: each checked, and the links of a chained file told apart.

Decoders of Ogg drop a damaged page and go on, so that sound is missing, and libsndfile ends at the second
link of a chain. This walk checks every page's checksum and number, and says where each link begins.

Source: RFC 3533 (page header, checksum), RFC 7845 (Opus: granules are samples at 48 kHz).
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import BinaryIO, NamedTuple

from appliance.audio.pieces import Stretch

_CAPTURE = b"OggS"
_CONTINUED, _FIRST, _LAST = 1, 2, 4
_HEADER_BYTES = 27
_NO_GRANULE = (1 << 64) - 1
_REVERSED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


class Page(NamedTuple):
    """One page: where it lies, its flags, its stream's serial number, its own number, its granule."""

    start: int
    length: int
    flags: int
    granule: int
    serial: int
    number: int


@dataclass(frozen=True, slots=True)
class Pages:
    """The links of a file, and, where something is wrong, a clause that says what and the second at which.

    ``ended``: the last page says that it is the last.
    """

    links: tuple[Stretch, ...]
    trouble: str | None = None
    ended: bool = True


def find_pages(file: BinaryIO, size: int) -> Pages:
    """Walk through all pages of ``file``."""
    links: list[Stretch] = []
    position, link_start, link_begun = 0, 0, False
    numbers: dict[int, int] = {}
    clock = _Clock()
    ended = False
    while position < size:
        page = _page_at(file, size, position)
        if page is None:
            if _is_padding(file, position, size):
                break
            return Pages(tuple(links), f"it is damaged at {clock.seconds:.1f} s")
        if isinstance(page, str):
            return Pages(tuple(links), f"{page} at {clock.seconds:.1f} s")
        if page.flags & _FIRST:
            if link_begun and not clock.in_headers:
                links.append(Stretch(link_start, position - link_start))
                link_start, numbers = position, {}
                clock = _Clock(clock.seconds)
            link_begun = True
        elif numbers.get(page.serial, -1) + 1 != page.number:
            return Pages(tuple(links), f"a part of it is missing at {clock.seconds:.1f} s")
        numbers[page.serial] = page.number
        clock.read(file, page)
        position += page.length
        ended = bool(page.flags & _LAST)
    links.append(Stretch(link_start, position - link_start))
    return Pages(tuple(links), None if link_begun else "it has no first page", ended)


def with_end(file: BinaryIO, link: Stretch) -> list[Stretch | bytes]:
    """The link with its last page marked as the last, which some writers leave out and decoders want."""
    position, last = link.start, link.start
    while position < link.start + link.length:
        page = _page_at(file, link.start + link.length, position)
        assert isinstance(page, Page)
        last, position = position, position + page.length
    file.seek(last)
    page_bytes = bytearray(file.read(position - last))
    page_bytes[5] |= _LAST
    page_bytes[22:26] = _checksum(bytes(page_bytes)).to_bytes(4, "little")
    return [Stretch(link.start, last - link.start), bytes(page_bytes)]


class _Clock:
    """Seconds of sound so far, by granules and the rate that the first packet names."""

    def __init__(self, before_s: float = 0.0) -> None:
        self._before_s = before_s
        self._rate_hz = 0
        self._serial: int | None = None
        self.seconds = before_s
        self.in_headers = True
        """Whether no page with sound has come yet."""

    def read(self, file: BinaryIO, page: Page) -> None:
        """Take note of a page."""
        if page.flags & _FIRST and self._serial is None:
            file.seek(page.start)
            body = file.read(page.length)[_HEADER_BYTES:]
            packet = body[1:] if body[:1] == b"\x01" else body  # one segment
            if packet[:7] == b"\x01vorbis":
                self._rate_hz = int.from_bytes(packet[12:16], "little")
            elif packet[:8] == b"OpusHead":
                self._rate_hz = 48_000
            elif packet[:5] == b"\x7fFLAC":
                self._rate_hz = int.from_bytes(packet[27:30], "big") >> 4
            self._serial = page.serial
        if page.serial == self._serial and page.granule not in (0, _NO_GRANULE):
            self.in_headers = False
            if self._rate_hz:
                self.seconds = self._before_s + page.granule / self._rate_hz


def _page_at(file: BinaryIO, size: int, position: int) -> Page | str | None:
    """The page at ``position``; a clause for one that is incomplete or damaged; None where there is none."""
    file.seek(position)
    head = file.read(_HEADER_BYTES + 255)
    if head[:4] != _CAPTURE:
        return None
    if len(head) < _HEADER_BYTES or len(head) < _HEADER_BYTES + head[26]:
        return "its last page is incomplete"
    length = _HEADER_BYTES + head[26] + sum(head[_HEADER_BYTES : _HEADER_BYTES + head[26]])
    if position + length > size:
        return "its last page is incomplete"
    file.seek(position)
    page = file.read(length)
    if _checksum(page) != int.from_bytes(page[22:26], "little"):
        return "it is damaged"
    return Page(
        position,
        length,
        page[5],
        int.from_bytes(page[6:14], "little"),
        int.from_bytes(page[14:18], "little"),
        int.from_bytes(page[18:22], "little"),
    )


def _checksum(page: bytes) -> int:
    """CRC-32 of a page with its own field as zeros: polynomial 0x04c11db7, bits as they come.

    zlib's runs with reversed bits; reversing bytes before and the result after makes them one.
    """
    blank = page[:22] + bytes(4) + page[26:]
    register = zlib.crc32(blank.translate(_REVERSED), 0xFFFFFFFF) ^ 0xFFFFFFFF
    return int(f"{register:032b}"[::-1], 2)


def _is_padding(file: BinaryIO, position: int, size: int) -> bool:
    file.seek(position)
    rest = file.read(min(size - position, 1 << 24))
    return not rest.strip(b"\0") or rest[:3] == b"TAG"
