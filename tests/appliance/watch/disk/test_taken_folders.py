"""A file or link has the name that another path needs for a folder: the folder gets a number."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from support.watch.steps import finish

from appliance.watch.disk.folders import Access, free_parents
from appliance.watch.disk.names import free_name
from appliance.watch.outbox.publishing import move_to_archive, move_to_rejected

ACCESS = Access(0o640, 0o750)


@pytest.fixture
def roots(tmp_path: Path) -> tuple[Path, Path]:
    inbox, root = tmp_path / "inbox", tmp_path / "root"
    (inbox / "a.wav" / "b").mkdir(parents=True)
    (inbox / "a.wav" / "b" / "c.wav").write_bytes(b"c")
    (inbox / "a.wav" / "b" / "c.toml").write_bytes(b"t")
    root.mkdir()
    (tmp_path / "outside").mkdir()
    return inbox, root


def take(root: Path, how: str) -> None:
    if how == "file":
        (root / "a.wav").write_bytes(b"an earlier vocal")
    else:
        (root / "a.wav").symlink_to(root.parent / "outside")


@pytest.mark.parametrize("how", ["file", "link"])
def test_the_archive_holds_a_file_where_a_folder_is_needed(roots: tuple[Path, Path], how: str) -> None:
    inbox, archive = roots
    take(archive, how)
    digest = hashlib.sha256(b"c").hexdigest()
    place = finish(move_to_archive(inbox, b"a.wav/b/c.wav", digest, [b"a.wav/b/c.toml"], archive, ACCESS))
    assert place == b"a.wav-2/b/c.wav"
    assert (archive / "a.wav-2" / "b" / "c.wav").read_bytes() == b"c"
    assert (archive / "a.wav-2" / "b" / "c.toml").read_bytes() == b"t"
    again = finish(move_to_archive(inbox, b"a.wav/b/c.wav", digest, [], archive, ACCESS))  # as after a kill
    assert again == place and not list((archive.parent / "outside").iterdir())


@pytest.mark.parametrize("how", ["file", "link"])
def test_rejected_holds_a_file_where_a_folder_is_needed(roots: tuple[Path, Path], how: str) -> None:
    inbox, root = roots
    take(root, how)
    digest = hashlib.sha256(b"c").hexdigest()
    vocal, wanted = (inbox, b"a.wav/b/c.wav"), (root, b"a.wav/b/c")
    for _ in range(2):
        place = finish(move_to_rejected(vocal, digest, [], wanted, ("why 1-2-3", "1-2-3"), ACCESS))
        assert place == b"a.wav-2/b/c/c.wav"
    assert (root / "a.wav-2" / "b" / "c" / "reason.txt").read_text() == "why 1-2-3"


@pytest.mark.parametrize("how", ["file", "link"])
def test_the_outbox_holds_a_file_where_a_folder_is_needed(roots: tuple[Path, Path], how: str) -> None:
    _, outbox = roots
    take(outbox, how)
    assert free_name(outbox, b"a.wav/b/c", ()) == b"a.wav-2/b/c"


def test_what_is_free_stays_as_it_is(roots: tuple[Path, Path]) -> None:
    _, root = roots
    (root / "x" / "y").mkdir(parents=True)
    (root / "x" / "y" / "z").touch()
    assert free_parents(root, b"x/y/z") == b"x/y/z"  # only parent folders are checked
    assert free_parents(root, b"x/y/z/1") == b"x/y/z-2/1"
    (root / "x" / "y" / "z-2").touch()
    assert free_parents(root, b"x/y/z/1/2") == b"x/y/z-3/1/2"
    assert free_parents(root, b"new/1") == b"new/1" and free_parents(root, b"1") == b"1"
