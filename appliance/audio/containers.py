"""Audio containers: recognise one by its first bytes, and open all of the sound that it holds.

libsndfile silently shortens what it cannot follow: a truncated file, a damaged MP3 header, the second link of
a chained Ogg, a size that a streaming writer never filled in. Each container is walked here first. Where the
sound is all there, libsndfile gets a file that says so; where it is not, the recording is refused with the
second at which it breaks.

Sources: Audio Interchange File Format 1.3 (AIFF), Apple Core Audio Format 1.0 (CAF), Sony Wave64, Sun AU; the
others are in :mod:`appliance.audio.wav_header`, :mod:`~appliance.audio.mp3_frames` and
:mod:`~appliance.audio.ogg_pages`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import BinaryIO, Literal

from appliance.audio.flac_length import declared_samples, held_samples, with_samples
from appliance.audio.mp3_frames import Frames, after_tags, find_frames, header_at, whole_stream
from appliance.audio.ogg_pages import find_pages, with_end
from appliance.audio.pieces import Pieces, Stretch
from appliance.audio.wav_header import chunks_follow, read_wav_header

Container = Literal["WAV", "AIFF", "FLAC", "OGG", "MP3", "CAF", "W64", "AU"]

_W64 = bytes.fromhex("726966662e91cf11a5d628db04c10000")
_SIZE_UNKNOWN = (0xFFFFFFFF, 0x7FFFFFFF)
_FRAMES_BESIDE = 2
"""Encoders count their Info frame, or the last one, in different ways."""


class IncompleteError(Exception):
    """The file does not hold all the sound that it should; the text is a clause that says why."""


@dataclass(frozen=True, slots=True)
class Readable:
    """What to read, one stream after the other; None is the file as it lies on the disk.

    ``counted`` says whether libsndfile's own count of the frames can be relied on. ``lost`` are gaps that are
    filled with silence: (second, seconds).
    """

    streams: tuple[Pieces | None, ...] = (None,)
    counted: bool = True
    lost: tuple[tuple[float, float], ...] = ()


def container_of(file: BinaryIO) -> Container | None:
    """Recognise the container by the first bytes, behind ID3 tags if there are any; None for others."""
    head = _at(file, 0, 16)
    if head[:3] == b"ID3":
        head = _at(file, after_tags(file), 16)
    if head[:4] in (b"RIFF", b"RIFX", b"RF64", b"BW64") and head[8:12] == b"WAVE":
        return "WAV"
    if head[:4] == b"FORM" and head[8:12] in (b"AIFF", b"AIFC"):
        return "AIFF"
    if head[:4] == b"OggS":
        return "OGG"
    if head[:4] == b"fLaC":
        return "FLAC"
    if head[:4] == b"caff":
        return "CAF"
    if head == _W64:
        return "W64"
    if head[:4] in (b".snd", b"dns."):
        return "AU"
    # An MP3 may begin in the middle of a frame: then its frames must be found.
    return "MP3" if _is_mpeg_audio(head) or _begins_inside_mp3(file) else None


def foreign_format(file: BinaryIO) -> str | None:
    """What a file is that musicians have and Backline does not read; None for anything else."""
    head = _at(file, 0, 16)
    if head[4:8] == b"ftyp":
        return "an M4A or MP4 file, as phones record it (AAC)"
    if head[:1] == b"\xff" and len(head) > 1 and head[1] & 0xF6 == 0xF0:
        return "an AAC file"
    for magic, name in (
        (bytes.fromhex("3026b2758e66cf11"), "a WMA file"),
        (bytes.fromhex("1a45dfa3"), "a WebM or Matroska file"),
        (b"#!AMR", "an AMR file, a phone's voice note"),
        (b"MAC ", "a Monkey's Audio file"),
        (b"wvpk", "a WavPack file"),
    ):
        if head.startswith(magic):
            return name
    return None


def readable(file: BinaryIO, size: int, container: Container) -> Readable:
    """How to read all the sound in ``file``.

    Raises:
        IncompleteError: a part of it is missing or damaged.
    """
    if container == "WAV":
        return _readable_wav(file, size)
    if container == "OGG":
        return _readable_ogg(file, size)
    if container == "MP3":
        return _readable_mp3(file, size)
    if container == "FLAC":
        return _readable_flac(file, size)
    _check_declared(file, size, container)
    return Readable()


def _readable_wav(file: BinaryIO, size: int) -> Readable:
    offset = after_tags(file)
    header = read_wav_header(file, size, offset)
    if header is None:
        raise IncompleteError("it ends before its sound begins")
    if header.trouble is not None:
        raise IncompleteError(header.trouble)
    if header.is_mpeg:
        sound = Pieces(file, [header.data])
        return _readable_mp3(sound, header.data.length)  # type: ignore[arg-type]
    return Readable() if header.ordinary else Readable((header.readable(file),))


def _readable_ogg(file: BinaryIO, size: int) -> Readable:
    pages = find_pages(file, size)
    if pages.trouble is not None:
        raise IncompleteError(pages.trouble)
    if len(pages.links) == 1 and pages.links[0].length == size and pages.ended:
        return Readable()
    return Readable(tuple(Pieces(file, with_end(file, link)) for link in pages.links))


def _readable_mp3(file: BinaryIO, size: int) -> Readable:
    frames = find_frames(file, size)
    if frames is None:
        if header_at(_at(file, after_tags(file), 4)) is not None:
            raise IncompleteError("it ends before its sound begins")
        return Readable(counted=False)  # layer I or II
    seconds = frames.seconds(frames.count)
    if frames.declared is not None and frames.count < frames.declared - _FRAMES_BESIDE:
        promised = frames.seconds(frames.declared)
        raise IncompleteError(f"its header declares {promised:.1f} s of sound but it ends at {seconds:.1f} s")
    if frames.declared_end is not None and frames.declared_end > size and not frames.gaps:
        raise IncompleteError(
            f"its header declares {frames.declared_end:,} bytes but it ends at {size:,} ({seconds:.1f} s)"
        )
    if frames.incomplete:
        raise IncompleteError(f"its last frame, at {seconds:.1f} s, is incomplete")
    said = frames.declared is not None and abs(frames.count - frames.declared) <= _FRAMES_BESIDE
    if not said and frames.rest is not None:
        raise IncompleteError(f"its sound breaks off at {seconds:.1f} s, and something else follows")
    plain = not isinstance(file, Pieces) and said and not frames.gaps and _starts_plainly(file, frames)
    if plain:
        return Readable(counted=False)
    lost = tuple((frames.seconds(gap.after), frames.seconds(gap.lost)) for gap in frames.gaps)
    return Readable((whole_stream(file, frames),), lost=lost)


def _starts_plainly(file: BinaryIO, frames: Frames) -> bool:
    """Whether libsndfile finds the Info frame where it looks for it: first, or behind one tag."""
    return frames.info is not None and frames.info.start == _after_one_id3(file)


def _after_one_id3(file: BinaryIO) -> int:
    head = _at(file, 0, 10)
    if head[:3] != b"ID3" or len(head) < 10:
        return 0
    length = sum((byte & 0x7F) << shift for byte, shift in zip(head[6:], (21, 14, 7, 0), strict=True))
    return 10 + length + (10 if head[5] & 0x10 else 0)


def _readable_flac(file: BinaryIO, size: int) -> Readable:
    """The length in the first block must be that of the frames; where a pipe left it out, it is filled in."""
    start = after_tags(file)
    found = declared_samples(file, start)
    if found is None:
        raise IncompleteError("its first block is damaged")
    info, declared = found
    rate_hz = int.from_bytes(info[10:13], "big") >> 4
    held = held_samples(file, size, info)
    if held is None or not rate_hz:
        raise IncompleteError("it ends before its sound begins")
    if declared and declared != held:
        raise IncompleteError(
            f"its header declares {declared / rate_hz:.1f} s of sound but it ends at {held / rate_hz:.1f} s"
        )
    if start == 0 and declared:
        return Readable()
    head = _at(file, start, 8) + with_samples(info, held)
    return Readable((Pieces(file, [head, Stretch(start + len(head), size - start - len(head))]),))


def _check_declared(file: BinaryIO, size: int, container: Container) -> None:
    """Raises IncompleteError where a chunk of sound is longer than the file."""
    found = {"AIFF": _aiff_sound, "CAF": _caff_sound, "W64": _w64_sound, "AU": _au_sound}[container](
        file, size
    )
    if found is None:
        raise IncompleteError("it ends before its sound begins")
    if found.length < 0:
        return  # unknown
    if found.start + found.length > size:
        held = max(0, size - found.start)
        raise IncompleteError(
            f"its header declares {found.length:,} bytes of sound but the file holds {held:,}"
        )
    end = found.start + found.length
    if container == "AIFF" and not chunks_follow(file, size, end + found.length % 2):
        raise IncompleteError(
            f"its header declares {found.length:,} bytes of sound, but something else than a chunk follows"
        )
    if found.length == 0 and size > found.start + 1:
        raise IncompleteError("its header declares no sound, as if the recorder was switched off too early")


def _aiff_sound(file: BinaryIO, size: int) -> Stretch | None:
    position = 12
    while position + 8 <= size:
        header = _at(file, position, 8)
        length = int.from_bytes(header[4:], "big")
        if header[:4] == b"SSND":
            return Stretch(position + 8, length)
        position += 8 + length + length % 2
    return None


def _caff_sound(file: BinaryIO, size: int) -> Stretch | None:
    position = 8
    while position + 12 <= size:
        header = _at(file, position, 12)
        length = int.from_bytes(header[4:], "big", signed=True)
        if header[:4] == b"data":
            return Stretch(position + 12, length)  # -1: to the end
        if length < 0:
            return None
        position += 12 + length
    return None


def _w64_sound(file: BinaryIO, size: int) -> Stretch | None:
    position = 40
    while position + 24 <= size:
        header = _at(file, position, 24)
        length = int.from_bytes(header[16:], "little")
        if header[:4] == b"data":
            return Stretch(position + 24, length - 24)
        if length < 24:
            return None
        position += length + -length % 8
    return None


def _au_sound(file: BinaryIO, size: int) -> Stretch | None:
    head = _at(file, 0, 12)
    order: Literal["big", "little"] = "big" if head[:4] == b".snd" else "little"
    start, length = int.from_bytes(head[4:8], order), int.from_bytes(head[8:12], order)
    if start + 1 > size:
        return None
    return Stretch(start, -1 if length in _SIZE_UNKNOWN else length)


def _is_mpeg_audio(head: bytes) -> bool:
    """Whether a frame header of any layer comes first."""
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return False
    version, layer = head[1] >> 3 & 3, head[1] >> 1 & 3
    bitrate, rate = head[2] >> 4, head[2] >> 2 & 3
    return version != 1 and layer != 0 and bitrate not in (0, 15) and rate != 3


def _begins_inside_mp3(file: BinaryIO) -> bool:
    """Whether frames in a row begin within the first two frames' length."""
    start = after_tags(file)
    head = _at(file, start, 4096)
    for at in range(len(head) - 4):
        position, found = at, 0
        while position + 4 <= len(head) and (header := header_at(head[position : position + 4])) is not None:
            position, found = position + header.length, found + 1
        if found >= 4:
            return True
    return False


def _at(file: BinaryIO, position: int, count: int) -> bytes:
    file.seek(position)
    return file.read(count)
