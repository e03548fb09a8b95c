"""Files that are written atomically: they appear complete or not at all."""

from __future__ import annotations

import os
import stat
import threading
from pathlib import Path

import pytest

from appliance.files.whole import whole_file, write_whole


def test_the_old_content_stays_until_all_is_written(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text("old")
    with whole_file(path) as file:
        file.write(b"ne")
        file.flush()
        assert path.read_text() == "old"
        file.write(b"w")
    assert path.read_text() == "new" and [p.name for p in tmp_path.iterdir()] == ["a.json"]


@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt])
def test_what_fails_leaves_nothing(tmp_path: Path, error: type[BaseException]) -> None:
    path = tmp_path / "a.json"
    with pytest.raises(error), whole_file(path) as file:
        file.write(b"half")
        raise error
    assert list(tmp_path.iterdir()) == []


def test_it_can_be_written_by_name(tmp_path: Path) -> None:
    with whole_file(tmp_path / "a.txt") as file:
        Path(file.name).write_text("by name")
    assert (tmp_path / "a.txt").read_text() == "by name"


def test_permissions_are_those_asked_for_or_those_of_any_file(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        for mode, wanted in ((None, 0o640), (0o600, 0o600), (0o755, 0o755)):
            write_whole(tmp_path / "a", b"", mode)
            assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == wanted
    finally:
        os.umask(before)


def test_of_many_writers_one_wins(tmp_path: Path) -> None:
    contents = [bytes([n]) * 100_000 for n in range(8)]
    threads = [threading.Thread(target=write_whole, args=(tmp_path / "a", c)) for c in contents]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (tmp_path / "a").read_bytes() in contents
    assert len(list(tmp_path.iterdir())) == 1


def test_bytes_are_on_the_disk_before_the_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []
    sync, rename = os.fsync, os.replace
    monkeypatch.setattr(os, "fsync", lambda d: (calls.append(f"fsync {os.fstat(d).st_size}"), sync(d)))
    monkeypatch.setattr(os, "replace", lambda a, b: (calls.append("rename"), rename(a, b)))
    write_whole(tmp_path / "a", b"12345", sync=True)
    assert calls == ["fsync 5", "rename"]


def test_a_missing_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        write_whole(tmp_path / "missing" / "a", b"")
