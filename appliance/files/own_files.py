"""Files that the program keeps for itself: in which folder, written how, and how many of them."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from pathlib import Path


def own_folder(service: str, user: str, below_home: str, inside: str) -> Path | None:
    """The folder ``inside`` this service's or user's own; None where nobody says.

    A service is told by systemd in the variable ``service`` (such as ``CacheDirectory=`` sets), a user by
    the XDG Base Directory Specification: in ``user``, or else ``below_home``.
    """
    for variable, ours in ((service, ""), (user, "backline"), ("HOME", f"{below_home}/backline")):
        if place := os.environ.get(variable, ""):
            folder = Path(place.split(":")[0])
            return folder / ours / inside if folder.is_absolute() else None
    return None


def write_whole(path: Path, parts: Iterable[bytes], mode: int = 0o600, sync: bool = False) -> None:
    """Writes ``parts``; the file appears whole or not at all, and of two writers the last one's stays.

    With ``sync`` its bytes are on the disk before it appears. Raises OSError.
    """
    descriptor, part = tempfile.mkstemp(dir=path.parent, suffix=".part")
    try:
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(descriptor, mode)
            file.writelines(parts)
            if sync:
                file.flush()
                os.fsync(descriptor)
        Path(part).replace(path)
    except BaseException:
        Path(part).unlink(missing_ok=True)
        raise


def make_room(folder: Path, pattern: str, most: int) -> None:
    """Leaves the ``most`` files like ``pattern`` that changed last. Raises OSError."""
    kept = sorted(folder.glob(pattern), key=lambda path: path.stat().st_mtime, reverse=True)
    for path in kept[most:]:
        path.unlink(missing_ok=True)
