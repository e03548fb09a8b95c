"""False headers: endless, empty or negative sizes, impossible rates and channels, nested chunks."""

from __future__ import annotations

import struct
from collections.abc import Iterator

_SIZES = (0, 1, 0x7FFF_FFFF, 0x7FFF_F000, 0x8000_0000, 0xFFFF_FFFE, 0xFFFF_FFFF)
_CHANNELS = (0, 1, 3, 255, 1024, 65_535)
_RATES = (0, 1, 7_999, 192_001, 0x7FFF_FFFF, 0xFFFF_FFFF)
_SOUND = bytes(range(256)) * 64


def _chunk(name: bytes, body: bytes, size: int | None = None, order: str = "<") -> bytes:
    return name + struct.pack(order + "I", len(body) if size is None else size) + body


def _wav(
    *,
    form: int = 1,
    channels: int = 1,
    rate: int = 8000,
    align: int = 2,
    bits: int = 16,
    data_size: int | None = None,
    riff_size: int | None = None,
    between: bytes = b"",
    kind: bytes = b"RIFF",
) -> bytes:
    fmt = struct.pack("<HHIIHH", form, channels, rate, (rate * align) & 0xFFFF_FFFF, align, bits)
    body = b"WAVE" + _chunk(b"fmt ", fmt) + between + _chunk(b"data", _SOUND, data_size)
    return _chunk(kind, body, riff_size)


def _aiff(channels: int, frames: int, bits: int, rate: bytes, ssnd: int | None = None) -> bytes:
    common = struct.pack(">HIH", channels, frames, bits) + rate
    sound = _chunk(b"SSND", bytes(8) + _SOUND, ssnd, ">")
    return _chunk(b"FORM", b"AIFF" + _chunk(b"COMM", common, None, ">") + sound, None, ">")


def _flac(least: int, most: int, rate: int, channels: int, bits: int, total: int) -> bytes:
    packed = (rate & 0xFFFFF) << 44 | (channels - 1 & 7) << 41 | (bits - 1 & 31) << 36 | total & (1 << 36) - 1
    info = struct.pack(">HH", least, most) + bytes(6) + packed.to_bytes(8, "big") + bytes(16)
    return b"fLaC\x80\x00\x00\x22" + info + b"\xff\xf8\xc9\x18\x00\xc2" + _SOUND


def lies() -> Iterator[tuple[str, bytes]]:
    """Files as names with endings, and bytes."""
    for size in _SIZES:
        yield f"data of {size}.wav", _wav(data_size=size)
        yield f"riff of {size}.wav", _wav(riff_size=size)
        yield f"first chunk of {size}.wav", _wav(between=_chunk(b"junk", b"x" * 64, size))
        yield f"ssnd of {size}.aiff", _aiff(1, 8192, 16, _EIGHT_KHZ, size)
        yield f"frames {size}.aiff", _aiff(1, size, 16, _EIGHT_KHZ)
        yield f"ds64 of {size}.wav", _rf64(size << 32 | size, size)
        yield (
            f"id3 of {size}.mp3",
            b"ID3\x04\x00\x00" + bytes(b & 0x7F for b in struct.pack(">I", size)) + _MP3,
        )
    for channels in _CHANNELS:
        yield f"{channels} channels.wav", _wav(channels=channels)
        yield f"{channels} channels, aligned.wav", _wav(channels=channels, align=(channels * 2) & 0xFFFF)
        yield f"{channels} channels.aiff", _aiff(channels, 8192, 16, _EIGHT_KHZ)
    for rate in _RATES:
        yield f"{rate} Hz.wav", _wav(rate=rate)
        yield f"{rate} Hz.flac", _flac(4096, 4096, rate, 1, 16, 8192)
    for bits in (0, 1, 7, 24, 63, 65_535):
        yield f"{bits} bits.wav", _wav(bits=bits)
        yield f"{bits} bits.aiff", _aiff(1, 8192, bits, _EIGHT_KHZ)
        yield f"{bits} bits.flac", _flac(16, 65_535, 8000, 8, bits, (1 << 36) - 1)
    for form in (0, 2, 3, 6, 7, 0x11, 0x31, 0x40, 0x45, 0x50, 0x55, 0x64, 0x92, 0xF1AC, 0xFFFE, 0xFFFF):
        yield f"encoding {form:#x}.wav", _wav(form=form)
        yield f"encoding {form:#x}, no frame.wav", _wav(form=form, align=0, bits=0)
    for name, rate in (
        ("zero", bytes(10)),
        ("endless", b"\x7f\xff" + bytes(8)),
        ("nan", b"\x7f" + b"\xff" * 9),
    ):
        yield f"{name} Hz.aiff", _aiff(1, 8192, 16, rate)
    nested = b""
    for _ in range(2000):
        nested = _chunk(b"LIST", b"INFO" + nested)
    yield "chunks in chunks.wav", _wav(between=nested)
    yield "empty chunks.wav", _wav(between=bytes(8) * 20_000)
    yield "a chunk that points back.wav", _wav(between=_chunk(b"junk", b"", 0xFFFF_FFF0))
    yield "many formats.wav", _wav(between=_chunk(b"fmt ", bytes(16)) * 500)
    yield "a page without end.ogg", b"OggS\x00\x02" + bytes(20) + b"\xff" + b"\xff" * 255 + _SOUND * 5
    yield (
        "pages without sound.ogg",
        (b"OggS\x00\x02" + bytes(20) + b"\x01\x00") * 4000 + b"OggS\x00\x04" + bytes(22),
    )
    yield "a table of blocks.flac", b"fLaC" + b"\x00\xff\xff\xff" + bytes(1000)
    yield "tables without end.flac", b"fLaC" + (b"\x04\x00\x00\x08" + bytes(8)) * 5000
    yield "a comment of 4 GB.flac", b"fLaC" + b"\x84\x00\x00\x08" + b"\xff" * 8
    for kind in (b"RIFX", b"RF64", b"FFIR", b"riff", b"BW64"):
        yield f"kind {kind.decode()}.wav", _wav(kind=kind)


def _rf64(sound: int, frames: int) -> bytes:
    ds64 = struct.pack("<QQQI", 1 << 40, sound & (1 << 64) - 1, frames, 0xFFFF_FFFF)
    fmt = _chunk(b"fmt ", struct.pack("<HHIIHH", 1, 1, 8000, 16_000, 2, 16))
    body = b"WAVE" + _chunk(b"ds64", ds64) + fmt + _chunk(b"data", _SOUND, 0xFFFF_FFFF)
    return _chunk(b"RF64", body, 0xFFFF_FFFF)


_EIGHT_KHZ = b"\x40\x0b\xfa\x00" + bytes(6)
_MP3 = b"\xff\xfb\x90\x64" + bytes(413)
