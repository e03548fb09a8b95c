"""Settings against this computer, for ``backline config --check`` and the start of the service."""

from __future__ import annotations

import grp
import os
from pathlib import Path

from appliance.watch.settings.config import Config


def problems(config: Config) -> list[str]:
    """What would keep the service from working, each in a sentence with its remedy; nothing is changed."""
    found = []
    folders = config.folders
    identities: dict[tuple[int, int], str] = {}
    for name in type(folders).model_fields:
        folder: Path = getattr(folders, name)
        found += _folder_problems(name, folder)
        try:
            state = folder.stat()
        except OSError:
            continue
        other = identities.setdefault((state.st_dev, state.st_ino), name)
        if other != name:
            found.append(f"folders.{name} and folders.{other} are the same folder; give each its own.")
    pack = config.work.pack / "pack.json"
    if not pack.is_file():
        found.append(f"work.pack: {pack} is missing; say which folder holds the pack.")
    if config.publish.group:
        try:
            grp.getgrnam(config.publish.group)
        except KeyError:
            found.append(
                f"publish.group: there is no group '{config.publish.group}' on this computer; make it."
            )
    textfile = config.metrics.textfile
    if isinstance(textfile, Path) and not os.access(textfile.parent, os.W_OK | os.X_OK):
        found.append(f"metrics.textfile: {textfile.parent} is missing or may not be written by this user.")
    return found


def _folder_problems(name: str, folder: Path) -> list[str]:
    if not folder.is_dir():
        return [f"folders.{name}: {folder} is not a folder; make it."]
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        return [f"folders.{name}: {folder} may not be written by this user; change its owner or mode."]
    return []
