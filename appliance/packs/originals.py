"""The pack's originals: what the written accompaniments of the training songs strike, onset by onset.

Takes are compared with them, so that none is a copy (:mod:`appliance.novelty`). The file is in the
safetensors format: eight bytes with the length of a JSON header, the header, and the arrays. ``python -m
train originals`` makes it. The arrays of a file are used only where their sizes and contents agree.

Letters: N onsets of all songs, S songs, B bars of all songs, K figures, P occurrences of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter, ValidationError

from appliance.errors import PackError
from appliance.files.refused_values import first_refusal

ORIGINALS_NAME = "originals.safetensors"
"""File of the pack that holds its originals; a pack without it has none."""

BITS = 12
"""Steps in which a bit is stored."""

LENGTHS = (1, 2, 3, 4)
"""Lengths of the compared passages in bars of the original."""

TYPES = {
    "onsets": np.uint16,
    "spacings": np.uint16,
    "harmony_bits": np.uint8,
    "spacing_bits": np.uint8,
    "songs": np.uint32,
    "bars": np.uint32,
    "hashes": np.uint32,
    "starts": np.uint32,
    "ends": np.uint32,
}
"""Type of each array."""

SongName = Annotated[str, StringConstraints(pattern=r"^[\w.'-]{1,120}$")]
Limit = Annotated[float, Field(gt=0)]
PerLength = tuple[Limit, Limit, Limit, Limit]


class Limits(BaseModel):
    """Bits above which a passage is nearer to an original than unrelated songs are to each other."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, allow_inf_nan=False, populate_by_name=True
    )

    schema_version: Annotated[Literal[1], Field(alias="schema")] = 1
    songs: Annotated[int, Field(ge=1)]
    """Number of held-out songs on which the limits were measured."""
    harmony: PerLength
    """For passages with the same chords in the same rhythm, by length."""
    exact: PerLength
    """For passages whose spacing is the same, too."""


@dataclass(frozen=True, slots=True, eq=False)
class Originals:
    """The onsets of all originals, song after song, and where each figure of three onsets lies."""

    onsets: NDArray[np.uint16]
    """(N,) Twelve bits of pitch classes, and above them the pace."""
    spacings: NDArray[np.uint16]
    """(N,)"""
    harmony_bits: NDArray[np.uint8]
    """(N,) How surprising chord and pace are after those before, in 1/:data:`BITS` bit."""
    spacing_bits: NDArray[np.uint8]
    """(N,) How surprising the spacing of that chord is, likewise."""
    songs: NDArray[np.uint32]
    """(S + 1,) The first onset of each song, and N."""
    bars: NDArray[np.uint32]
    """(B,) The first onset of each bar, ascending; a bar without onsets has the one of the next."""
    hashes: NDArray[np.uint32]
    """(K,) A hash of each figure of three onsets, ascending."""
    starts: NDArray[np.uint32]
    """(K + 1,) Where the occurrences of each figure begin in ``ends``, and P."""
    ends: NDArray[np.uint32]
    """(P,) The last onset of each occurrence of a figure."""
    names: tuple[str, ...]
    """(S) The name of each song in the ledger."""
    limits: Limits


class _Tensor(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    dtype: Literal["U8", "U16", "U32"]
    shape: tuple[Annotated[int, Field(ge=0)]]
    data_offsets: tuple[Annotated[int, Field(ge=0)], Annotated[int, Field(ge=0)]]


class _Metadata(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    limits: str
    """:class:`Limits` as JSON; metadata of safetensors are texts."""
    names: str
    """The names of the songs, as a JSON list."""


class _Header(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    metadata: Annotated[_Metadata, Field(alias="__metadata__")]
    onsets: _Tensor
    spacings: _Tensor
    harmony_bits: _Tensor
    spacing_bits: _Tensor
    songs: _Tensor
    bars: _Tensor
    hashes: _Tensor
    starts: _Tensor
    ends: _Tensor


def read_originals(file: Path, content: bytes) -> Originals:
    """The originals in ``content``, the content of ``file``.

    Raises:
        PackError: the content is no such file, or its arrays contradict each other.
    """
    try:
        start = 8 + int.from_bytes(content[:8], "little")
        if start > len(content):
            raise ValueError("its header is longer than the file")
        header = _Header.model_validate_json(content[8:start])
        limits = Limits.model_validate_json(header.metadata.limits)
        names = TypeAdapter(tuple[SongName, ...]).validate_json(header.metadata.names)
        data = memoryview(content)[start:]
        arrays = {name: _array(name, getattr(header, name), data) for name in TYPES}
        _check(arrays, len(names))
    except ValidationError as error:
        raise PackError(f"{file}: {first_refusal(error)}; fetch the pack again.") from error
    except ValueError as error:
        raise PackError(f"{file}: not a file of originals ({error}); fetch the pack again.") from error
    return Originals(**arrays, names=names, limits=limits)


def _array(name: str, tensor: _Tensor, data: memoryview) -> NDArray[Any]:
    kind = np.dtype(TYPES[name]).newbyteorder("<")
    first, last = tensor.data_offsets
    if tensor.dtype != f"U{8 * kind.itemsize}":
        raise ValueError(f"{name} is {tensor.dtype}")
    if last > len(data) or last - first != tensor.shape[0] * kind.itemsize:
        raise ValueError(f"{name} reaches beyond the file, or has another size than it says")
    return np.frombuffer(data[first:last], kind)


def _check(arrays: Mapping[str, NDArray[Any]], songs: int) -> None:
    """Raise ValueError if an index in one array points out of another."""
    count = len(arrays["onsets"])
    for name in ("spacings", "harmony_bits", "spacing_bits"):
        if len(arrays[name]) != count:
            raise ValueError(f"{name} has another length than onsets")
    if len(arrays["songs"]) != songs + 1:
        raise ValueError("a song has no name, or a name no song")
    ends = {"songs": count, "starts": len(arrays["ends"])}
    for name, end in ends.items():
        found = arrays[name].astype(np.int64)
        if not len(found) or found[0] != 0 or found[-1] != end or (np.diff(found) < 0).any():
            raise ValueError(f"{name} does not ascend from 0 to {end}")
    if (
        len(arrays["starts"]) != len(arrays["hashes"]) + 1
        or (np.diff(arrays["hashes"].astype(np.int64)) <= 0).any()
    ):
        raise ValueError("hashes do not ascend, or have no occurrences")
    if (np.diff(arrays["bars"].astype(np.int64)) < 0).any() or (arrays["bars"] > count).any():
        raise ValueError("bars do not ascend within the onsets")
    last = arrays["ends"]
    if len(last) and (last.min() < 2 or last.max() >= count):
        raise ValueError("ends lie outside the onsets")
