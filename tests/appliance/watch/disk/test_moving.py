"""Moving files and publishing results, also while other programs change the same folders."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from support.watch.steps import finish

from appliance.system import syscalls
from appliance.watch.disk import moving
from appliance.watch.disk.folders import Access, clear, folder, numbered, opened, seal
from appliance.watch.disk.moving import move_file
from appliance.watch.outbox.publishing import (
    fresh_work,
    holds_result,
    move_to_archive,
    move_to_rejected,
    publish,
)

ACCESS = Access(0o640, 0o750)


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@pytest.fixture(params=["rename", "copy"])
def roots(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[Path, Path]:
    def elsewhere(*_: object) -> None:
        raise OSError(errno.EXDEV, "elsewhere")

    if request.param == "copy":
        monkeypatch.setattr(moving, "_rename", elsewhere)
    inbox, archive = tmp_path / "inbox", tmp_path / "archive"
    for root in (inbox / "sub", archive):
        root.mkdir(parents=True)
    return inbox, archive


def test_a_file_moves_with_its_folder_and_never_onto_another(roots: tuple[Path, Path]) -> None:
    inbox, archive = roots
    for expected in ("sub/a.wav", "sub/a-2.wav", "sub/a-3.wav"):
        content = expected.encode() * 1000
        (inbox / "sub" / "a.wav").write_bytes(content)
        os.utime(inbox / "sub" / "a.wav", (1, 1_000_000_000))
        place = finish(move_file((inbox, b"sub/a.wav"), digest(content), (archive, b"sub/a.wav"), ACCESS))
        assert place == expected.encode()
        assert (archive / expected).read_bytes() == content
        assert (archive / expected).stat().st_mtime == 1_000_000_000
        assert not (inbox / "sub" / "a.wav").exists()
    assert stat.S_IMODE((archive / "sub").stat().st_mode) == 0o750
    assert not any((archive / ".backline-work").glob("*"))


@pytest.mark.parametrize("what", ["gone", "changed", "a link", "a folder", "a pipe"])
def test_what_is_not_the_file_any_more_stays(roots: tuple[Path, Path], what: str) -> None:
    inbox, archive = roots
    path = inbox / "a.wav"
    (inbox / "secret").write_bytes(b"old")
    match what:
        case "changed":
            path.write_bytes(b"new")
        case "a link":
            path.symlink_to("secret")
        case "a folder":
            path.mkdir()
        case "a pipe":
            os.mkfifo(path)
    assert finish(move_file((inbox, b"a.wav"), digest(b"old"), (archive, b"a.wav"), ACCESS)) is None
    assert path.is_symlink() or path.exists() or what == "gone"
    assert not (archive / "a.wav").exists()


def test_a_file_that_is_replaced_in_the_last_moment_goes_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inbox, archive = tmp_path / "inbox", tmp_path / "archive"
    inbox.mkdir(), archive.mkdir()
    (inbox / "a.wav").write_bytes(b"old")
    real = moving.rename_new

    def late(*arguments: Any) -> None:
        monkeypatch.setattr(moving, "rename_new", real)
        (inbox / "new").write_bytes(b"new")
        (inbox / "new").rename(inbox / "a.wav")
        real(*arguments)

    monkeypatch.setattr(moving, "rename_new", late)
    assert finish(move_file((inbox, b"a.wav"), digest(b"old"), (archive, b"a.wav"), ACCESS)) is None
    assert (inbox / "a.wav").read_bytes() == b"new"
    assert list(archive.iterdir()) == []


def test_a_copy_that_was_interrupted_before_the_source_went(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inbox, archive = tmp_path / "inbox", tmp_path / "archive"
    inbox.mkdir(), archive.mkdir()
    for root in (inbox, archive):
        (root / "a.wav").write_bytes(b"same")
    monkeypatch.setattr(moving, "_rename", lambda *_: (_ for _ in ()).throw(OSError(errno.EXDEV, "")))
    assert finish(move_file((inbox, b"a.wav"), digest(b"same"), (archive, b"a.wav"), ACCESS)) == b"a.wav"
    assert not (inbox / "a.wav").exists() and [p.name for p in archive.iterdir()] == ["a.wav"]


def test_an_archive_that_is_gone_is_no_reason_to_forget(roots: tuple[Path, Path]) -> None:
    inbox, archive = roots
    (inbox / "a.wav").write_bytes(b"old")
    archive.rmdir()
    with pytest.raises(FileNotFoundError):
        finish(move_file((inbox, b"a.wav"), digest(b"old"), (archive, b"a.wav"), ACCESS))
    assert (inbox / "a.wav").exists()


def test_names_get_numbers_that_fit() -> None:
    assert numbered(b"a/b.c/song.x.wav", 2, is_file=True) == b"a/b.c/song.x-2.wav"
    assert numbered(b"a/song.x", 12) == b"a/song.x-12"
    assert numbered(b".x", 2, is_file=True) == b".x-2"
    long = numbered(b"a/" + "ü".encode() * 127 + b"x.wav"[:1], 77, is_file=False)
    assert len(long.split(b"/")[1]) <= 255 and long.endswith("ü-77".encode())
    long.decode()


@pytest.mark.parametrize("path", [b"../a", b"a/../../b", b"/etc/passwd", b"a/./b"])
def test_paths_do_not_lead_out(tmp_path: Path, path: bytes) -> None:
    with pytest.raises(ValueError, match="leaves"), folder(tmp_path, path):
        pass


def test_links_on_the_way_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "root").mkdir()
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "a.wav").write_bytes(b"x")
    (tmp_path / "root" / "sub").symlink_to("../outside")
    with pytest.raises(NotADirectoryError), opened(tmp_path / "root", b"sub/a.wav"):
        pass
    with folder(tmp_path / "root") as root:
        clear(root, b"sub")
    assert (tmp_path / "outside" / "a.wav").exists() and not (tmp_path / "root" / "sub").exists()


def made(outbox: Path, job: int, key: str) -> None:
    work = fresh_work(outbox, job, "{}")
    (work / "result" / "stems").mkdir(parents=True)
    (work / "result" / "a.receipt.json").write_text(json.dumps({"job": key}))
    (work / "result" / "stems" / "a.wav").touch()


def test_a_result_is_published_with_its_rights_and_never_over_another(tmp_path: Path) -> None:
    for job, name in ((1, b"sub/a"), (2, b"sub/a"), (2, b"sub/a-2")):
        made(tmp_path, job, f"key {job}")
        with folder(tmp_path, b".backline-work/%d/result" % job) as result:
            seal(result, ACCESS)
        assert publish(tmp_path, job, name, ACCESS) == (job == 1 or name != b"sub/a")
    assert holds_result(tmp_path, b"sub/a", "key 1") and not holds_result(tmp_path, b"sub/a", "key 2")
    assert holds_result(tmp_path, b"sub/a-2", "key 2")
    for path, mode in (("sub", 0o750), ("sub/a", 0o750), ("sub/a/stems/a.wav", 0o640)):
        assert stat.S_IMODE((tmp_path / path).stat().st_mode) == mode


@pytest.mark.parametrize("text", ["", "[]", "{", '{"job": 3}', "[" * 100_000, "\0"])
def test_receipts_that_users_have_spoiled(tmp_path: Path, text: str) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "a.receipt.json").write_text(text)
    assert not holds_result(tmp_path, b"a", "key")


def test_a_rejected_vocal_lies_beside_its_reason(tmp_path: Path) -> None:
    inbox, root = tmp_path / "inbox", tmp_path / "rejected"
    inbox.mkdir(), root.mkdir()
    for number, expected in enumerate((b"a/a.wav", b"a-2/a.wav")):
        content = b"%d" % number
        (inbox / "a.wav").write_bytes(content)
        (inbox / "a.toml").write_text("x")
        reason = (f"Reference: {number}\n", f"Reference: {number}\n")
        steps = move_to_rejected(
            (inbox, b"a.wav"), digest(content), [b"a.toml"], (root, b"a"), reason, ACCESS
        )
        assert finish(steps) == expected
        place = root / expected.decode()
        assert place.read_bytes() == content and (place.parent / "reason.txt").read_text() == reason[0]
        assert (place.parent / "a.toml").exists()
        # Again, as after a kill: nothing changes.
        steps = move_to_rejected(
            (inbox, b"a.wav"), digest(content), [b"a.toml"], (root, b"a"), reason, ACCESS
        )
        assert finish(steps) == expected
    assert list(inbox.iterdir()) == []


def test_companions_of_a_new_vocal_of_the_same_name_stay(tmp_path: Path) -> None:
    inbox, archive = tmp_path / "inbox", tmp_path / "archive"
    inbox.mkdir(), archive.mkdir()
    (inbox / "a.wav").write_bytes(b"new")
    (inbox / "a.toml").write_text("x")
    assert finish(move_to_archive(inbox, b"a.wav", digest(b"old"), [b"a.toml"], archive, ACCESS)) is None
    assert sorted(p.name for p in inbox.iterdir()) == ["a.toml", "a.wav"]


def test_rename_without_the_kernels_help(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Old:
        @staticmethod
        def syscall(*_: object) -> int:
            syscalls.ctypes.set_errno(errno.EINVAL)
            return -1

    monkeypatch.setattr(syscalls, "_libc", Old)
    (tmp_path / "a").write_text("a")
    (tmp_path / "b").write_text("b")
    (tmp_path / "c").mkdir()
    with folder(tmp_path) as here:
        for name, taken in ((b"a", b"b"), (b"c", b"b"), (b"a", b"c")):
            with pytest.raises(FileExistsError):
                syscalls.rename_new(here, name, here, taken)
        syscalls.rename_new(here, b"a", here, b"new")
        syscalls.rename_new(here, b"c", here, b"folder")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["b", "folder", "new"]


def test_the_daemon_itself_reads_no_sound_and_runs_no_network() -> None:
    code = "import sys, appliance.watch.service.daemon; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"numpy", "soundfile", "soxr", "openvino", "torch"} & set(done.stdout.split())
