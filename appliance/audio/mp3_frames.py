"""The frames of an MP3 file, found again behind whatever is not one.

Decoders stop, or guess, where frame does not follow frame: at a damaged header, a second tag, padding that no
tag counts, the middle of a frame at the start. This walk finds the next frame, says what lies between, and
puts the frames into a new stream with a length of its own, a silent frame in each lost one's place.

Sources: ISO/IEC 11172-3 (frame header, side information), ID3v2.4.0, ID3v1, APEv2, Lyrics3v2, and the
de-facto Xing/Info frame.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import BinaryIO, NamedTuple

from appliance.audio.pieces import Pieces, Stretch

_KBIT_PER_S = {
    3: (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    2: (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    0: (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
"""Layer III bit rates, indexed by the frame's version bits: 3 is MPEG-1, 2 MPEG-2, 0 MPEG-2.5."""

_RATES_HZ = {3: (44_100, 48_000, 32_000), 2: (22_050, 24_000, 16_000), 0: (11_025, 12_000, 8_000)}

_SEARCH_BYTES = 1 << 16
_SYNC_FRAMES = 3
"""So many frames in a row are a stream; two can be chance."""

_LONGEST_FRAME_BYTES = 1_441
_TRAILING_TAGS = (b"TAG", b"APETAGEX", b"LYRICSBEGIN", b"ID3")


class Header(NamedTuple):
    """What a frame says of itself: version bits, rate in Hz, mono, bytes of the frame, samples a channel."""

    version: int
    rate_hz: int
    mono: bool
    length: int
    samples: int

    @property
    def side_bytes(self) -> int:
        """Bytes of the side information behind header and checksum."""
        if self.version == 3:
            return 17 if self.mono else 32
        return 9 if self.mono else 17

    def like(self, other: Header) -> bool:
        """Whether both can be frames of one stream."""
        return (self.version, self.rate_hz, self.mono) == (other.version, other.rate_hz, other.mono)


class Gap(NamedTuple):
    """``length`` bytes at ``start`` without frames, in place of ``lost`` frames, behind ``after`` others."""

    start: int
    length: int
    lost: int
    after: int


@dataclass(slots=True)
class Frames:
    """The stream: ``first`` header, its frames in stretches with the number of each, and what is between.

    ``declared`` counts the frames that Info frames promise, ``declared_end`` is where the last one's stream
    should end; both are None without one. ``incomplete``: the last frame ends behind the file. ``rest``:
    where bytes begin that are neither frames nor a known tag.
    """

    first: Header
    stretches: list[Stretch] = field(default_factory=list)
    counts: list[int] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)
    info: Stretch | None = None
    declared: int | None = None
    declared_end: int | None = None
    incomplete: bool = False
    rest: int | None = None

    @property
    def count(self) -> int:
        """Frames of sound, lost ones included."""
        return sum(self.counts) + sum(gap.lost for gap in self.gaps)

    def seconds(self, frames: int) -> float:
        """When the frame with this number begins."""
        return frames * self.first.samples / self.first.rate_hz


def header_at(head: bytes) -> Header | None:
    """The frame header in the first four bytes of ``head``; None where there is none of layer III."""
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return None
    version, layer = head[1] >> 3 & 3, head[1] >> 1 & 3
    bitrate, rate = head[2] >> 4, head[2] >> 2 & 3
    if version == 1 or layer != 1 or bitrate in (0, 15) or rate == 3 or head[3] & 3 == 2:
        return None
    samples, rate_hz = 1152 if version == 3 else 576, _RATES_HZ[version][rate]
    length = samples // 8 * 1000 * _KBIT_PER_S[version][bitrate] // rate_hz + (head[2] >> 1 & 1)
    return Header(version, rate_hz, head[3] >> 6 == 3, length, samples)


def after_tags(file: BinaryIO, position: int = 0) -> int:
    """Where the sound may begin: behind all ID3v2 tags from ``position`` on, and zeros behind them."""
    while True:
        head = _at(file, position, 10)
        if len(head) < 10 or head[:3] != b"ID3":
            break
        length = sum((byte & 0x7F) << shift for byte, shift in zip(head[6:], (21, 14, 7, 0), strict=True))
        position += 10 + length + (10 if head[5] & 0x10 else 0)
        while (padding := _at(file, position, 4096)) and not padding.strip(b"\0"):
            position += len(padding)
        position += len(padding) - len(padding.lstrip(b"\0"))
    return position


def find_frames(file: BinaryIO, size: int) -> Frames | None:
    """All frames of ``file``; None where there is no stream of layer III."""
    position = _next_frame(file, size, after_tags(file), None)
    if position is None:
        return None
    first = header_at(_at(file, position, 4))
    assert first is not None
    frames = Frames(first)
    position = _read_info(file, frames, position)
    start, count = position, 0

    def close(position: int) -> None:
        if count:
            frames.stretches.append(Stretch(start, position - start))
            frames.counts.append(count)

    while position < size:
        header = header_at(_at(file, position, 4))
        if header is not None and header.like(first) and position + header.length <= size:
            position += header.length
            count += 1
            continue
        close(position)
        if header is not None and header.like(first):
            frames.incomplete = not _tag_inside(file, position, size)
            return frames
        following = _next_frame(file, size, position + 1, first)
        if following is None:
            frames.rest = _behind(file, position, size)
            return _with_lost_as_declared(frames)
        if not _is_tag(file, position, following):
            lost = _lost(following - position, frames, count)
            frames.gaps.append(Gap(position, following - position, lost, sum(frames.counts)))
            frames.stretches.append(Stretch(position, 0))  # marks the place
            frames.counts.append(0)
        position = _read_info(file, frames, following)
        start, count = position, 0
    close(position)
    return _with_lost_as_declared(frames)


def _with_lost_as_declared(frames: Frames) -> Frames:
    """Where an Info frame counts the frames, one gap is known exactly."""
    if frames.declared is not None and len(frames.gaps) == 1:
        lost = frames.declared - sum(frames.counts)
        if 0 < lost <= 2 * frames.gaps[0].lost:
            frames.gaps = [frames.gaps[0]._replace(lost=lost)]
    return frames


def _lost(length: int, frames: Frames, count: int) -> int:
    """How many frames ``length`` bytes were, by the mean of those before."""
    total, number = sum(s.length for s in frames.stretches), sum(frames.counts)
    mean = total / number if number else frames.first.length
    return max(1, round(length / mean))


def whole_stream(file: BinaryIO, frames: Frames) -> Pieces:
    """The frames with an Info frame of our own in front, so that a decoder need not guess the length."""
    head = _at(file, next(stretch.start for stretch in frames.stretches if stretch.length), 4)
    silent = _silent_frame(head)
    pieces: list[Stretch | bytes] = []
    gaps = iter(frames.gaps)
    for stretch in frames.stretches:
        pieces.append(stretch if stretch.length else silent * next(gaps).lost)
    total = sum(len(piece) if isinstance(piece, bytes) else piece.length for piece in pieces)
    info = _info_frame(head, frames.count, total) if frames.info is None else _own_info(file, frames, total)
    return Pieces(file, [info, *pieces])


def _own_info(file: BinaryIO, frames: Frames, total: int) -> bytes:
    """The file's Info frame, which also knows the encoder's delay, with its counts put right."""
    assert frames.info is not None
    info = bytearray(_at(file, *frames.info))
    at = 4 + frames.first.side_bytes + 4
    flags = info[at + 3]
    at += 4
    if flags & 1:
        info[at : at + 4] = frames.count.to_bytes(4, "big")
        at += 4
    if flags & 2:
        info[at : at + 4] = (total + len(info)).to_bytes(4, "big")
    return bytes(info)


def _frame(head: bytes) -> tuple[bytes, Header]:
    """A header of 128 kbit/s (64 below MPEG-1) without checksum or padding, otherwise like ``head``."""
    kbit = 9 if head[1] >> 3 & 3 == 3 else 8
    made = bytes((0xFF, head[1] | 1, kbit << 4 | head[2] & 0x0C, head[3] & 0xCF))
    header = header_at(made)
    assert header is not None
    return made, header


def _silent_frame(head: bytes) -> bytes:
    """A frame whose side information says that it holds nothing."""
    made, header = _frame(head)
    return made + bytes(header.length - 4)


def _info_frame(head: bytes, count: int, total: int) -> bytes:
    made, header = _frame(head)
    tag = b"Info" + (3).to_bytes(4, "big") + count.to_bytes(4, "big")
    tag += (total + header.length).to_bytes(4, "big")
    body = made + bytes(header.side_bytes) + tag
    return body + bytes(header.length - len(body))


def _read_info(file: BinaryIO, frames: Frames, position: int) -> int:
    """Takes note of an Info frame at ``position``; where the sound goes on."""
    header = header_at(_at(file, position, 4))
    if header is None:
        return position
    tag = _at(file, position + 4 + header.side_bytes, 12)
    if tag[:4] not in (b"Xing", b"Info") or len(tag) < 12:
        return position
    if tag[7] & 1:
        frames.declared = (frames.declared or 0) + int.from_bytes(tag[8:12], "big")
    if tag[7] & 2:
        at = position + 4 + header.side_bytes + (12 if tag[7] & 1 else 8)
        frames.declared_end = position + int.from_bytes(_at(file, at, 4), "big")
    if frames.info is None:
        frames.info = Stretch(position, header.length)
    return position + header.length


def _next_frame(file: BinaryIO, size: int, position: int, like: Header | None) -> int | None:
    """Where the next stream begins: frames in a row, or one that ends the file or stands before a tag."""
    while position < size:
        block = _at(file, position, _SEARCH_BYTES)
        at = block.find(b"\xff")
        while 0 <= at < len(block) - 3 or (at >= 0 and position + len(block) >= size):
            if _is_stream(file, size, position + at, like):
                return position + at
            at = block.find(b"\xff", at + 1)
        position += max(1, len(block) - 3)
    return None


def _is_stream(file: BinaryIO, size: int, position: int, like: Header | None) -> bool:
    for _ in range(_SYNC_FRAMES):
        header = header_at(_at(file, position, 4))
        if header is None or (like is not None and not header.like(like)):
            return False
        like = like or header
        position += header.length
        if position == size:
            return True
        if position > size or _at(file, position, 11).startswith(_TRAILING_TAGS):
            return position <= size
    return True


def _is_tag(file: BinaryIO, position: int, following: int) -> bool:
    """Whether all from ``position`` to the next frame is a tag or padding, as between joined files."""
    start = position
    if _at(file, start, 3) == b"TAG":
        start += 128
    return after_tags(file, start) >= following or not _at(file, start, following - start).strip(b"\0")


def _tag_inside(file: BinaryIO, position: int, size: int) -> bool:
    """Whether the bytes that look like an incomplete frame are a tag that happens to begin like one."""
    return _at(file, position, 11).startswith(_TRAILING_TAGS)


def _behind(file: BinaryIO, position: int, size: int) -> int | None:
    """None where all behind the last frame is tags and zeros, else where something else begins."""
    rest = _at(file, position, min(size - position, 1 << 24))
    stripped = rest.lstrip(b"\0")
    if not stripped or stripped.startswith(_TRAILING_TAGS):
        return None
    return position + len(rest) - len(stripped)


def _at(file: BinaryIO, position: int, count: int) -> bytes:
    file.seek(position)
    return file.read(count)
