"""Reads and writes the tables of a SoundFont 2 file, without interpreting them.

Source: E-mu, "SoundFont Technical Specification 2.04" (2006), §4-7. The optional low bytes of 24-bit
samples (``sm24``) are dropped; compressed samples (sf3) are rejected.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from appliance.errors import UsageError
from appliance.files.whole import write_whole

_NAME = ("name", "S20")
_BAG = np.dtype([("gen", "<u2"), ("mod", "<u2")])
_MODULATOR = np.dtype([("source", "<u2"), ("op", "<u2"), ("amount", "<i2"), ("by", "<u2"), ("curve", "<u2")])
_GENERATOR = np.dtype([("op", "<u2"), ("amount", "<u2")])

TABLES = {
    "phdr": np.dtype([_NAME, ("preset", "<u2"), ("bank", "<u2"), ("bag", "<u2"), ("reserved", "<u4", 3)]),
    "pbag": _BAG,
    "pmod": _MODULATOR,
    "pgen": _GENERATOR,
    "inst": np.dtype([_NAME, ("bag", "<u2")]),
    "ibag": _BAG,
    "imod": _MODULATOR,
    "igen": _GENERATOR,
    "shdr": np.dtype([
        _NAME, ("start", "<u4"), ("end", "<u4"), ("loop_start", "<u4"), ("loop_end", "<u4"),
        ("rate_hz", "<u4"), ("pitch", "u1"), ("cents", "i1"), ("link", "<u2"), ("type", "<u2"),
    ]),
}  # fmt: skip
"""The nine tables in the order of the file; each ends with a terminating row."""

COMPRESSED = 0x10
"""Bit in the type of a compressed sample, as in sf3 files."""


class ChunkError(UsageError):
    """The file is not a SoundFont 2 file, or is damaged."""


@dataclass
class Tables:
    """A soundfont: ``info`` chunks by name, ``samples`` (N,) int16, and ``rows`` by table name."""

    info: dict[bytes, bytes]
    samples: NDArray[np.int16]
    rows: dict[str, NDArray[np.void]]

    def __getitem__(self, table: str) -> NDArray[np.void]:
        return self.rows[table]


def read_tables(path: Path) -> Tables:
    """The tables of a file; samples are memory-mapped.

    Raises:
        ChunkError: not a SoundFont 2 file, truncated, or with compressed samples.
    """
    try:
        data = np.memmap(path, np.uint8, "r")
    except (OSError, ValueError) as error:
        raise ChunkError(f"{path}: cannot be read as a soundfont ({error}); give an .sf2 file.") from error
    if bytes(data[:4]) != b"RIFF" or bytes(data[8:12]) != b"sfbk":
        raise ChunkError(f"{path}: not a SoundFont 2 file; give an .sf2 file.")
    info: dict[bytes, bytes] = {}
    found: dict[bytes, tuple[int, int]] = {}
    for name, start, end in _chunks(path, data, 12, len(data)):
        if name != b"LIST":
            continue
        kind = bytes(data[start : start + 4])
        for inner, inner_start, inner_end in _chunks(path, data, start + 4, end):
            if kind == b"INFO":
                info[inner] = bytes(data[inner_start:inner_end])
            else:
                found[inner] = (inner_start, inner_end)
    rows = {}
    for table, dtype in TABLES.items():
        start, end = found.get(table.encode(), (0, 0))
        if end == start or (end - start) % dtype.itemsize:
            raise ChunkError(
                f"{path}: the table {table} is missing or damaged; download the soundfont again."
            )
        rows[table] = np.frombuffer(bytes(data[start:end]), dtype)
    if (rows["shdr"]["type"] & COMPRESSED).any() or b"smpl" not in found:
        raise ChunkError(f"{path}: its samples are compressed or missing; give the uncompressed .sf2 file.")
    start, end = found[b"smpl"]
    return Tables(info, data[start : end - (end - start) % 2].view("<i2"), rows)


def write_tables(tables: Tables, path: Path) -> None:
    """Write the file, whole or not at all; the same tables give the same bytes.

    Raises:
        UsageError: the file cannot be written.
    """
    info = b"".join(_chunk(name, text) for name, text in tables.info.items())
    samples = _chunk(b"smpl", tables.samples.astype("<i2").tobytes())
    rows = b"".join(_chunk(name.encode(), tables[name].tobytes()) for name in TABLES)
    lists = ((b"INFO", info), (b"sdta", samples), (b"pdta", rows))
    body = b"sfbk" + b"".join(_chunk(b"LIST", kind + content) for kind, content in lists)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, _chunk(b"RIFF", body))
    except OSError as error:
        raise UsageError(f"{path}: cannot be written ({error.strerror}).") from error


def _chunks(path: Path, data: NDArray[np.uint8], start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Name, start and end of each chunk's content between two byte positions."""
    while start + 8 <= end:
        (size,) = struct.unpack("<I", bytes(data[start + 4 : start + 8]))
        if start + 8 + size > end:
            raise ChunkError(f"{path}: the file is truncated; download the soundfont again.")
        yield bytes(data[start : start + 4]), start + 8, start + 8 + size
        start += 8 + size + size % 2


def _chunk(name: bytes, content: bytes) -> bytes:
    return name + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2)
