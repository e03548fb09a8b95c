"""A release becomes current only if it passes all checks; otherwise the previous one stays."""

from __future__ import annotations

import fcntl
import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from support.releases.stand_in import HEALTHY, StandIn

from appliance.cli.main import cli
from appliance.errors import ReleaseError
from appliance.files.durable import set_link
from appliance.releases import health
from appliance.releases.activate import activate, rollback
from appliance.releases.layout import release_at
from appliance.signatures.trusted_keys import trusted_keys

BROKEN = {
    "does not start": {"fails-restart": ""},
    "has no pack": {"status.json": json.dumps({**HEALTHY, "pack": None, "paused": "denoiser.bin: altered."})},
    "plays another pack": {"status.json": json.dumps({**HEALTHY, "pack_trouble": "The pack is broken."})},
    "does not answer": {"status.json": "nonsense"},
    "is down": {"status.json": json.dumps({"state": "down"})},
}


def run(place: StandIn, version: str, *, allow_downgrade: bool = False, **files: str) -> None:
    staged = place.staged(version, files)
    activate(staged, place.layout, allow_downgrade=allow_downgrade, say=place.say)


def test_the_first_release(place: StandIn) -> None:
    run(place, "1.0")
    layout = place.layout
    assert place.current() == place.running == "1.0"
    assert not layout.previous.exists() and not layout.unconfirmed.is_symlink()
    assert str(layout.current.readlink()) == "releases/1.0"
    assert list(trusted_keys(layout.keys).values()) == [place.signer.public]
    assert layout.program.resolve() == layout.release("1.0") / "bin/backline"
    assert (layout.packs / "active").resolve() == layout.release("1.0") / "packs/reference"
    etc = layout.root / "etc"
    assert (etc / "systemd/system/backline.service").read_text() == "# 1.0\n"
    link = etc / "systemd/system/backline.service"
    assert link.readlink() == layout.current / "systemd/backline.service"
    assert (etc / "sysusers.d/backline.conf").is_file() and (etc / "tmpfiles.d/backline.conf").is_file()
    assert (layout.root / "usr/local/bin/backline").resolve() == layout.program.resolve()
    assert (layout.root / "usr/local/share/man/man1/backline.1.gz").read_text() == "1.0"
    enabled = "enable backline-recover.service backline.service"
    assert place.asked == ["daemon-reload", enabled, "restart backline.service"]
    assert "Self-test passed." in place.said


def test_what_a_cut_off_installation_left_is_removed(place: StandIn) -> None:
    left = place.layout.staging / "run-abc"
    (left / "backline-1.0").mkdir(parents=True)
    run(place, "1.0")
    assert not left.exists()


def test_an_upgrade_keeps_one_older_release(place: StandIn) -> None:
    for version in ("1.0", "1.1", "1.10"):
        run(place, version)
    layout = place.layout
    assert place.current() == place.running == "1.10" and release_at(layout.previous) == "1.1"
    assert sorted(layout.installed()) == ["1.1", "1.10"]
    assert not layout.unconfirmed.is_symlink()
    assert (layout.packs / "reference/pack.json").read_text() == '{"of": "1.10"}'
    for unit in ("backline.service", "backline-recover.service"):
        wanted = layout.root / "etc/systemd/system/multi-user.target.wants" / unit
        assert wanted.read_text() == "# 1.10\n", "not the first release's, which is gone"
    enabled = [words for words in place.asked if words.startswith("enable")]
    assert len(enabled) == 1, "whether it starts with the computer is up to the administrator afterwards"


@pytest.mark.parametrize("files", BROKEN.values(), ids=BROKEN.keys())
def test_a_release_that_does_not_work_goes_away_again(
    place: StandIn, files: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health.check_health, "__defaults__", (600.0, 0.0))  # do not wait for an answer
    run(place, "1.0")
    with pytest.raises(ReleaseError, match=r"Release 1\.1 does not work on this computer; 1\.0 runs again"):
        run(place, "1.1", **files)
    assert place.current() == place.running == "1.0" and place.layout.installed() == ["1.0"]
    assert not place.layout.unconfirmed.is_symlink() and not place.layout.previous.is_symlink()
    run(place, "1.2")
    assert place.current() == place.running == "1.2"


def test_a_first_release_that_does_not_work_leaves_nothing(place: StandIn) -> None:
    with pytest.raises(ReleaseError, match="Job for backline"):
        run(place, "1.0", **{"fails-restart": ""})
    assert [entry.name for entry in place.layout.prefix.iterdir()] == ["root"]
    left = [path for path in place.layout.root.rglob("*") if path.is_symlink()]
    assert left == []
    run(place, "1.0")
    assert place.current() == "1.0"


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda tree: (tree / "status.json").write_text("{}"), "status.json: altered"),
        (lambda tree: (tree / "status.json").unlink(), "status.json: missing"),
        (lambda tree: (tree / "more").write_text(""), "more: not part of the release"),
        (lambda tree: (tree / "bin/backline").chmod(0o644), "permissions are not 0755"),
        (lambda tree: (tree / "more").symlink_to("/etc"), "more: not a plain file"),
        (lambda tree: (tree / "release.json").write_text("{}"), "release.json: "),
        (lambda tree: (tree / "release.json").unlink(), "has no release.json"),
        (lambda tree: flipped(tree / "status.json"), "SHA-256"),
    ],
)
def test_a_tree_that_is_not_whole_is_never_run(place: StandIn, spoil: object, said: str) -> None:
    run(place, "1.0")
    staged = place.staged("1.1")
    spoil(staged)  # type: ignore[operator]
    with pytest.raises(ReleaseError, match=said):
        activate(staged, place.layout, allow_downgrade=False, say=place.say)
    assert place.current() == "1.0" and place.layout.installed() == ["1.0"] and not staged.exists()


def flipped(file: Path) -> None:
    data = bytearray(file.read_bytes())
    data[-2] ^= 1
    file.write_bytes(data)


def test_a_release_that_fails_its_self_test_is_not_switched_to(place: StandIn) -> None:
    run(place, "1.0")
    with pytest.raises(ReleaseError, match=r"nothing was changed.* it is silent"):
        run(place, "1.1", **{"fails-self-test": ""})
    assert place.asked.count("restart backline.service") == 1


def test_older_ones_are_refused_unless_meant(place: StandIn) -> None:
    run(place, "1.10")
    with pytest.raises(ReleaseError, match=r"1\.9 is older than 1\.10.*--allow-downgrade"):
        run(place, "1.9")
    run(place, "1.9", allow_downgrade=True)
    assert place.current() == "1.9"


def test_rollback_and_forth(place: StandIn) -> None:
    run(place, "1.0")
    with pytest.raises(ReleaseError, match="no previous release"):
        rollback(place.layout, place.say)
    run(place, "1.1")
    for version, other in (("1.0", "1.1"), ("1.1", "1.0")):
        rollback(place.layout, place.say)
        assert place.current() == place.running == version and release_at(place.layout.previous) == other


def test_what_was_cut_off_is_taken_back_first_for_the_service_too(place: StandIn) -> None:
    run(place, "1.0")
    run(place, "1.1")
    set_link(place.layout.unconfirmed, "releases/1.0")  # the state while 1.1 starts
    with pytest.raises(ReleaseError, match="nothing was changed"):
        run(place, "1.2", **{"fails-self-test": ""})
    assert place.current() == place.running == "1.0" and not place.layout.unconfirmed.is_symlink()
    assert any("release 1.0 is current again" in sentence for sentence in place.said)


def test_the_same_release_again_repairs_it(place: StandIn) -> None:
    run(place, "1.0")
    run(place, "1.0")
    assert place.current() == "1.0"
    flipped(place.layout.release("1.0") / "status.json")
    run(place, "1.0")
    assert place.current() == "1.0" and place.layout.installed() == ["1.0"]
    with pytest.raises(ReleaseError, match="already installed with different files"):
        run(place, "1.0", extra="new")


def test_a_damaged_installation_is_no_first_one(place: StandIn) -> None:
    run(place, "1.0")
    mine = place.layout.packs / "mine-1"
    mine.mkdir()
    (place.layout.current / "release.json").unlink()
    with pytest.raises(ReleaseError, match="Job for"):
        run(place, "1.1", **{"fails-restart": ""})
    assert mine.is_dir() and trusted_keys(place.layout.keys), "what was installed beside it stays"
    for key in trusted_keys(place.layout.keys):
        key.unlink()
    run(place, "1.2")
    assert place.current() == "1.2" and not trusted_keys(place.layout.keys), (
        "keys are not trusted automatically again"
    )


def test_units_that_a_release_has_no_more_go(place: StandIn) -> None:
    run(place, "1.0", **{"systemd/backline-failed@.service": ""})
    units = place.layout.root / "etc/systemd/system"
    assert (units / "backline-failed@.service").is_symlink()
    (units / "backline-mine.service").write_text("the administrator's")
    run(place, "1.1")
    assert not (units / "backline-failed@.service").is_symlink()
    assert (units / "backline-mine.service").is_file()


def test_one_at_a_time(place: StandIn) -> None:
    run(place, "1.0")
    staged = place.staged("1.1")
    with place.layout.lock.open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(ReleaseError, match="another installation is running"):
            activate(staged, place.layout, allow_downgrade=False, say=place.say)


def test_without_systemd_it_is_installed_and_not_started(place: StandIn) -> None:
    (place.layout.root / "run/systemd/system").rmdir()
    run(place, "1.0")
    assert place.current() == "1.0" and place.asked == ["enable backline-recover.service backline.service"]
    assert any("systemd does not run here" in sentence for sentence in place.said)


def test_only_what_is_staged_is_activated(place: StandIn) -> None:
    tree = place.tree(place.folder / "elsewhere", "1.0")
    with pytest.raises(ReleaseError, match="install a release with"):
        activate(tree, place.layout, allow_downgrade=False, say=place.say)
    assert tree.is_dir()


def test_uninstall_keeps_what_is_not_the_programs(place: StandIn) -> None:
    run(place, "1.0")
    root = place.layout.root
    for folder in ("srv/backline/outbox", "var/lib/backline", "etc/backline", "var/cache/backline/graphs"):
        (root / folder).mkdir(parents=True)
        (root / folder / "file").write_text("")
    done = CliRunner().invoke(cli, ["release", "uninstall"])
    assert done.exit_code == 0 and "Your files stay in" in done.output
    assert not place.layout.releases.exists() and not (root / "var/cache/backline").exists()
    assert (root / "srv/backline/outbox/file").is_file() and (root / "etc/backline/file").is_file()
    assert [path for path in root.rglob("*") if path.is_symlink()] == []
    assert "disable backline.service backline-recover.service" in place.asked
    run(place, "1.0")
    assert CliRunner().invoke(cli, ["release", "uninstall", "--purge"], input="y\n").exit_code != 0
    assert place.current() == "1.0"
    assert CliRunner().invoke(cli, ["release", "uninstall", "--purge"], input="yes\n").exit_code == 0
    assert not (root / "srv/backline").exists() and not (root / "var/lib/backline").exists()
