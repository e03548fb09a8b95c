"""Sidecars that come, or change, while their vocal is rendered: only what was applied is archived."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.watch.in_process import InProcess, config_of

from appliance.watch.journal.applied import applied

JAZZ = 'style = "jazz"'
CHART = "| Am | F G | C |\n"


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[InProcess]:
    daemon = InProcess(config_of(tmp_path))
    yield daemon
    daemon.close()


def looks(daemon: InProcess, count: int = 5) -> None:
    for _ in range(count):
        daemon.now_s += 0.06
        daemon.intake.look(daemon.now_s)


@pytest.mark.parametrize("late", ["song.toml", "song.wav.toml", "song.chords"])
def test_what_comes_while_its_vocal_is_rendered_stays_and_is_named(
    daemon: InProcess, tmp_path: Path, capsys: pytest.CaptureFixture[str], late: str
) -> None:
    inbox, archive = tmp_path / "inbox", tmp_path / "archive"
    (inbox / "song.wav").write_bytes(b"la" * 100)
    daemon.start()
    (inbox / late).write_text(CHART if "chords" in late else JAZZ)
    (inbox / "song.done").touch()
    looks(daemon)
    assert daemon.intake.unused.why[late.encode()].startswith(
        "it came after song.wav was taken; once that is"
    )
    daemon.run()
    assert daemon.journal.counts() == {"done": 1}
    assert sorted(file.name for file in archive.iterdir() if file.name[0] != ".") == ["song.done", "song.wav"]
    assert (inbox / late).exists()
    assert f"A companion came too late and was not used. job=1 name={late}" in capsys.readouterr().err
    assert late.encode() in daemon.intake.unused.why
    (archive / "song.wav").rename(inbox / "song.wav")  # what it was told to do
    daemon.run()
    assert daemon.journal.counts() == {"done": 2}
    assert not (inbox / late).exists() and (archive / late).exists() and daemon.intake.unused.why == {}


def test_a_sidecar_that_is_changed_while_its_vocal_is_rendered(daemon: InProcess, tmp_path: Path) -> None:
    inbox = tmp_path / "inbox"
    (inbox / "song.toml").write_text(JAZZ)
    (inbox / "song.wav").write_bytes(b"la" * 100)
    daemon.start()
    (inbox / "song.toml").write_text('style = "pop"')
    daemon.run()
    assert (inbox / "song.toml").read_text() == 'style = "pop"'
    assert not (tmp_path / "archive" / "song.toml").exists()


def test_what_was_applied_is_archived_although_the_service_was_killed(tmp_path: Path) -> None:
    inbox = tmp_path / "inbox"
    daemon = InProcess(config_of(tmp_path))
    (inbox / "song.toml").write_text(JAZZ)
    (inbox / "song.wav").write_bytes(b"la" * 100)
    daemon.start()
    (job,) = daemon.journal.in_state("working")
    assert [file.path for file in applied(daemon.journal, job.id) or ()] == [b"song.toml"]
    (inbox / "song.chords").write_text(CHART)  # too late
    daemon.close()
    daemon = InProcess(config_of(tmp_path))  # the render begins anew, and now with the chart
    daemon.run()
    assert daemon.journal.counts()["done"] == 1
    assert {"song.toml", "song.chords", "song.wav"} <= {
        file.name for file in (tmp_path / "archive").iterdir()
    }
    daemon.close()


def test_a_rejected_vocal_takes_along_whatever_was_meant_for_it(daemon: InProcess, tmp_path: Path) -> None:
    inbox = tmp_path / "inbox"
    (inbox / "song.wav").write_bytes(b"refuse")
    for name in ("song.toml", "song.wav.toml"):
        (inbox / name).write_text(JAZZ)
    daemon.run()
    names = {file.name for file in (tmp_path / "rejected" / "song").iterdir()}
    assert names == {"reason.txt", "song.wav", "song.toml", "song.wav.toml"}
