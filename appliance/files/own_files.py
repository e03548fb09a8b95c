"""The folders of the program's own files (cache, profiles), and how many files to keep there."""

from __future__ import annotations

import os
from pathlib import Path


def own_folder(service: str, user: str, below_home: str, inside: str) -> Path | None:
    """The folder ``inside`` the own folder of this service or user; None if the environment names none.

    For a service, systemd sets the variable ``service`` (for example by ``CacheDirectory=``). For a user, the
    XDG Base Directory Specification applies: the variable ``user``, otherwise the path ``below_home``.
    """
    for variable, ours in ((service, ""), (user, "backline"), ("HOME", f"{below_home}/backline")):
        if place := os.environ.get(variable, ""):
            folder = Path(place.split(":")[0])
            return folder / ours / inside if folder.is_absolute() else None
    return None


def keep_newest(folder: Path, pattern: str, most: int) -> None:
    """Remove all files that match ``pattern`` but the ``most`` newest ones. Raises OSError if that fails."""
    kept = sorted(folder.glob(pattern), key=lambda path: path.stat().st_mtime, reverse=True)
    for path in kept[most:]:
        path.unlink(missing_ok=True)
