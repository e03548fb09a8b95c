"""The identity of a user's file, and its path in printable form."""

from __future__ import annotations

import os
import stat
from typing import NamedTuple


class FoundFile(NamedTuple):
    """A plain file as it was found. ``path`` is relative to the inbox; the times are in nanoseconds."""

    path: bytes
    dev: int
    inode: int
    size: int
    mtime_ns: int
    ctime_ns: int

    @property
    def shown(self) -> str:
        """The path with all unprintable characters escaped."""
        return shown(self.path)


def shown(path: bytes) -> str:
    """A path for messages and logs, with all unprintable characters escaped."""
    text = os.fsdecode(path)
    return "".join(c if c.isprintable() and c != "\\" else _escaped(c) for c in text)


def _escaped(character: str) -> str:
    code = ord(character)
    if character == "\\":
        return "\\\\"
    if 0xDC80 <= code <= 0xDCFF:  # a byte that is not valid UTF-8
        return f"\\x{code - 0xDC00:02x}"
    return character.encode("unicode_escape").decode("ascii")


def found_of(path: bytes, state: os.stat_result) -> FoundFile:
    """The record of a file from its ``stat``."""
    return FoundFile(path, state.st_dev, state.st_ino, state.st_size, state.st_mtime_ns, state.st_ctime_ns)


def same_file(found: FoundFile, state: os.stat_result, *, ctime: bool = False) -> bool:
    """Whether ``state`` is that of the unchanged file ``found``; ``ctime`` compares the ctime too."""
    now = found_of(found.path, state)
    return stat.S_ISREG(state.st_mode) and (now if ctime else now._replace(ctime_ns=found.ctime_ns)) == found
