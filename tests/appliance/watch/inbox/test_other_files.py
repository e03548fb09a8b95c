"""Files that lie beside recordings and are none: unfinished copies wait, the others are left and counted."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.watch.intake_bench import PATIENCE_S, Bench

from appliance.watch.inbox.other_files import kind_of_file, kind_of_folder
from appliance.watch.inbox.scan import Scan, scan
from appliance.watch.settings.config import Config

UNFINISHED = [
    *("song.wav.!sync", "song.wav.!Sync", "song.wav.bts", "song.wav.!qB", "song.wav.!ut", "song.wav.aria2"),
    *(
        "song.wav.mega",
        "song.wav.fdmdownload",
        "song.wav.ftpartial",
        "song.wav.uploading",
        "song.wav.incomplete",
    ),
    *(
        "song.wav.sb-1a2b3c4d-AbCdEf",
        "song.wav.part",
        "song.wav.crdownload",
        "song.wav.filepart",
        "~$song.docx",
    ),
    *("song.toml.part", "song.toml~", "~$song.toml", "song.wav.upload", "song.wav.lftp-pget-status"),
]
LEFT = {
    "project": (
        *("song.wav.reapeaks", "Take.RPP", "Take.rpp-bak", "song.wav.asd", "set.als", "song.pkf", "song.cpr"),
        *("song.ptx", "song.mp3.sfk", "song.wav.ovw", "song.aup3", "song.logicx", "song.mid", "song.gpk"),
    ),
    "picture": ("cover.jpg", "Cover.JPEG", "front.png", "scan.tiff", "IMG_1.HEIC"),
    "document": (
        "notes.pdf",
        "lyrics.docx",
        "read.md",
        "song.lrc",
        "list.m3u8",
        "set.cue",
        "sum.md5",
        "web.URL",
    ),
}
VOCALS = [
    "song.wav",
    "pdf",
    "song.wav.old",
    "song.m4a",
    "song.mp4",
    "album.zip",
    "x.jpg.wav",
    "reapeaks",
    ".wav x",
]
"""Whatever may have been meant to be rendered: it is, or it is rejected with a reason."""


def look(watched: Config) -> Scan:
    return scan(watched.folders.inbox, watched.intake)


@pytest.mark.parametrize("name", UNFINISHED)
def test_temporary_names_of_many_tools(name: str) -> None:
    assert kind_of_file(name) == "unfinished"


@pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind, names in LEFT.items() for name in names])
def test_what_music_software_and_people_leave(kind: str, name: str) -> None:
    assert kind_of_file(name) == kind


@pytest.mark.parametrize("name", VOCALS)
def test_what_may_have_been_meant_is_no_other_file(name: str) -> None:
    assert kind_of_file(name) == ""


def test_they_are_left_and_counted(watched: Config) -> None:
    inbox = watched.folders.inbox
    for name in (*UNFINISHED, *(name for names in LEFT.values() for name in names), "song.wav"):
        (inbox / name).write_text("x")
    for folder in ("Song.logicx", "song.wav.download", "song.sb-12345678-AbCdEf"):
        (inbox / folder / "deep").mkdir(parents=True)
        (inbox / folder / "deep" / "inner.wav").write_text("x")
    seen = look(watched)
    assert [found.path for found in seen.found] == [b"song.wav"] and seen.companions == ()
    assert seen.left == {
        "unfinished": len(UNFINISHED) + 2,
        "project": len(LEFT["project"]) + 1,
        "picture": len(LEFT["picture"]),
        "document": len(LEFT["document"]),
    }


def test_folders_of_projects_and_downloads() -> None:
    assert [
        kind_of_folder(name) for name in ("Song.logicx", "a.wav.download", "songs", "my.song.folder")
    ] == [
        "project",
        "unfinished",
        "",
        "",
    ]


@pytest.fixture
def bench(watched: Config) -> Iterator[Bench]:
    made = Bench(watched)
    yield made
    made.journal.close()


def test_none_is_queued_or_rejected(bench: Bench) -> None:
    for name in ("song.wav.reapeaks", "cover.jpg", "notes.pdf", "song.wav.!sync"):
        bench.put(name, "x")
    bench.run(2 * PATIENCE_S)
    assert bench.journal.counts() == {} and bench.intake.held == {}
    assert sorted(file.name for file in bench.inbox.iterdir() if file.name[0] != ".") == [
        *("cover.jpg", "notes.pdf", "song.wav.!sync", "song.wav.reapeaks"),
    ]


def test_a_patterns_of_the_settings_come_first(watched: Config) -> None:
    config = watched.model_copy(update={"intake": watched.intake.model_copy(update={"ignore": ("*.jpg",)})})
    (watched.folders.inbox / "cover.jpg").touch()
    assert look(config).left == {}


@pytest.mark.parametrize("mark", ["song.wav.aria2", "song.wav.lftp-pget-status", "song.wav.!st"])
def test_a_download_that_has_its_final_name_waits_for_its_mark_to_go(bench: Bench, mark: str) -> None:
    """aria2 and others write to the final name, whole in size, beside a file of their own."""
    bench.put("song.wav")
    file: Path = bench.put(mark, "state")
    bench.run(2 * PATIENCE_S)
    assert bench.queue() == [] and "is not complete" in bench.intake.held[b"song.wav"]
    file.unlink()
    bench.run(30.0)
    assert bench.queue() == ["song.wav"]
