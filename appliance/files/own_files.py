"""Files that the program keeps for itself: in which folder, and how many of them."""

from __future__ import annotations

import os
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


def make_room(folder: Path, pattern: str, most: int) -> None:
    """Leaves the ``most`` files like ``pattern`` that changed last. Raises OSError."""
    kept = sorted(folder.glob(pattern), key=lambda path: path.stat().st_mtime, reverse=True)
    for path in kept[most:]:
        path.unlink(missing_ok=True)
