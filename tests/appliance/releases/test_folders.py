"""The folders of the service are made where they are missing, and left alone where they exist."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from appliance.errors import OutputError, ReleaseError
from appliance.releases.folders import listed, make_missing

LIST = """# a comment

d /srv/backline       :0755 :root :root
d /srv/backline/inbox :2775 :singer :choir
"""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A root folder whose users are this one, under other names."""
    if os.geteuid() != 0:
        pytest.skip("only root may give files away")
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/passwd").write_text("root:x:0:0::/root:/bin/sh\nsinger:x:4321:7::/:/bin/false\n")
    (tmp_path / "etc/group").write_text("root:x:0:\nchoir:x:1234:\n")
    (tmp_path / "list").write_text(LIST)
    return tmp_path


def facts(path: Path) -> tuple[int, int, int]:
    found = path.stat()
    return found.st_mode & 0o7777, found.st_uid, found.st_gid


def test_missing_ones_are_made_as_listed_whatever_the_umask(place: Path) -> None:
    before = os.umask(0o077)
    try:
        make_missing(place / "list", place)
    finally:
        os.umask(before)
    assert facts(place / "srv/backline") == (0o755, 0, 0)
    assert facts(place / "srv/backline/inbox") == (0o2775, 4321, 1234)


def test_what_an_administrator_changed_stays(place: Path) -> None:
    inbox = place / "srv/backline/inbox"
    inbox.mkdir(parents=True, mode=0o700)
    inbox.chmod(0o700)
    make_missing(place / "list", place)
    assert facts(inbox) == (0o700, os.getuid(), os.getgid())


def test_an_interrupted_attempt_is_made_good(place: Path) -> None:
    (place / "srv/backline/.inbox.new").mkdir(parents=True)
    make_missing(place / "list", place)
    assert facts(place / "srv/backline/inbox") == (0o2775, 4321, 1234)
    assert [path.name for path in (place / "srv/backline").iterdir()] == ["inbox"]


def test_a_link_to_another_disk_is_a_folder_too(place: Path) -> None:
    (place / "disk").mkdir()
    (place / "srv/backline").mkdir(parents=True)
    (place / "srv/backline/inbox").symlink_to(place / "disk")
    make_missing(place / "list", place)
    assert (place / "srv/backline/inbox").is_symlink()


def test_faults_are_named(place: Path) -> None:
    (place / "list").write_text("d /srv/a :0755 :nobody-here :root\n")
    with pytest.raises(ReleaseError, match="etc/passwd has no user 'nobody-here'; create it"):
        make_missing(place / "list", place)
    (place / "list").write_text("d /srv/a 0755 root root\n")
    with pytest.raises(ReleaseError, match="list: the line 'd /srv/a 0755 root root' is not understood"):
        make_missing(place / "list", place)
    (place / "list").write_text("d /srv/a :0755 :root :root\n")
    (place / "srv").write_text("a file")
    with pytest.raises(OutputError, match="srv"):
        make_missing(place / "list", place)


def test_the_shipped_list_is_understood(root: Path) -> None:
    folders = {str(folder.path): folder for folder in listed(root / "systemd/backline.tmpfiles")}
    assert len(folders) == 5 and folders["/srv/backline"].user == "root"
    assert {(f.mode, f.user, f.group) for path, f in folders.items() if path != "/srv/backline"} == {
        (0o2775, "backline", "backline")
    }
