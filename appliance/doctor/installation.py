"""The checks of the installation: its releases, and what walls its service off."""

from __future__ import annotations

from dataclasses import asdict

from appliance.doctor.checks import Check
from appliance.releases.confinement import missing_measures
from appliance.releases.layout import Layout, own_tree, release_at


def check_release() -> Check:
    """Report the installed release and the previous one."""
    layout, own = Layout.here(), own_tree()
    current, previous = release_at(layout.current), release_at(layout.previous)
    facts = {"release": current, "previous": previous, "folder": str(layout.prefix)}
    if current is None:
        return Check("release", "ok", f"No release is installed in {layout.prefix}.", facts=facts)
    if release_at(layout.unconfirmed) is not None:
        sentence = f"Release {current} is not confirmed yet."
        remedy = "If no installation is running, restart this computer or run /opt/backline/recover.sh."
        return Check("release", "warn", sentence, remedy, facts)
    back = f"'backline release rollback' returns to {previous}" if previous else "no previous release"
    here = "" if own == layout.release(current) else " This program is not part of it."
    return Check("release", "ok", f"Release {current}; {back}.{here}", facts=facts)


def check_isolation() -> Check:
    """Report what an older systemd or kernel cannot wall the service off with, and what that means."""
    missing = missing_measures(Layout.here())
    if missing is None:
        return Check("isolation", "ok", "systemd runs no service of Backline here.")
    facts = {"missing": [asdict(measure) for measure in missing]}
    lines = tuple(measure.line() for measure in missing)
    if lost := [measure for measure in missing if not measure.covered]:
        sentence = f"{len(lost)} of the measures that wall the service off do not work on this computer."
        remedy = "The vocals are rendered all the same. A newer operating system has these measures:"
        return Check("isolation", "warn", sentence, remedy, facts, lines=lines)
    covered = f" {len(missing)} measures are replaced by others." if missing else ""
    sentence = f"The service is walled off as intended.{covered}"
    return Check("isolation", "ok", sentence, facts=facts, lines=lines)
