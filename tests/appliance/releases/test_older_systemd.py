"""What an installation does, and says, where systemd or the kernel is older than the units."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.releases.stand_in import StandIn

from appliance.doctor.installation import check_isolation
from appliance.releases import confinement
from appliance.releases.activate import activate, rollback
from appliance.releases.confinement import OPTIONAL_DIRECTIVES, missing_measures
from appliance.releases.uninstall import uninstall

NEWEST = {measure.name: "yes" for measure in OPTIONAL_DIRECTIVES}
FILTER = "SystemCallFilter"
DROP_IN = "/etc/systemd/system/backline.service.d/noexec.conf"
NOEXEC = {"systemd/noexec.conf": "[Service]\n", "systemd/backline-noexec.service": "[Unit]\n"}


def without(*names: str) -> dict[str, str]:
    """The properties of a loaded unit that systemd knows, without some."""
    known = {"LoadState": "loaded", FILTER: "read write landlock_create_ruleset", "DropInPaths": "", **NEWEST}
    return {name: value for name, value in known.items() if name not in names}


@pytest.fixture(autouse=True)
def newest_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(confinement.syscalls, "landlock_version", lambda: 5)
    monkeypatch.setattr(confinement.syscalls, "can_deny_new_code", lambda: True)
    monkeypatch.setattr(confinement.seccomp, "is_available", lambda: True)


@pytest.fixture
def groups(tmp_path: Path) -> Path:
    """Where control groups of version 2 are mounted."""
    (tmp_path / "cgroup").mkdir()
    (tmp_path / "cgroup/cgroup.controllers").write_text("cpu memory\n")
    return tmp_path / "cgroup"


def run(place: StandIn, version: str) -> None:
    activate(place.staged(version, NOEXEC), place.layout, allow_downgrade=False, say=place.say)


def drop_in(place: StandIn) -> Path:
    return place.layout.root / DROP_IN.lstrip("/")


def test_noexec_mounts_stand_in_for_noexec_paths(place: StandIn) -> None:
    place.with_systemd(247, backline=without("NoExecPaths", "PrivateIPC"))
    run(place, "1.0")
    inside = place.layout.current / "systemd"
    assert drop_in(place).readlink() == inside / "noexec.conf" and drop_in(place).is_file()
    link = place.layout.root / "etc/systemd/system/backline-noexec.service"
    assert link.readlink() == inside / "backline-noexec.service"
    enable = place.asked.index("enable backline-recover.service backline.service")
    assert place.asked[:enable] == ["daemon-reload", "daemon-reload"]  # the second one reads the drop-in
    # ":" in tmpfiles.d would be an error at every boot.
    assert not (place.layout.root / "etc/tmpfiles.d/backline.conf").is_symlink()


def test_a_newer_systemd_takes_the_mounts_away(place: StandIn) -> None:
    place.with_systemd(247, backline=without("NoExecPaths"))
    run(place, "1.0")
    place.with_systemd(252, backline=without())
    run(place, "1.1")
    assert not drop_in(place).is_symlink() and not drop_in(place).parent.exists()
    assert (place.layout.root / "etc/tmpfiles.d/backline.conf").is_symlink()


def test_a_drop_in_of_the_administrator_stays(place: StandIn) -> None:
    place.with_systemd(247, backline=without("NoExecPaths"))
    run(place, "1.0")
    mine = drop_in(place).with_name("mine.conf")
    mine.write_text("[Service]\nMemoryMax=2G\n")
    uninstall(place.layout, place.say, purge=False)
    assert not drop_in(place).is_symlink() and mine.is_file()


def test_back_to_a_release_that_had_no_mounts(place: StandIn) -> None:
    place.with_systemd(247, backline=without("NoExecPaths"))
    activate(place.staged("1.0"), place.layout, allow_downgrade=False, say=place.say)
    assert not drop_in(place).is_symlink()
    run(place, "1.1")
    assert drop_in(place).is_file()
    rollback(place.layout, place.say)
    assert not drop_in(place).is_symlink()


def test_the_newest_lacks_nothing(place: StandIn, groups: Path) -> None:
    place.with_systemd(257, backline=without())
    assert missing_measures(place.layout, groups) == []


def test_239_lacks_all_that_is_optional(place: StandIn, groups: Path) -> None:
    place.with_systemd(239, backline=without(*NEWEST))
    found = missing_measures(place.layout, groups)
    assert found is not None and [m.name for m in found] == [m.name for m in OPTIONAL_DIRECTIVES]
    lost = {measure.name for measure in found if not measure.covered}
    assert lost == {"RestrictSUIDSGID", "ProtectProc", "NoExecPaths", "PrivateIPC"}


def test_noexec_paths_count_as_replaced_only_while_the_mounts_are_there(place: StandIn, groups: Path) -> None:
    here = {**without("NoExecPaths"), "DropInPaths": DROP_IN}
    mounts = groups / "mountinfo"
    row = "363 355 254:0 /srv /run/backline-noexec/srv/backline rw,nosuid{} shared:110 - ext4 /dev/vda rw"
    closed, open_ = row.format(",noexec"), row.format("")
    for state, rows, covered in (
        ("active", closed, True),
        ("active", f"{closed}\n{open_}", False),
        ("active", "", False),
        ("inactive", "", True),  # the service does not run; its mounts come with it
        ("failed", "", False),
    ):
        place.with_systemd(247, backline=here, backline_noexec={"LoadState": "loaded", "ActiveState": state})
        mounts.write_text(f"22 1 254:0 / / rw - ext4 /dev/vda rw\n{rows}\n")
        (measure,) = missing_measures(place.layout, groups, mounts) or ()
        assert measure.covered is covered, (state, rows)
        assert ("could run a program that lies in the inbox" in measure.missing) is not covered
    mounts.write_text(closed)
    place.with_systemd(247, backline={**here, "DropInPaths": ""})
    (measure,) = missing_measures(place.layout, groups, mounts) or ()
    assert not measure.covered


@pytest.mark.parametrize(
    ("landlock", "calls", "needs"),
    [(0, "read landlock_create_ruleset", "Linux 5.13"), (5, "read write", "libseccomp 2.5.2")],
)
def test_landlock(
    place: StandIn, groups: Path, monkeypatch: pytest.MonkeyPatch, landlock: int, calls: str, needs: str
) -> None:
    monkeypatch.setattr(confinement.syscalls, "landlock_version", lambda: landlock)
    place.with_systemd(252, backline={**without(), FILTER: calls})
    (measure,) = missing_measures(place.layout, groups) or ()
    assert needs in measure.since and not measure.covered
    assert "can read other files" in measure.missing and "It can change none" in measure.missing


def test_new_code_is_denied_by_the_filter_alone(
    place: StandIn, groups: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(confinement.syscalls, "can_deny_new_code", lambda: False)
    place.with_systemd(252, backline=without())
    for filtered in (True, False):
        monkeypatch.setattr(confinement.seccomp, "is_available", lambda filtered=filtered: filtered)
        (measure,) = missing_measures(place.layout, groups) or ()
        assert measure.name == "PR_SET_MDWE" and measure.covered is filtered


def test_control_groups_of_version_1(place: StandIn, tmp_path: Path) -> None:
    place.with_systemd(257, backline=without())
    (measure,) = missing_measures(place.layout, tmp_path) or ()
    assert "MemoryHigh" in measure.name and "fill the swap" in measure.missing


def test_installer_and_doctor_say_it_in_the_same_words(place: StandIn) -> None:
    place.with_systemd(247, backline=without("NoExecPaths", "PrivateIPC"))
    run(place, "1.0")
    told = check_isolation()
    assert told.status == "warn" and told.remedy and "do not work on this computer" in told.sentence
    assert len(told.lines) >= 2
    for line in told.lines:
        assert f"This computer lacks {line}" in place.said
    assert any(
        "NoExecPaths" in line and "could run a program that lies in the inbox" in line for line in told.lines
    )


def test_without_systemd_nothing_is_claimed(place: StandIn) -> None:
    assert missing_measures(place.layout) is None
    assert check_isolation().status == "ok"
    assert check_isolation().sentence == "systemd runs no service of Backline here."
