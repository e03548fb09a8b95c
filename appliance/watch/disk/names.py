"""Names of results: a free folder name in the outbox for each vocal.

A name that differs from an existing one only in case or in Unicode normalisation is not free, because Windows
and macOS treat both as one.
"""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Iterable
from pathlib import Path

from appliance.watch.disk.folders import folder, free_parents, numbered

_MAX_NUMBER = 99_999


def wanted_name(path: bytes) -> bytes:
    """The preferred result folder of the vocal ``path``: its path without the ending.

    Trailing spaces and dots are removed, because Windows cannot open such a folder.
    """
    above, slash, name = path.rpartition(b"/")
    stem = name[: name.rindex(b".")] if b"." in name[1:] else name
    return above + slash + (stem.rstrip(b" .") or stem)


def free_name(outbox: Path, wanted: bytes, in_use: Iterable[bytes]) -> bytes:
    """``wanted``, with a number if the outbox has that name or ``in_use`` contains it.

    Raises OSError if the outbox cannot be read.
    """
    if outbox.is_dir():
        wanted = free_parents(outbox, wanted)
    above, slash, _ = wanted.rpartition(b"/")
    try:
        with folder(outbox, above) as parent, os.scandir(parent) as entries:
            taken = {folded(above + slash + os.fsencode(entry.name)) for entry in entries}
    except FileNotFoundError:
        if not outbox.is_dir():
            raise
        taken = set()  # the sub-folder does not exist yet
    taken |= {folded(name) for name in in_use if len(name) > len(above) and name.startswith(above)}
    for number in range(1, _MAX_NUMBER):
        name = numbered(wanted, number)
        if folded(name) not in taken:
            return name
    raise FileExistsError(f"{os.fsdecode(wanted)}: {_MAX_NUMBER} numbered names exist already")


def folded(name: bytes) -> str:
    """``name`` as text that is equal for names that differ only in case or in the composition of accents."""
    if name.isascii():  # the fast path: there may be ten thousand names
        return name.lower().decode()
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", os.fsdecode(name)).casefold())
