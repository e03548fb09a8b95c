"""Names of results: a folder in the outbox for each vocal, never one that is taken.

Taken is also what differs in case or in the composition of accents only: on a share for Windows or macOS
the two would be one.
"""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Iterable
from pathlib import Path

from appliance.watch.disk.folders import beside, folder, numbered

_HIGHEST_NUMBER = 99_999


def wanted_name(path: bytes) -> bytes:
    """The result's folder of the vocal ``path``: its path without the ending.

    Spaces and dots at the end go as well: Windows cannot open such a folder.
    """
    above, slash, name = path.rpartition(b"/")
    stem = name[: name.rindex(b".")] if b"." in name[1:] else name
    return above + slash + (stem.rstrip(b" .") or stem)


def free_name(outbox: Path, wanted: bytes, in_use: Iterable[bytes]) -> bytes:
    """``wanted``, or with the first number that makes it new beside ``in_use`` and what lies in the outbox.

    Raises OSError where the outbox cannot be read.
    """
    if outbox.is_dir():
        wanted = beside(outbox, wanted)
    above, slash, _ = wanted.rpartition(b"/")
    try:
        with folder(outbox, above) as parent, os.scandir(parent) as entries:
            taken = {_folded(above + slash + os.fsencode(entry.name)) for entry in entries}
    except FileNotFoundError:
        if not outbox.is_dir():
            raise
        taken = set()  # the sub-folder is still to be made
    taken |= {_folded(name) for name in in_use if len(name) > len(above) and name.startswith(above)}
    for number in range(1, _HIGHEST_NUMBER):
        name = numbered(wanted, number)
        if _folded(name) not in taken:
            return name
    raise FileExistsError(f"{os.fsdecode(wanted)} is taken {_HIGHEST_NUMBER} times")


def _folded(name: bytes) -> str:
    if name.isascii():  # as nearly all are, and there may be ten thousand
        return name.lower().decode()
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", os.fsdecode(name)).casefold())
