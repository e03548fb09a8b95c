"""The pack's originals: read as the safetensors library writes them, and refused when they contradict."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load, save
from support.made_up_songs import made_up_originals

from appliance.errors import PackError
from appliance.packs.originals import Originals, read_originals
from train.data.originals import originals_file

FILE = Path("originals.safetensors")


@pytest.fixture(scope="module")
def content() -> bytes:
    return originals_file(made_up_originals(3))


def changed(content: bytes, **arrays: np.ndarray | None) -> bytes:
    """The file with other arrays; None leaves one out."""
    start = 8 + int.from_bytes(content[:8], "little")
    metadata = json.loads(content[8:start])["__metadata__"]
    merged = {name: a for name, a in (load(content) | arrays).items() if a is not None}
    return save(merged, metadata=metadata)


def with_header(content: bytes, change: Any) -> bytes:
    start = 8 + int.from_bytes(content[:8], "little")
    header = json.loads(content[8:start])
    change(header)
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + content[start:]


def test_what_the_library_writes_is_read(content: bytes) -> None:
    found, stored = read_originals(FILE, content), load(content)
    for name, array in stored.items():
        assert np.array_equal(getattr(found, name), array) and getattr(found, name).dtype == array.dtype
    assert {*stored, "limits", "names"} == set(Originals.__slots__)
    assert found.names == ("song0", "song1", "song2") and found.limits.harmony == (30.0,) * 4


def test_equal_songs_make_equal_bytes(content: bytes) -> None:
    assert originals_file(made_up_originals(3)) == content
    assert originals_file(made_up_originals(3, seed=1)) != content


def test_arrays_that_contradict_are_refused(content: bytes) -> None:
    arrays = load(content)
    count = len(arrays["onsets"])
    songs, starts, ends, bars, hashes = (
        arrays[n].copy() for n in ("songs", "starts", "ends", "bars", "hashes")
    )
    songs[1], starts[2], ends[0], bars[-1] = count + 1, starts[-1] + 7, count, count + 1
    for change in (
        {"songs": songs},
        {"songs": songs[:-1]},
        {"songs": songs[:0]},
        {"starts": starts},
        {"starts": starts[:-1]},
        {"ends": ends},
        {"bars": bars},
        {"hashes": hashes[::-1].copy()},
        {"spacings": arrays["spacings"][:-1]},
        {"harmony_bits": arrays["harmony_bits"].astype(np.uint16)},
        {"hashes": None},
        {"more": np.zeros(1, np.uint8)},
    ):
        with pytest.raises(PackError, match=r"originals\.safetensors: .*etch the pack again"):
            read_originals(FILE, changed(content, **change))


@pytest.mark.parametrize("cut", [0, 7, 8, 100, -1])
def test_a_file_that_is_cut_off_is_refused(content: bytes, cut: int) -> None:
    with pytest.raises(PackError, match=r"originals\.safetensors"):
        read_originals(FILE, content[:cut])


def test_a_header_that_lies_is_refused(content: bytes) -> None:
    def longer(header: dict[str, Any]) -> None:
        header["ends"]["data_offsets"][1] += 4
        header["ends"]["shape"][0] += 1

    def from_before(header: dict[str, Any]) -> None:
        header["ends"]["data_offsets"] = [-4, 0]

    def without_names(header: dict[str, Any]) -> None:
        header["__metadata__"]["names"] = "[]"

    def limits_of_text(header: dict[str, Any]) -> None:
        header["__metadata__"]["limits"] = "{"

    for change in (longer, from_before, without_names, limits_of_text):
        with pytest.raises(PackError, match=r"originals\.safetensors"):
            read_originals(FILE, with_header(content, change))
    assert read_originals(FILE, with_header(content, lambda _: None)).names[0] == "song0"
