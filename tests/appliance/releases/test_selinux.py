"""Labels for SELinux, with programs that only record how they were called."""

from __future__ import annotations

import pytest
from support.releases.stand_in import StandIn

from appliance.releases.activate import activate
from appliance.releases.uninstall import uninstall

RECORD = """#!/bin/sh
echo "$(basename "$0") $*" >>"$BACKLINE_PREFIX/root/labelled"
{more}
"""


def with_selinux(place: StandIn, **more: str) -> None:
    """Switches SELinux on; ``more`` are further lines of the named programs."""
    enforce = place.layout.root / "sys/fs/selinux/enforce"
    enforce.parent.mkdir(parents=True)
    enforce.write_text("1")
    for name, lines in more.items():
        program = place.folder / "programs" / name
        program.write_text(RECORD.format(more=lines))
        program.chmod(0o755)


def labelled(place: StandIn) -> list[str]:
    file = place.layout.root / "labelled"
    return file.read_text().splitlines() if file.exists() else []


def run(place: StandIn, version: str) -> None:
    activate(place.staged(version), place.layout, allow_downgrade=False, say=place.say)


def test_program_and_folders_are_labelled_before_the_service_starts(place: StandIn) -> None:
    with_selinux(
        place, restorecon='cp "$BACKLINE_PREFIX/root/asked" "$BACKLINE_PREFIX/root/before"', semanage=""
    )
    run(place, "1.0")
    folders = place.layout.root / "srv/backline"
    assert labelled(place) == [
        f"restorecon -R {place.layout.prefix}",
        f"semanage fcontext -a -t samba_share_t {folders}(/.*)?",
        f"restorecon -R {folders}",
    ]
    assert "restart" not in (place.layout.root / "before").read_text()
    run(place, "1.1")  # the folders may hold years of music
    assert labelled(place)[3:] == [f"restorecon -R {place.layout.prefix}"]


def test_a_rule_of_the_administrator_stays(place: StandIn) -> None:
    known = "ValueError: File context for /srv/backline(/.*)? already defined"
    with_selinux(place, restorecon="", semanage=f"echo '{known}' >&2; exit 1")
    run(place, "1.0")
    assert len(labelled(place)) == 2 and not any("SELinux" in line for line in place.said)


@pytest.mark.parametrize("there", [{}, {"restorecon": ""}])
def test_a_missing_program_is_named_with_its_package(place: StandIn, there: dict[str, str]) -> None:
    with_selinux(place, **there)
    run(place, "1.0")
    (line,) = (line for line in place.said if "semanage is missing" in line)
    assert "policycoreutils-python-utils" in line
    assert f"semanage fcontext -a -t samba_share_t '{place.layout.root}/srv/backline(/.*)?'" in line
    assert any("restorecon is missing; install policycoreutils" in line for line in place.said) is not bool(
        there
    )


def test_a_failure_is_said_and_does_not_end_the_installation(place: StandIn) -> None:
    with_selinux(place, restorecon="echo 'Operation not supported' >&2; exit 255", semanage="exit 0")
    run(place, "1.0")
    assert place.current() == "1.0"
    assert any("'restorecon -R" in line and "Operation not supported" in line for line in place.said)


def test_a_purge_forgets_the_rule(place: StandIn) -> None:
    with_selinux(place, restorecon="", semanage="")
    run(place, "1.0")
    uninstall(place.layout, place.say, purge=True)
    assert labelled(place)[3:] == [f"semanage fcontext -d {place.layout.root}/srv/backline(/.*)?"]


def test_without_selinux_nothing_is_called(place: StandIn) -> None:
    for name in ("restorecon", "semanage"):
        (place.folder / "programs" / name).write_text(RECORD.format(more=""))
        (place.folder / "programs" / name).chmod(0o755)
    run(place, "1.0")
    assert labelled(place) == []
