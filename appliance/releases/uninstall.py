"""Everything of the program goes; the music, the journal and the settings stay, unless they are to go too."""

from __future__ import annotations

import os
from pathlib import Path

from appliance.files.durable import changing, clear, move, sync_folder
from appliance.releases.layout import Layout
from appliance.releases.lock import locked
from appliance.releases.systemd_units import System

_DATA = ("srv/backline", "var/lib/backline", "etc/backline")
_CACHE = "var/cache/backline"


def data_folders(layout: Layout) -> list[Path]:
    """Where music, journal and settings lie by default, as far as they are there."""
    return [layout.root / place for place in _DATA if (layout.root / place).is_dir()]


def uninstall(layout: Layout, *, purge: bool) -> None:
    """Removes the program and its units; with ``purge`` also :func:`data_folders`. Raises OutputError."""
    with locked(layout):
        System(layout).leave()
        going = [layout.root / _CACHE, *(data_folders(layout) if purge else ())]
        for folder in going:
            with changing(folder):
                clear(folder)
        remove_program(layout)


def remove_program(layout: Layout) -> None:
    """Removes the installation; its name goes first, so that no half of it is taken for one."""
    # A disk of its own cannot be renamed, and a prefix of a test holds its system too: these are emptied.
    in_place = layout.prefix.is_mount() or layout.root != Path("/")
    aside = layout.prefix.with_name(f".{layout.prefix.name}.{os.getpid()}.removed")
    with changing(layout.prefix):
        if in_place:
            for entry in list(layout.prefix.iterdir()):
                if entry != layout.root:
                    clear(entry)
            return
        move(layout.prefix, aside)
        sync_folder(aside.parent)
        clear(aside)
