"""Check the settings against this computer, for ``backline config --check``."""

from __future__ import annotations

import grp
import os
from pathlib import Path

from appliance.errors import UsageError
from appliance.watch.settings.apart import overlaps
from appliance.watch.settings.config import Config


def problems(config: Config) -> list[str]:
    """Find what would keep the service from working: a sentence with a remedy for each problem."""
    found = []
    for name in type(config.folders).model_fields:
        found += _folder_problems(name, getattr(config.folders, name))
    found += folder_overlaps(config)
    pack = config.work.pack / "pack.json"
    if not pack.is_file():
        found.append(f"work.pack: {pack} is missing; set work.pack to the folder of a pack.")
    if config.publish.group:
        try:
            grp.getgrnam(config.publish.group)
        except KeyError:
            found.append(f"publish.group: this computer has no group '{config.publish.group}'; create it.")
    textfile = config.metrics.textfile
    if isinstance(textfile, Path) and not os.access(textfile.parent, os.W_OK | os.X_OK):
        found.append(
            f"metrics.textfile: {textfile.parent} is missing or not writable for this user; "
            "create it or change its owner."
        )
    return found


def folder_overlaps(config: Config) -> list[str]:
    """A sentence for each pair of folders of which one lies inside the other, by link or mount too."""
    outside_inbox = {"work.pack": config.work.pack}
    if isinstance(config.metrics.textfile, Path):
        outside_inbox["metrics.textfile"] = config.metrics.textfile
    return overlaps(config.folders, outside_inbox)


def refuse_overlaps(config: Config) -> None:
    """Raise UsageError if one of the folders lies inside another."""
    if found := folder_overlaps(config):
        raise UsageError(" ".join(found))


def _folder_problems(name: str, folder: Path) -> list[str]:
    if not folder.is_dir():
        return [f"folders.{name}: {folder} is not a folder; create it."]
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        return [f"folders.{name}: {folder} is not writable for this user; change its owner or mode."]
    return []
