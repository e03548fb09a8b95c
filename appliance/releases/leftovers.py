"""What is left over when somebody pulls the plug, or kills an installation, is put in order before the next.

At boot ``recover.sh`` does the first part with nothing but a shell, as the program itself may be what fails.
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


def settle(layout: Layout) -> str | None:
    """Takes back a release that never proved itself: the version that runs again, None if all is as it was.

    To be called with the lock held, or else somebody may be in the middle of it. Raises OutputError.
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
    """Removes releases that nothing leads to. To be called with the lock held. Raises OutputError."""
    kept = {release_at(layout.current), release_at(layout.previous), release_at(layout.unconfirmed)}
    with changing(layout.releases):
        for release in layout.releases.iterdir() if layout.releases.is_dir() else ():
            if release.name not in kept:
                remove_folder(release, layout.staging)


def clear_staging(layout: Layout, keep: Path | None = None) -> None:
    """Removes what was being brought in when it was interrupted. Raises OutputError."""
    with changing(layout.staging):
        for entry in layout.staging.iterdir() if layout.staging.is_dir() else ():
            if keep is None or entry not in (keep, *keep.parents):
                clear(entry)
        remove_if_empty(layout.staging)
