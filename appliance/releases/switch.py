"""Switch from one release to another, and back if the new one fails its health check.

Steps: set ``unconfirmed`` to the old release, set ``current`` to the new one, restart the service. If the
service is healthy, set ``previous`` to the old release, otherwise set ``current`` back. Remove
``unconfirmed`` last. At every moment ``current`` names a complete release, and after a power cut the next
boot goes back to ``unconfirmed``, which has worked before.
"""

from __future__ import annotations

from collections.abc import Callable

from appliance.errors import BacklineError, ReleaseError
from appliance.files.durable import changing, link_target, remove_link, set_link
from appliance.releases.health import READY_LIMIT_S, check_health
from appliance.releases.layout import Layout, link_to_release, release_at
from appliance.releases.leftovers import revert_unconfirmed
from appliance.releases.selinux import set_labels
from appliance.releases.systemd_units import SystemdUnits

Say = Callable[[str], None]
"""Shows one progress message to the user."""


def switch(layout: Layout, version: str, say: Say) -> None:
    """Run the installed release ``version`` instead of the current one. The caller holds the lock.

    Raises ReleaseError if the release does not work; the old release then runs again.
    """
    old = release_at(layout.current)
    if old == version:
        _make_current(layout, version, say, first=False)
        say(check_health(layout))
        return
    with changing(layout.current):
        if old is not None:
            set_link(layout.unconfirmed, link_to_release(old))
    try:
        _make_current(layout, version, say, first=old is None)
        say(check_health(layout))
    except BaseException as error:
        if old is not None:
            _go_back(layout, old, say)
            if isinstance(error, BacklineError):
                raise ReleaseError(
                    f"Release {version} does not work on this computer; {old} runs again. {error}"
                ) from error
        raise
    with changing(layout.current):
        if old is not None:
            set_link(layout.previous, link_to_release(old))
        remove_link(layout.unconfirmed)


def recover(layout: Layout, say: Say) -> None:
    """Undo an interrupted installation: make the old release current and restart the service with it.

    The caller holds the lock. Raises OutputError if a link cannot be changed.
    """
    if (back := revert_unconfirmed(layout)) is not None:
        say(f"An earlier installation was interrupted; release {back} is current again.")
        _go_back(layout, back, say)


def _make_current(layout: Layout, version: str, say: Say, *, first: bool) -> None:
    """Set all links to ``version`` and register its units; ``first`` also enables the service."""
    with changing(layout.current):
        set_link(layout.current, link_to_release(version))
        for folder in (layout.program.parent, layout.packs):
            folder.mkdir(mode=0o755, exist_ok=True)
        set_link(layout.program, "../current/bin/backline")
        set_link(layout.prefix / "systemd", "current/systemd")
        set_link(layout.packs / "reference", "../current/packs/reference")
        if link_target(layout.active_pack) is None:
            set_link(layout.active_pack, "reference")
    SystemdUnits(layout).register(first=first)
    set_labels(layout, say, first=first)


def _go_back(layout: Layout, old: str, say: Say) -> None:
    """Run ``old`` again. Failures are only reported, so that the caller can raise the original error."""
    with changing(layout.current):
        set_link(layout.current, link_to_release(old))
        remove_link(layout.unconfirmed)
    systemd = SystemdUnits(layout)
    try:
        systemd.register(first=False)
        if systemd.systemd_runs:
            systemd.restart(READY_LIMIT_S)
    except BacklineError as error:
        say(f"Release {old} is current again, but: {error}")
