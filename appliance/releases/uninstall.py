"""Uninstall the program. Music, journal and settings stay unless ``purge`` is given."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from appliance.files.durable import changing, clear, move, sync
from appliance.releases.layout import Layout
from appliance.releases.lock import locked
from appliance.releases.selinux import forget_labels
from appliance.releases.systemd_units import SystemdUnits

_DATA = ("srv/backline", "var/lib/backline", "etc/backline")
_CACHE = "var/cache/backline"


def data_folders(layout: Layout) -> list[Path]:
    """The existing default folders of music, journal and settings."""
    return [layout.root / place for place in _DATA if (layout.root / place).is_dir()]


def uninstall(layout: Layout, say: Callable[[str], None], *, purge: bool) -> None:
    """Remove the program, its units and its cache; with ``purge`` also :func:`data_folders`.

    ``say`` receives what could not be done beside that.

    Raises:
        ReleaseError: an installation is running.
        OutputError: a file cannot be removed.
    """
    with locked(layout):
        SystemdUnits(layout).unregister()
        doomed = [layout.root / _CACHE, *(data_folders(layout) if purge else ())]
        for folder in doomed:
            with changing(folder):
                clear(folder)
        if purge:
            forget_labels(layout, say)
        remove_program(layout)


def remove_program(layout: Layout) -> None:
    """Remove the prefix. It is renamed first, so that an interrupted removal leaves no partial installation.

    Raises OutputError if a file cannot be removed.
    """
    # A mount point cannot be renamed, and a test's prefix also holds its system folders: empty both in place.
    in_place = layout.prefix.is_mount() or layout.root != Path("/")
    aside = layout.prefix.with_name(f".{layout.prefix.name}.{os.getpid()}.removed")
    with changing(layout.prefix):
        if in_place:
            for entry in list(layout.prefix.iterdir()):
                if entry != layout.root:
                    clear(entry)
            return
        move(layout.prefix, aside)
        sync(aside.parent)
        clear(aside)
