"""Leftovers of an installation that a power cut or a kill interrupted.

At boot ``recover.sh`` does the same in shell, because the program itself may be broken.
"""

from __future__ import annotations

from pathlib import Path

from appliance.files.durable import (
    changing,
    clear,
    link_target,
    remove_folder,
    remove_if_empty,
    remove_link,
    set_link,
)
from appliance.releases.layout import Layout, link_to_release, release_at


def revert_unconfirmed(layout: Layout) -> str | None:
    """Make the previous release current again if the current one was never confirmed.

    Returns the version that is current again, or None if nothing changed. The caller holds the lock: without
    it, another process may still be testing the release. Raises OutputError if a link cannot be changed.
    """
    with changing(layout.current):
        if link_target(layout.unconfirmed) is None:
            return None
        before = release_at(layout.unconfirmed)
        back = before if before is not None and before != release_at(layout.current) else None
        if before is not None:
            set_link(layout.current, link_to_release(before))
        remove_link(layout.unconfirmed)
        return back


def tidy(layout: Layout) -> None:
    """Remove releases that no link names. The caller holds the lock. Raises OutputError."""
    kept = {release_at(layout.current), release_at(layout.previous), release_at(layout.unconfirmed)}
    with changing(layout.releases):
        for release in layout.releases.iterdir() if layout.releases.is_dir() else ():
            if release.name not in kept:
                remove_folder(release, layout.staging)


def clear_staging(layout: Layout, keep: Path | None = None) -> None:
    """Empty the staging folder, except for the folder ``keep``. Raises OutputError."""
    with changing(layout.staging):
        for entry in layout.staging.iterdir() if layout.staging.is_dir() else ():
            if keep is None or entry not in (keep, *keep.parents):
                clear(entry)
        remove_if_empty(layout.staging)
