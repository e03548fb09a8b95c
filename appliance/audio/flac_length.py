"""How many samples a FLAC file holds, by its last frame.

An encoder that writes into a pipe leaves the length out of the first block, and damage can make it smaller:
then a decoder stops early without a word. The last frame's header says where it begins and how long it is.

Source: RFC 9639 (section 9.1, frame header; section 8.2, streaminfo).
"""

from __future__ import annotations

from typing import BinaryIO

_STREAMINFO_BYTES = 34
_TAIL_BYTES = 1 << 20
"""More than any frame of 65,535 samples in two channels of 24 bits takes."""

_BLOCK_SAMPLES = {1: 192, **{code: 576 << code - 2 for code in (2, 3, 4, 5)}}
_BLOCK_SAMPLES |= {code: 256 << code - 8 for code in range(8, 16)}


def declared_samples(file: BinaryIO, start: int) -> tuple[bytes, int] | None:
    """The streaminfo block of the FLAC at ``start``, and how many samples it declares (0: unknown)."""
    file.seek(start)
    head = file.read(8 + _STREAMINFO_BYTES)
    if len(head) < 8 + _STREAMINFO_BYTES or head[4] & 0x7F:
        return None
    info = head[8:]
    return info, int.from_bytes(info[13:18], "big") & (1 << 36) - 1


def with_samples(info: bytes, samples: int) -> bytes:
    """The streaminfo block with another length."""
    packed = int.from_bytes(info[13:18], "big") >> 36 << 36 | samples
    return info[:13] + packed.to_bytes(5, "big") + info[18:]


def held_samples(file: BinaryIO, size: int, info: bytes) -> int | None:
    """Samples per channel up to the end of the last frame that can be found; None where there is none."""
    block = int.from_bytes(info[0:2], "big") if info[0:2] == info[2:4] else 0
    start = max(0, size - _TAIL_BYTES)
    file.seek(start)
    tail = file.read(size - start)
    at = len(tail)
    while (at := tail.rfind(b"\xff", 0, at)) >= 0:
        end = _end_of_frame(tail[at : at + 16], block)
        if end is not None:
            return end
    return None


def _end_of_frame(head: bytes, fixed_block: int) -> int | None:
    """The sample behind the frame whose header ``head`` begins with; None where it is no header."""
    if len(head) < 6 or head[1] & 0xFE != 0xF8:
        return None
    size_code, rate_code = head[2] >> 4, head[2] & 15
    if size_code == 0 or rate_code == 15 or head[3] >> 4 > 10 or head[3] & 1:
        return None
    number = _coded_number(head, 4)
    if number is None:
        return None
    value, at = number
    extra = {6: 1, 7: 2}.get(size_code, 0)
    samples = _BLOCK_SAMPLES.get(size_code) or int.from_bytes(head[at : at + extra], "big") + 1
    at += extra + {12: 1, 13: 2, 14: 2}.get(rate_code, 0)
    if len(head) <= at or _crc8(head[:at]) != head[at]:
        return None
    if head[1] & 1:
        return value + samples  # variable block size: the number of the first sample
    return value * (fixed_block or samples) + samples


def _coded_number(head: bytes, at: int) -> tuple[int, int] | None:
    """A number coded as UTF-8 does, up to 36 bits, and where it ends."""
    first = head[at]
    if first < 0x80:
        return first, at + 1
    more = 8 - len(f"{first ^ 0xFF:08b}".lstrip("0")) - 1
    if not 1 <= more <= 6 or len(head) < at + 1 + more:
        return None
    value = first & (1 << 6 - more) - 1
    for byte in head[at + 1 : at + 1 + more]:
        if byte & 0xC0 != 0x80:
            return None
        value = value << 6 | byte & 0x3F
    return value, at + 1 + more


def _crc8(data: bytes) -> int:
    """Polynomial x^8 + x^2 + x + 1."""
    register = 0
    for byte in data:
        register ^= byte
        for _ in range(8):
            register = register << 1 ^ (0x107 if register & 0x80 else 0)
    return register & 0xFF
