"""Files as recorders, phones and pipes leave them: either all of the sound is read, or the file is refused.

Each kind is made here from a recording; lengths are compared with ffmpeg's where it is installed.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import soundfile
from support.streams import RATE_HZ, SECONDS, made, put, read, refusal
from support.vocals import sung

from appliance.audio.mp3_frames import find_frames
from appliance.audio.ogg_pages import find_pages
from appliance.audio.pieces import Pieces, Stretch


def mp3_headers(data: bytes, path: Path) -> list[int]:
    """Where each frame begins."""
    with path.open("rb") as file:
        frames = find_frames(file, len(data))
    assert frames is not None
    starts, position = [], frames.stretches[0].start
    for _ in range(frames.count):
        starts.append(position)
        position = data.index(data[position : position + 2], position + 20)
    return starts


# MP3


@pytest.fixture
def mp3(tmp_path: Path) -> Path:
    return made(tmp_path, "mp3", format="MP3", bitrate_mode="CONSTANT")


@pytest.mark.slow
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("byte", [0, 1, 2])
def test_a_damaged_frame_header_costs_one_frame(mp3: Path, share: float, byte: int) -> None:
    whole = read(mp3)
    data = bytearray(mp3.read_bytes())
    starts = mp3_headers(bytes(data), mp3)
    at = starts[int(share * len(starts))]
    data[at + byte] ^= 0xA5
    info = read(put(mp3, bytes(data)))
    assert abs(info.frames - whole.frames) <= 1152
    ((second, seconds),) = info.lost
    assert second == pytest.approx(share * SECONDS, abs=0.1) and 0 < seconds < 0.06


def test_frames_that_are_missing_from_the_middle_are_noticed(mp3: Path) -> None:
    data = mp3.read_bytes()
    starts = mp3_headers(data, mp3)
    text = refusal(put(mp3, data[: starts[60]] + data[starts[120] :]))
    assert re.search(r"declares 6\.\d s of sound but it ends at 4\.\d s", text)


@pytest.mark.slow
@pytest.mark.parametrize(
    "change",
    [
        lambda data: b"ID3\x04\0\0\0\0\0\x0a" + bytes(10) + bytes(512) + data,  # padding that no tag counts
        lambda data: 2 * (b"ID3\x04\0\0\0\0\0\x0a" + bytes(10)) + data,
        lambda data: data + b"LYRICSBEGIN" + b"la" * 50 + b"LYRICS200" + bytes(4096),
        lambda data: data + b"TAG" + bytes(125),
        lambda data: data + bytes(100_000),
        lambda data: data[300:],  # a start inside a frame
    ],
)
def test_what_is_around_the_frames_does_not_matter(mp3: Path, change: Callable[[bytes], bytes]) -> None:
    """Without an Info frame, as those writers leave it."""
    data = mp3.read_bytes()
    untagged = data[data.index(data[:2], 20) :]
    whole = read(put(mp3, untagged))
    info = read(put(mp3, change(untagged)))
    assert abs(info.frames - whole.frames) <= 1152 and info.lost == ()


def test_two_mp3_files_joined_are_both_heard(mp3: Path) -> None:
    whole = read(mp3)
    info = read(put(mp3, 2 * mp3.read_bytes()))
    assert abs(info.frames - 2 * whole.frames) <= 4 * 1152


def test_something_else_behind_the_frames_is_refused_with_the_second(mp3: Path) -> None:
    data = mp3.read_bytes()
    untagged = data[data.index(data[:2], 20) :]
    text = refusal(put(mp3, untagged + b"\x11\x22\x33" * 3000))
    assert "breaks off at 6.0 s" in text


# Ogg


@pytest.fixture(params=["VORBIS", "OPUS"])
def ogg(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    rate_hz = 48_000 if request.param == "OPUS" else RATE_HZ
    path = tmp_path / "take.ogg"
    soundfile.write(path, sung(SECONDS), rate_hz, format="OGG", subtype=request.param)
    return path


def pages(data: bytes) -> list[int]:
    return [match.start() for match in re.finditer(rb"OggS\0", data)]


@pytest.mark.slow
def test_a_chained_ogg_is_read_to_its_end(ogg: Path) -> None:
    whole = read(ogg)
    assert read(put(ogg, 3 * ogg.read_bytes())).frames == 3 * whole.frames


def test_links_of_another_rate_are_refused_with_the_second(tmp_path: Path) -> None:
    first, second = tmp_path / "a.ogg", tmp_path / "b.ogg"
    soundfile.write(first, sung(SECONDS), RATE_HZ, format="OGG", subtype="VORBIS")
    soundfile.write(second, sung(SECONDS), 48_000, format="OGG", subtype="VORBIS")
    seconds = sung(SECONDS).shape[0] / RATE_HZ
    assert f"at {seconds:.1f} s" in refusal(put(first, first.read_bytes() + second.read_bytes()))


def test_an_ogg_without_an_end_mark_is_whole(ogg: Path) -> None:
    """Android's writer never sets it. The checksum is right, so it is no damage."""
    whole = read(ogg)
    data = bytearray(ogg.read_bytes())
    last = pages(bytes(data))[-1]
    data[last + 5] &= ~4
    with_crc = bytes(data[last:])
    data[last + 22 : last + 26] = ogg_crc(with_crc[:22] + bytes(4) + with_crc[26:]).to_bytes(4, "little")
    info = read(put(ogg, bytes(data)))
    assert abs(info.frames - whole.frames) <= 960


def ogg_crc(page: bytes) -> int:
    """RFC 3533, bit by bit."""
    register = 0
    for byte in page:
        register ^= byte << 24
        for _ in range(8):
            register = (register << 1 ^ 0x04C11DB7 if register & 1 << 31 else register << 1) & 0xFFFFFFFF
    return register


def test_a_damaged_or_missing_page_is_refused_with_the_second(ogg: Path) -> None:
    data = ogg.read_bytes()
    starts = pages(data)
    assert len(starts) > 4
    middle = len(starts) // 2
    flipped = bytearray(data)
    flipped[starts[middle] + 40] ^= 1
    assert re.search(r"damaged at \d\.\d s", refusal(put(ogg, bytes(flipped))))
    missing = data[: starts[middle]] + data[starts[middle + 1] :]
    assert re.search(r"a part of it is missing at \d\.\d s", refusal(put(ogg, missing)))
    assert "last page is incomplete" in refusal(put(ogg, data[: starts[-1] + 30]))


def test_every_page_has_the_checksum_of_the_standard(ogg: Path) -> None:
    data = ogg.read_bytes()
    starts = [*pages(data), len(data)]
    for start, end in pairwise(starts[:6]):
        page = data[start:end]
        assert ogg_crc(page[:22] + bytes(4) + page[26:]) == int.from_bytes(page[22:26], "little")
    with ogg.open("rb") as file:
        found = find_pages(file, len(data))
    assert found.trouble is None and found.links == (Stretch(0, len(data)),)


# FLAC


def test_a_flac_from_a_pipe_has_no_length_and_is_whole(tmp_path: Path) -> None:
    path = made(tmp_path, "flac")
    whole = read(path)
    data = bytearray(path.read_bytes())
    data[21] &= 0xF0
    data[22:26] = bytes(4)
    assert read(put(path, bytes(data))).frames == whole.frames
    assert read(put(path, b"ID3\x04\0\0\0\0\0\x0a" + bytes(10) + bytes(data))).frames == whole.frames


def test_a_flac_that_says_it_is_shorter_is_refused(tmp_path: Path) -> None:
    path = made(tmp_path, "flac")
    data = bytearray(path.read_bytes())
    data[23] ^= 1
    assert re.search(r"declares \d+\.\d s of sound but it ends at 6\.\d s", refusal(put(path, bytes(data))))


# WAV and its relatives


@pytest.fixture
def wav(tmp_path: Path) -> Path:
    return made(tmp_path, "wav", subtype="PCM_16")


@pytest.mark.slow
@pytest.mark.parametrize("declared", [0x80000000, 0x80000024, 0xFFFFFFFF, 0x7FFFF000, 0x7FFFFFFF, 0])
def test_sizes_that_a_pipe_left_open(wav: Path, declared: int) -> None:
    whole = read(wav)
    data = bytearray(wav.read_bytes())
    data[4:8] = data[40:44] = declared.to_bytes(4, "little")
    assert read(put(wav, bytes(data))).frames == whole.frames


@pytest.mark.parametrize("missing", [1, 2, 16, 98])
def test_a_wav_short_by_a_few_bytes_is_whole(wav: Path, missing: int) -> None:
    whole = read(wav)
    info = read(put(wav, wav.read_bytes()[:-missing]))
    assert 0 <= whole.frames - info.frames <= missing // 2 + 1


def test_a_wav_short_by_more_is_not(wav: Path) -> None:
    assert "the file holds" in refusal(put(wav, wav.read_bytes()[:-500]))


def test_bw64_and_a_tag_in_front(wav: Path, tmp_path: Path) -> None:
    whole = read(wav)
    data = wav.read_bytes()
    assert read(put(wav, b"ID3\x04\0\0\0\0\0\x0a" + bytes(10) + data)).frames == whole.frames
    large = made(tmp_path, "rf64", format="RF64", subtype="PCM_24")
    assert read(put(large, b"BW64" + large.read_bytes()[4:])).frames == whole.frames


def test_mp3_in_a_wav_is_judged_by_its_codec(tmp_path: Path) -> None:
    stream = made(tmp_path, "mp3", format="MP3")
    whole, sound = read(stream), stream.read_bytes()
    form = struct.pack("<HHIIHHHHIHHH", 0x55, 1, RATE_HZ, 16_000, 1, 0, 12, 1, 2, 417, 1, 1393)
    body = b"WAVEfmt " + struct.pack("<I", len(form)) + form + b"data" + struct.pack("<I", len(sound)) + sound
    info = read(put(tmp_path / "take.wav", b"RIFF" + struct.pack("<I", len(body)) + body))
    assert abs(info.frames - whole.frames) <= 3 * 1152 and info.container == "WAV"


@pytest.mark.parametrize(("ending", "name"), [("caf", "CAF"), ("w64", "W64"), ("au", "AU")])
def test_other_containers_that_studios_have(tmp_path: Path, ending: str, name: str) -> None:
    path = made(tmp_path, ending, format=name, subtype="PCM_24")
    info = read(path)
    assert (info.container, info.duration_s) == (name, SECONDS)
    assert "the file holds" in refusal(put(path, path.read_bytes()[:-5000]))


@pytest.mark.parametrize(
    ("head", "name"),
    [
        (b"\0\0\0\x1cftypM4A \0\0\0\0", "M4A"),
        (b"\xff\xf1\x50\x80\x2e\x7f\xfc\x21", "AAC"),
        (bytes.fromhex("3026b2758e66cf11a6d9"), "WMA"),
        (bytes.fromhex("1a45dfa39f428681"), "WebM"),
        (b"#!AMR\n<", "AMR"),
    ],
)
def test_a_format_that_is_not_read_is_named_with_two_ways_out(tmp_path: Path, head: bytes, name: str) -> None:
    text = refusal(put(tmp_path / "take.wav", head + bytes(5000)))
    assert name in text and "Audacity" in text and "ffmpeg -i" in text


# Pieces


def test_pieces_are_a_file(tmp_path: Path) -> None:
    path = put(tmp_path / "x", bytes(range(100)))
    expected = bytes(range(10, 30)) + b"between" + bytes(range(90, 100))
    with path.open("rb") as file:
        pieces = Pieces(file, [Stretch(10, 20), b"", b"between", Stretch(90, 10)])
        assert pieces.read() == expected
        rng = np.random.default_rng(1)
        for _ in range(200):
            at, count = int(rng.integers(0, 45)), int(rng.integers(0, 20))
            assert pieces.seek(at) == at and pieces.read(count) == expected[at : at + count]
        assert pieces.seek(-3, 2) == len(expected) - 3 and pieces.read(9) == expected[-3:]
