"""Strict reader of plain tar archives: files and folders with short names; no links, compression or holes.

Source: the interchange format "ustar" of POSIX.1-2008 (pax), and GNU tar's variant of its header. Other kinds
of members are errors rather than skipped, so no part of an archive stays unchecked.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from appliance.errors import PackError

_BLOCK_BYTES = 512
_MAX_MEMBERS = 1000
_PART = r"[A-Za-z0-9_-][A-Za-z0-9._-]*"
_NAME = re.compile(rf"{_PART}(/{_PART})*")
_OCTAL = re.compile(rb"[0-7]+")
_KINDS = {b"0": False, b"\0": False, b"5": True}
_WHAT = {
    b"1": "a hard link", b"2": "a symbolic link", b"3": "a device", b"4": "a device", b"6": "a fifo",
    b"S": "a sparse file",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Member:
    """A file or folder in the archive; ``size`` and ``offset`` of its content are in bytes."""

    name: str
    size: int
    offset: int
    is_folder: bool


def members(stream: BinaryIO, archive: str) -> dict[str, Member]:
    """List the members of an archive by name, without reading their content; ``archive`` names it in errors.

    Raises:
        PackError: the archive is not a plain tar, is truncated, or has a member twice.
        OSError: the stream cannot be read.
    """
    found: dict[str, Member] = {}
    end = stream.seek(0, 2)
    for member in _read(stream, end, archive):
        if member.name in found:
            raise _refused(archive, f"it has the member {member.name} twice")
        if member.offset + member.size > end:
            raise _refused(archive, f"truncated in {member.name}")
        if len(found) >= _MAX_MEMBERS:
            raise _refused(archive, f"it has more than {_MAX_MEMBERS:,} members")
        found[member.name] = member
    return found


def _read(stream: BinaryIO, end: int, archive: str) -> Iterator[Member]:
    at = 0
    while True:
        stream.seek(at)
        header = stream.read(_BLOCK_BYTES)
        if len(header) < _BLOCK_BYTES:
            raise _refused(archive, "truncated")
        if not any(header):
            break
        member = _parsed(header, at + _BLOCK_BYTES, archive)
        yield member
        at = member.offset + -(-member.size // _BLOCK_BYTES) * _BLOCK_BYTES
    while rest := stream.read(1 << 20):
        if any(rest):
            raise _refused(archive, "data follows the end of the archive")


def _parsed(header: bytes, offset: int, archive: str) -> Member:
    blank = header[:148] + b" " * 8 + header[156:]
    if _number(header[148:156]) != sum(blank) or header[257:262] != b"ustar":
        raise _refused(archive, "not a tar archive, or damaged")
    name = _text(header[:100])
    if header[262:263] == b"\0" and (prefix := _text(header[345:500])):
        name = f"{prefix}/{name}"
    kind = header[156:157]
    if kind not in _KINDS:
        raise _refused(archive, f"its member {name!a} is {_WHAT.get(kind, 'not a plain file')}")
    is_folder = _KINDS[kind]
    name = name.removesuffix("/") if is_folder else name
    size = _number(header[124:136])
    if _NAME.fullmatch(name) is None:
        raise _refused(archive, f"its member {name!a} has a name that packs may not use")
    if size is None or (is_folder and size):
        raise _refused(archive, f"its member {name} has an invalid size")
    return Member(name, size, offset, is_folder)


def _text(field: bytes) -> str:
    return field.partition(b"\0")[0].decode("ascii", "backslashreplace")


def _number(field: bytes) -> int | None:
    digits = field.strip(b" \0")
    return int(digits, 8) if _OCTAL.fullmatch(digits) else None


def _refused(archive: str, why: str) -> PackError:
    return PackError(f"{archive}: {why}; fetch the pack again.")
