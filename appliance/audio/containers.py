"""Audio containers: recognise one by its first bytes, and detect a file whose end is missing.

libsndfile silently shortens a truncated file. Backline must refuse a half-copied recording, so this module
compares the sizes in the header with the file before decoding starts.

Sources: Multimedia Programming Interface 1.0 (RIFF), EBU Tech 3306 (RF64), Audio Interchange File
Format 1.3 (AIFF), RFC 3533 (Ogg), ID3v2.4.0, and the de-facto Xing/Info frame of MP3 encoders. FLAC
needs no check here: its decoder reports a missing end. An MP3 without an Info frame declares no size; there,
only an incomplete last frame shows that the file was cut.
"""

from __future__ import annotations

from typing import BinaryIO

_SIZE_UNKNOWN = (0xFFFFFFFF, 0x7FFFF000, 0x7FFFFFFF)
"""Placeholder sizes of programs that stream into a pipe and cannot fill in the size afterwards."""

_MP3_KBIT_PER_S = {
    3: (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    2: (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    0: (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
"""Layer III bit rates, indexed by the frame's version bits: 3 is MPEG-1, 2 MPEG-2, 0 MPEG-2.5."""

_MP3_RATES_HZ = {3: (44_100, 48_000, 32_000), 2: (22_050, 24_000, 16_000), 0: (11_025, 12_000, 8_000)}

_OGG_TAIL_BYTES = 70_000
"""Larger than any Ogg page (65,307 bytes): the last page begins within these last bytes."""


def container_of(file: BinaryIO) -> str | None:
    """Recognise ``WAV``, ``AIFF``, ``FLAC``, ``OGG`` or ``MP3`` by the first bytes; None for others."""
    head = _at(file, 0, 12)
    if head[:4] in (b"RIFF", b"RIFX", b"RF64") and head[8:] == b"WAVE":
        return "WAV"
    if head[:4] == b"FORM" and head[8:] in (b"AIFF", b"AIFC"):
        return "AIFF"
    if head[:4] == b"OggS":
        return "OGG"
    head = _at(file, _after_id3(file), 4)
    if head == b"fLaC":
        return "FLAC"
    return "MP3" if _is_mpeg_header(head) else None


def cut_short(file: BinaryIO, size: int, container: str) -> str | None:
    """Say in a clause why the file of ``size`` bytes is incomplete; None if it is complete."""
    if container == "WAV":
        return _cut_wav(file, size)
    if container == "AIFF":
        return _cut_chunk(_find_chunk(file, size, b"SSND", "big"), size)
    if container == "OGG":
        return _cut_ogg(file, size)
    if container == "MP3":
        return _cut_mp3(file, size)
    return None


def _at(file: BinaryIO, position: int, count: int) -> bytes:
    file.seek(position)
    return file.read(count)


def _find_chunk(file: BinaryIO, size: int, name: bytes, order: str) -> tuple[int, int] | None:
    """Position and declared length, in bytes, of the data of the first chunk called ``name``."""
    position = 12
    while position + 8 <= size:
        header = _at(file, position, 8)
        length = int.from_bytes(header[4:], "little" if order == "little" else "big")
        if header[:4] == name:
            return position + 8, length
        position += 8 + length + length % 2
    return None


def _cut_chunk(chunk: tuple[int, int] | None, size: int) -> str | None:
    if chunk is None:
        return "it ends before its sound begins"
    start, length = chunk
    if start + length > size:
        return f"its header declares {length:,} bytes of sound but the file holds {max(0, size - start):,}"
    if length == 0 and size > start + 1:
        return "its header declares no sound, as if the recorder was switched off too early"
    return None


def _cut_wav(file: BinaryIO, size: int) -> str | None:
    kind = _at(file, 0, 4)
    chunk = _find_chunk(file, size, b"data", "big" if kind == b"RIFX" else "little")
    if chunk is None:
        return _cut_chunk(None, size)
    start, length = chunk
    if kind == b"RF64" and length == 0xFFFFFFFF:
        ds64 = _find_chunk(file, size, b"ds64", "little")
        if ds64 is not None:
            length = int.from_bytes(_at(file, ds64[0] + 8, 8), "little")
    elif length in _SIZE_UNKNOWN:
        return None
    return _cut_chunk((start, length), size)


def _cut_ogg(file: BinaryIO, size: int) -> str | None:
    tail_start = max(0, size - _OGG_TAIL_BYTES)
    tail = _at(file, tail_start, _OGG_TAIL_BYTES)
    page = tail.rfind(b"OggS")
    if page < 0:
        return "its last Ogg page is missing"
    flags, segments = tail[page + 5 : page + 6], tail[page + 26 : page + 27]
    if not flags or not segments or not flags[0] & 4:
        return "the Ogg page that marks the end of the sound is missing"
    lengths = tail[page + 27 : page + 27 + segments[0]]
    if page + 27 + segments[0] + sum(lengths) > len(tail):
        return "its last Ogg page is incomplete"
    return None


def _after_id3(file: BinaryIO) -> int:
    """Position in bytes after the ID3v2 tag; 0 without a tag."""
    head = _at(file, 0, 10)
    if head[:3] != b"ID3" or len(head) < 10:
        return 0
    length = sum((byte & 0x7F) << shift for byte, shift in zip(head[6:], (21, 14, 7, 0), strict=True))
    footer = 10 if head[5] & 0x10 else 0
    return 10 + length + footer


def _is_mpeg_header(head: bytes) -> bool:
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return False
    version, layer = head[1] >> 3 & 3, head[1] >> 1 & 3
    bitrate, rate = head[2] >> 4, head[2] >> 2 & 3
    return version != 1 and layer != 0 and bitrate not in (0, 15) and rate != 3


def _cut_mp3(file: BinaryIO, size: int) -> str | None:
    start = _after_id3(file)
    frame = _at(file, start, 64)
    mpeg1, mono = frame[1] >> 3 & 3 == 3, frame[3] >> 6 == 3
    side_info_bytes = (17 if mono else 32) if mpeg1 else (9 if mono else 17)
    tag = frame[4 + side_info_bytes :]
    if tag[:4] not in (b"Xing", b"Info") or len(tag) < 16 or not tag[7] & 2:
        return "its last frame is incomplete" if mp3_samples(file, size)[1] else None
    # Fields follow their flags: frames (bit 0), then bytes (bit 1).
    position = 12 if tag[7] & 1 else 8
    declared = int.from_bytes(tag[position : position + 4], "big")
    if start + declared > size:
        return f"its header declares {declared:,} bytes of sound but the file holds {size - start:,}"
    return None


def mp3_samples(file: BinaryIO, size: int) -> tuple[int, bool]:
    """Samples per channel in an MP3 file of ``size`` bytes, and whether its last frame is incomplete.

    Counting stops where no frame follows the last one. The encoder's delay, which a decoder cuts off, is
    counted too.
    """
    position, samples = _after_id3(file), 0
    while position + 4 <= size:
        head = _at(file, position, 4)
        layer_3 = head[1] >> 1 & 3 == 1
        if not _is_mpeg_header(head) or not layer_3:
            break
        version, padding = head[1] >> 3 & 3, head[2] >> 1 & 1
        bits_per_s = 1000 * _MP3_KBIT_PER_S[version][head[2] >> 4]
        frame_samples = 1152 if version == 3 else 576
        length = frame_samples // 8 * bits_per_s // _MP3_RATES_HZ[version][head[2] >> 2 & 3] + padding
        if position + length > size:
            return samples, True
        position += length
        samples += frame_samples
    return samples, False
