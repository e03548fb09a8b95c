"""Scans of the inbox with all names and kinds of files."""

from __future__ import annotations

import os
import random
import socket
import threading
from pathlib import Path

import pytest
from support.obeying_modes import obeying_modes

from appliance.watch.disk.found import shown
from appliance.watch.inbox import scan as scan_module
from appliance.watch.inbox.scan import Scan, scan
from appliance.watch.settings.config import Config

HOSTILE = [
    b"song.wav",
    b"no ending",
    b"new\nline.wav",
    b"%s%n{}<b>&.wav",
    b"\xff\xfe\x80.wav",
    b"e\xcc\x81t\xc3\xa9 \xf0\x9f\x8e\xa4.wav",
    b"-rf",
    b"a" * 251 + b".wav",
    b"CON.wav",
    b"a\\b.wav",
    b"Song.wav",
    b"x.toml.wav",
    b"part",
]
IGNORED = [
    *(b".hidden.wav", b"._song.wav", b".DS_Store", b".song.wav.Xa3fQz", b".nfs0000001"),
    *(b"Thumbs.db", b"THUMBS.DB", b"desktop.ini", b"Icon\r", b"~$song.wav", b"song.wav~"),
    *(b"song.wav.part", b"song.wav.PART", b"song.tmp", b"a.crdownload", b"song.wav.filepart", b"nl\n.part"),
]  # fmt: skip
COMPANIONS = [b"song.toml", b"song.wav.done", b"song.TXT", b"a.chords", b"backline.toml"]


def look(watched: Config) -> Scan:
    return scan(watched.folders.inbox, watched.intake)


def paths(seen: Scan) -> set[bytes]:
    return {found.path for found in seen.found}


def put(watched: Config, path: bytes, data: bytes = b"x") -> Path:
    whole = watched.folders.inbox / os.fsdecode(path)
    whole.parent.mkdir(parents=True, exist_ok=True)
    whole.write_bytes(data)
    return whole


def test_every_name_is_found_and_shown_on_one_line(watched: Config) -> None:
    states = {name: put(watched, name, b"x" * i).stat() for i, name in enumerate(HOSTILE)}
    seen = look(watched)
    assert paths(seen) == set(HOSTILE) and seen.sentinel and not seen.troubles
    for found in seen.found:
        state = states[found.path]
        assert found[1:] == (
            *(state.st_dev, state.st_ino, state.st_size),
            *(state.st_mtime_ns, state.st_ctime_ns),
        )
        assert found.shown.isprintable()
    assert len({shown(name) for name in HOSTILE}) == len(HOSTILE)


def test_what_is_shown_can_be_told_apart() -> None:
    assert shown(b"a\nb") == "a\\nb" and shown(b"a\\nb") == "a\\\\nb"
    assert shown(b"\xff") == "\\xff" and shown("é 🎤".encode()) == "é 🎤"
    assert shown("\u202egnp.wav".encode()) == "\\u202egnp.wav"  # U+202E would reverse the rest of the line


def test_temporary_names_are_ignored_and_companions_kept_apart(watched: Config) -> None:
    for name in (*IGNORED, *COMPANIONS):
        put(watched, b"sub/" + name)
    seen = look(watched)
    assert paths(seen) == set()
    assert {found.path for found in seen.companions} == {b"sub/" + name for name in COMPANIONS}


def test_own_patterns_and_folders_of_file_servers(watched: Config) -> None:
    config = watched.model_copy(
        update={"intake": watched.intake.model_copy(update={"ignore": ("*.BAK", "old")})}
    )
    for path in (b"a.bak", b"old/a.wav", b"@eaDir/a.wav", b"#recycle/a.wav", b".x/a.wav", b"new/a.wav"):
        put(config, path)
    assert paths(look(config)) == {b"new/a.wav"}


def test_only_regular_files_and_no_links(watched: Config, tmp_path: Path) -> None:
    inbox = watched.folders.inbox
    put(watched, b"real/a.wav")
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "s.wav").touch()
    (inbox / "link.wav").symlink_to(tmp_path / "secret" / "s.wav")
    (inbox / "folder").symlink_to(tmp_path / "secret")
    (inbox / "loop").symlink_to(inbox)
    (inbox / "broken.wav").symlink_to("nowhere")
    os.mkfifo(inbox / "pipe.wav")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(inbox / "s.wav")) if len(str(inbox)) < 90 else None
        seen = look(watched)
    assert paths(seen) == {b"real/a.wav"}
    assert seen.others >= 5 and not seen.troubles


def test_what_lies_too_deep_is_reported(watched: Config) -> None:
    deep = b"/".join([b"d"] * 9)
    put(watched, deep + b"/a.wav")
    put(watched, deep[2:] + b"/b.wav")
    seen = look(watched)
    assert paths(seen) == {deep[2:] + b"/b.wav"}
    assert [trouble.path for trouble in seen.troubles] == [deep + b"/"]


def test_a_closed_folder_is_reported(watched: Config) -> None:
    put(watched, b"closed/a.wav")
    (watched.folders.inbox / "closed").chmod(0)
    with obeying_modes():
        assert [t.path for t in look(watched).troubles] == [b"closed/"]
    (watched.folders.inbox / "closed").chmod(0o700)


def test_without_its_sentinel_nothing_is_there(watched: Config) -> None:
    put(watched, b"a.wav")
    sentinel = watched.folders.inbox / ".backline"
    sentinel.unlink()
    assert look(watched)[:3] == ((), (), False)
    sentinel.symlink_to("/etc/passwd")
    assert not look(watched).sentinel
    sentinel.unlink()
    sentinel.touch()
    assert look(watched).sentinel
    watched.folders.inbox.rename(watched.folders.inbox.with_name("gone"))
    assert look(watched).troubles and not look(watched).sentinel


def test_a_share_that_goes_while_it_is_looked_at(watched: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    put(watched, b"a.wav")
    inbox = watched.folders.inbox
    into = scan_module._Walk.into

    def unmounted(self: scan_module._Walk, folder: int, prefix: bytes, depth: int) -> None:
        inbox.rename(inbox.with_name("elsewhere"))
        inbox.mkdir()
        into(self, folder, prefix, depth)

    monkeypatch.setattr(scan_module._Walk, "into", unmounted)
    assert look(watched)[:3] == ((), (), False)


def test_a_tree_that_never_rests(watched: Config) -> None:
    """Files and folders appear, vanish and are replaced by links during scans: no error, no foreign file."""
    inbox, over = watched.folders.inbox, threading.Event()
    outside = inbox.with_name("outside")
    outside.mkdir()
    (outside / "foreign.wav").touch()
    put(watched, b"steady/steady.wav")

    def disturb() -> None:
        choice = random.Random(1)
        while not over.is_set():
            folder = inbox / f"d{choice.randrange(3)}"
            try:
                action = choice.randrange(4)
                if action == 0:
                    folder.mkdir()
                elif action == 1:
                    (folder / f"{choice.randrange(3)}.wav").touch()
                elif action == 2:
                    for file in folder.iterdir():
                        file.unlink()
                    folder.rmdir() if not folder.is_symlink() else folder.unlink()
                else:
                    folder.symlink_to(outside)
            except OSError:
                pass

    thread = threading.Thread(target=disturb)
    thread.start()
    try:
        for _ in range(300):
            seen = look(watched)
            assert b"steady/steady.wav" in paths(seen)
            assert not any(b"foreign" in path for path in paths(seen))
    finally:
        over.set()
        thread.join()
