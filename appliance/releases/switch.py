"""From one release to another, and back by itself where the other does not prove itself.

The order of effects: ``unconfirmed`` remembers the old one, ``current`` changes, the service starts anew;
then either ``previous`` remembers the old one, or ``current`` goes back; ``unconfirmed`` goes last. Whenever
the power fails, ``current`` leads to a whole release, and the next start returns to one that has worked.
"""

from __future__ import annotations

from collections.abc import Callable

from appliance.errors import BacklineError, ReleaseError
from appliance.files.durable import changing, link_target, remove_link, set_link
from appliance.releases.health import READY_LIMIT_S, check_health
from appliance.releases.layout import Layout, link_to_release, release_at
from appliance.releases.leftovers import settle
from appliance.releases.systemd_units import System

Say = Callable[[str], None]


def switch(layout: Layout, version: str, say: Say) -> None:
    """Runs the installed release ``version`` instead of the current one. To be called with the lock held.

    Raises ReleaseError where it does not work; then the one before runs again.
    """
    old = release_at(layout.current)
    if old == version:
        _enter(layout, version, first=False)
        say(check_health(layout))
        return
    with changing(layout.current):
        if old is not None:
            set_link(layout.unconfirmed, link_to_release(old))
    try:
        _enter(layout, version, first=old is None)
        say(check_health(layout))
    except BaseException as error:
        if old is not None:
            _return(layout, old, say)
            if isinstance(error, BacklineError):
                raise ReleaseError(
                    f"Release {version} does not work here, and {old} runs again. {error}"
                ) from error
        raise
    with changing(layout.current):
        if old is not None:
            set_link(layout.previous, link_to_release(old))
        remove_link(layout.unconfirmed)


def put_in_order(layout: Layout, say: Say) -> None:
    """Before anything else is done: an installation that was cut off is taken back, for the service too.

    To be called with the lock held. Raises OutputError.
    """
    if (back := settle(layout)) is not None:
        say(f"An earlier installation was cut off before it had proved itself; release {back} is back.")
        _return(layout, back, say)


def _enter(layout: Layout, version: str, *, first: bool) -> None:
    with changing(layout.current):
        set_link(layout.current, link_to_release(version))
        for folder in (layout.program.parent, layout.packs):
            folder.mkdir(mode=0o755, exist_ok=True)
        set_link(layout.program, "../current/bin/backline")
        set_link(layout.prefix / "systemd", "current/systemd")
        set_link(layout.packs / "reference", "../current/packs/reference")
        if link_target(layout.active_pack) is None:
            set_link(layout.active_pack, "reference")
    System(layout).join(first=first)


def _return(layout: Layout, old: str, say: Say) -> None:
    """Runs ``old`` again. What it cannot do it says: the error that led here is the one to raise."""
    with changing(layout.current):
        set_link(layout.current, link_to_release(old))
        remove_link(layout.unconfirmed)
    system = System(layout)
    try:
        system.join(first=False)
        if system.runs:
            system.restart(READY_LIMIT_S)
    except BacklineError as error:
        say(f"Release {old} is back, but: {error}")
