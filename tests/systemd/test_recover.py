"""systemd/recover.sh on made-up folders: every state that a power cut can leave behind."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
from pathlib import Path

import pytest

SHELLS = {"dash": ("dash",), "busybox": ("busybox", "sh"), "bash": ("bash", "--posix")}
OLDER, OLD, NEW = "releases/1.0", "releases/1.1", "releases/1.2"


class Studio:
    """A prefix with releases and links."""

    def __init__(self, root: Path, prefix: Path) -> None:
        self.script, self.prefix = root / "systemd" / "recover.sh", prefix

    def release(self, name: str) -> None:
        program = self.prefix / name / "bin" / "backline"
        program.parent.mkdir(parents=True)
        program.touch(mode=0o755)
        (self.prefix / name / "release.json").write_text("{}")

    def link(self, **links: str) -> None:
        for name, target in links.items():
            (self.prefix / name).symlink_to(target)

    def recover(self, shell: tuple[str, ...] = ("sh",)) -> str:
        environment = {"PATH": os.environ["PATH"], "BACKLINE_PREFIX": str(self.prefix)}
        done = subprocess.run(
            [*shell, self.script], env=environment, capture_output=True, text=True, check=True
        )
        return done.stdout + done.stderr

    @property
    def links(self) -> dict[str, str]:
        return {path.name: str(path.readlink()) for path in self.prefix.iterdir() if path.is_symlink()}

    @property
    def releases(self) -> set[str]:
        return {f"releases/{path.name}" for path in (self.prefix / "releases").iterdir()}


@pytest.fixture
def studio(root: Path, tmp_path: Path) -> Studio:
    found = Studio(root, tmp_path / "opt")
    for name in (OLDER, OLD):
        found.release(name)
    found.link(current=OLD, previous=OLDER)
    return found


SETTLED = {"current": OLD, "previous": OLDER}

STATES = {
    "nothing was going on": ({OLDER, OLD}, SETTLED, {OLDER, OLD}, SETTLED),
    "named, not yet switched": ({OLDER, OLD, NEW}, SETTLED, {OLDER, OLD}, SETTLED),
    "about to switch": ({OLDER, OLD, NEW}, SETTLED | {"unconfirmed": OLD}, {OLDER, OLD}, SETTLED),
    "switched": (
        {OLDER, OLD, NEW},
        {"current": NEW, "previous": OLDER, "unconfirmed": OLD},
        {OLDER, OLD},
        SETTLED,
    ),
    "proved itself, not yet said so": (
        {OLDER, OLD, NEW},
        {"current": NEW, "previous": OLD, "unconfirmed": OLD},
        {OLD},
        {"current": OLD},
    ),
    "done, the oldest not yet removed": (
        {OLDER, OLD, NEW},
        {"current": NEW, "previous": OLD},
        {OLD, NEW},
        {"current": NEW, "previous": OLD},
    ),
    "rolled back, not proved": (
        {OLDER, OLD},
        {"current": OLDER, "previous": OLDER, "unconfirmed": OLD},
        {OLDER, OLD},
        SETTLED,
    ),
    "went back by itself, failed release still there": ({OLDER, OLD, NEW}, SETTLED, {OLDER, OLD}, SETTLED),
    "second release ever": ({OLD, NEW}, {"current": NEW, "unconfirmed": OLD}, {OLD}, {"current": OLD}),
    "first release, switched": ({NEW}, {"current": NEW}, {NEW}, {"current": NEW}),
    "first release, not yet switched": ({NEW}, {}, {NEW}, {}),
    "what to return to is gone": (
        {NEW},
        {"current": NEW, "unconfirmed": OLD},
        {NEW},
        {"current": NEW},
    ),
}


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("state", STATES)
def test_every_half_state(root: Path, tmp_path: Path, state: str, shell: str) -> None:
    if shutil.which(SHELLS[shell][0]) is None:
        pytest.skip(f"no {shell} here")
    releases, links, releases_after, links_after = STATES[state]
    studio = Studio(root, tmp_path / "opt")
    for name in releases:
        studio.release(name)
    studio.link(**links)
    studio.recover(SHELLS[shell])
    assert (studio.releases, studio.links) == (releases_after, links_after)
    assert studio.recover(SHELLS[shell]) == "", "a second time there is nothing to do"
    assert (studio.releases, studio.links) == (releases_after, links_after)


def test_says_what_it_took_back(studio: Studio) -> None:
    studio.release(NEW)
    (studio.prefix / "current").unlink()
    studio.link(current=NEW, unconfirmed=OLD)
    said = studio.recover()
    assert f"{NEW} was interrupted" in said
    assert f"back to {OLD}" in said


def test_half_things_go_and_the_rest_stays(studio: Studio) -> None:
    for half in ("staging/run-abc/x", "packs/.active.new", ".current.new", "keys/.a.pub.new"):
        (studio.prefix / half).parent.mkdir(parents=True, exist_ok=True)
        (studio.prefix / half).touch()
    for whole in ("packs/mine-1/pack.json", "keys/backline.pub", "recover.sh"):
        (studio.prefix / whole).parent.mkdir(parents=True, exist_ok=True)
        (studio.prefix / whole).touch()
    (studio.prefix / "packs" / "active").symlink_to("mine-1")
    studio.recover()
    left = {str(p.relative_to(studio.prefix)) for p in studio.prefix.rglob("*") if not p.is_dir()}
    assert not {name for name in left if name.endswith(".new") or name.startswith("staging")}
    assert {"packs/mine-1/pack.json", "keys/backline.pub", "recover.sh"} <= left
    assert str((studio.prefix / "packs" / "active").readlink()) == "mine-1"


def test_a_link_out_of_the_staging_folder_is_not_followed(studio: Studio, tmp_path: Path) -> None:
    music = tmp_path / "music"
    music.mkdir()
    (music / "song.wav").touch()
    (studio.prefix / "staging").mkdir()
    (studio.prefix / "staging" / "link").symlink_to(music)
    studio.recover()
    assert (music / "song.wav").exists()
    assert not (studio.prefix / "staging").exists()


def test_no_hand_on_anything_while_somebody_installs(studio: Studio) -> None:
    (studio.prefix / "staging" / "run-abc").mkdir(parents=True)
    (studio.prefix / "unconfirmed").symlink_to(OLDER)
    with (studio.prefix / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        studio.recover()
    assert (studio.prefix / "staging" / "run-abc").is_dir()
    assert studio.links["current"] == OLD


def test_nothing_installed(root: Path, tmp_path: Path) -> None:
    assert Studio(root, tmp_path / "nowhere").recover() == ""


def test_the_unit(root: Path) -> None:
    """Once a start, before the service; and systemd's own checker agrees with every directive."""
    file = root / "systemd" / "backline-recover.service"
    text = file.read_text()
    assert "Before=backline.service" in text
    assert "RemainAfterExit=yes" in text
    if shutil.which("systemd-analyze") is None:
        pytest.skip("no systemd-analyze here")
    done = subprocess.run(["systemd-analyze", "verify", file], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert str(file) not in done.stderr, done.stderr
