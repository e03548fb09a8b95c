"""Files out: everything or nothing, whatever happens; and the WAV files themselves."""

from __future__ import annotations

import errno
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from support.obeying_modes import obeying_modes
from support.small_render import render, tree

from appliance.audio.wav_writer import write_wav
from appliance.errors import OutputError
from appliance.files.write_errors import writing
from appliance.rendering.publication import RESULT_ENDINGS, STEM_ENDINGS, STEMS_FOLDER, Publication

TESTS = Path(__file__).parents[2]


def whole(name: str) -> list[str]:
    results = [f"{name}.{e}" for e in RESULT_ENDINGS]
    return sorted([*results, *(f"{STEMS_FOLDER}/{name}.{e}" for e in STEM_ENDINGS)])


def refusal(out: Path, name: str = "take") -> str:
    with pytest.raises(OutputError) as caught:
        render(out, name)
    text = str(caught.value)
    assert "cannot be written" in text and text.endswith(".") and "\n" not in text
    return text


def test_everything_appears_in_its_place(tmp_path: Path) -> None:
    out = tmp_path / "new" / "results"
    assert render(out) == "take"
    assert tree(out) == whole("take")


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, SystemExit, OSError])
def test_nothing_remains_of_a_render_that_fails(tmp_path: Path, error: type[BaseException]) -> None:
    with pytest.raises(error), Publication(tmp_path / "a" / "b", "take") as publication:
        publication.path("mix.wav").write_text("half")
        publication.path("keys.wav", folder=STEMS_FOLDER).write_text("half")
        (publication.folder / "work").write_text("work")
        raise error
    assert not list(tmp_path.iterdir())


def test_a_folder_that_was_there_stays(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(RuntimeError), Publication(tmp_path, "take"):
        raise RuntimeError
    assert tree(tmp_path) == ["mine.txt"]


def test_a_taken_name_gets_a_number(tmp_path: Path) -> None:
    assert [render(tmp_path, text=t) for t in ("first", "second", "third")] == ["take", "take-2", "take-3"]
    assert (tmp_path / "take.mix.wav").read_text() == "first"
    assert (tmp_path / "stems" / "take-3.bass.wav").read_text() == "third"
    assert tree(tmp_path) == sorted([*whole("take"), *whole("take-2"), *whole("take-3")])


@pytest.mark.parametrize("mine", ["take.mid", "stems/take.drums.wav", "take.receipt.json"])
def test_somebody_elses_file_is_enough_to_take_a_name(tmp_path: Path, mine: str) -> None:
    (tmp_path / mine).parent.mkdir(exist_ok=True)
    (tmp_path / mine).write_text("mine")
    assert render(tmp_path) == "take-2"
    assert (tmp_path / mine).read_text() == "mine"


def test_the_vocal_beside_the_results_takes_no_name(tmp_path: Path) -> None:
    for name in ("take.wav", "take.2.wav", "take.txt", "take"):
        (tmp_path / name).write_text("vocal")
    assert render(tmp_path) == "take"
    assert (tmp_path / "take.wav").read_text() == "vocal"


def test_overwriting_replaces_the_old_render_whole(tmp_path: Path) -> None:
    render(tmp_path)
    (tmp_path / "stems" / "take.vox.wav").write_text("mine")
    assert render(tmp_path, text="over", stems=("keys.wav",)) == "take"
    assert tree(tmp_path) == sorted(
        [*(f"take.{e}" for e in RESULT_ENDINGS), "stems/take.keys.wav", "stems/take.vox.wav"]
    )
    assert (tmp_path / "take.mid").read_text() == "over"


def test_the_old_render_comes_back_if_the_new_one_cannot_be_placed(tmp_path: Path) -> None:
    render(tmp_path, text="old")
    before = tree(tmp_path)
    (tmp_path / "take.extra").mkdir()
    with (
        pytest.raises(OutputError, match=r"take\.extra cannot be written: a folder"),
        Publication(tmp_path, "take", overwrite=True) as publication,
    ):
        for ending in ("mix.wav", "extra"):
            publication.path(ending).write_text("new")
    assert tree(tmp_path) == before
    assert (tmp_path / "take.mix.wav").read_text() == "old"


def test_a_failing_rename_undoes_those_before_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    render(tmp_path, text="old")
    before = tree(tmp_path)
    rename = Path.rename

    def failing(self: Path, target: Path) -> Path:
        if "files" in self.parts and self.name == "take.mid":
            raise OSError(errno.EIO, "Input/output error")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", failing)
    with pytest.raises(OutputError, match="the disk reports an error"):
        render(tmp_path, text="over")
    assert tree(tmp_path) == before
    assert {(tmp_path / p).read_text() for p in before} == {"old"}


def test_a_file_that_appears_meanwhile_is_not_lost(tmp_path: Path) -> None:
    with (
        pytest.raises(OutputError, match="something else has that name"),
        Publication(tmp_path, "take") as publication,
    ):
        publication.path("mix.wav").write_text("new")
        (tmp_path / "take.mix.wav").write_text("mine")
    assert tree(tmp_path) == ["take.mix.wav"]
    assert (tmp_path / "take.mix.wav").read_text() == "mine"


def test_two_renders_of_one_name_at_once(tmp_path: Path) -> None:
    with Publication(tmp_path, "take") as one, Publication(tmp_path, "take", overwrite=True) as other:
        assert (one.name, other.name) == ("take", "take-2")
        one.path("mid").write_text("one")
        other.path("mid").write_text("other")
    assert tree(tmp_path) == ["take-2.mid", "take.mid"]


SLOW_RENDER = """
import os, signal, sys, time
from pathlib import Path
from appliance.rendering.publication import Publication
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGTERM, signal.default_int_handler)
try:
    with Publication(Path(sys.argv[1]), "take") as publication:
        publication.path("mix.wav").write_text("half")
        publication.path("mid").write_text("half")
        print("ready", flush=True)
        time.sleep(60)
except KeyboardInterrupt:
    sys.exit(130)
"""


@contextmanager
def slow_render(out: Path) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen([sys.executable, "-c", SLOW_RENDER, out], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None and process.stdout.readline() == "ready\n"
        yield process
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_process_leaves_nothing(tmp_path: Path, number: signal.Signals) -> None:
    with slow_render(tmp_path / "out") as process:
        assert tree(tmp_path)
        process.send_signal(number)
        assert process.wait(timeout=30) == 130
    assert not list(tmp_path.iterdir())


def test_what_a_killed_process_leaves_is_hidden_and_cleared_by_the_next(tmp_path: Path) -> None:
    with slow_render(tmp_path) as process:
        assert render(tmp_path) == "take-2"  # the name is claimed while its owner lives
        process.kill()
        process.wait()
        left = [p for p in tree(tmp_path) if p not in whole("take-2")]
        assert left and all(p.startswith(".take.part/") for p in left)
    assert render(tmp_path, text="later") == "take"
    assert tree(tmp_path) == sorted([*whole("take"), *whole("take-2")])


INTERRUPTS_ITSELF = """
import os, signal, sys
from pathlib import Path
from support.small_render import render

signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job ignores it
rename = Path.rename

def interrupted(self, target):
    os.kill(os.getpid(), signal.SIGINT)
    return rename(self, target)

Path.rename = interrupted
try:
    render(Path(sys.argv[1]))
except KeyboardInterrupt:
    sys.exit(130)
"""


def test_ctrl_c_while_publishing_waits_until_all_is_there(tmp_path: Path) -> None:
    # In a process of its own: libraries that other tests load leave signal stacks behind.
    command = [sys.executable, "-c", INTERRUPTS_ITSELF, str(tmp_path)]
    done = subprocess.run(command, cwd=TESTS, capture_output=True, text=True, check=False)
    assert done.returncode == 130, done.stderr
    assert tree(tmp_path) == whole("take")


# What can prevent it: one sentence each, nothing left.


def test_out_is_a_file_or_lies_in_one(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    assert "is a file, not a folder" in refusal(tmp_path / "file")
    assert "is a file, not a folder" in refusal(tmp_path / "file" / "deeper")
    assert tree(tmp_path) == ["file"]


@pytest.mark.parametrize("length", [238, 300])
def test_a_name_too_long_is_refused_before_the_work(tmp_path: Path, length: int) -> None:
    with (
        pytest.raises(OutputError, match="too long"),
        Publication(tmp_path / "out", "n" * length),
    ):
        pytest.fail("the work has begun")
    assert not list(tmp_path.iterdir())


def test_no_permission(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir(mode=0o555)
    with obeying_modes():
        assert "may not write there" in refusal(out)
        assert "may not write there" in refusal(out / "new" / "folder")
    assert not list(out.iterdir())


@contextmanager
def small_disk(folder: Path, options: str) -> Iterator[Path]:
    """A disk of 1 MB."""
    if os.geteuid() != 0:
        pytest.skip("only root can mount")
    folder.mkdir()
    mount = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size=1m,{options}", "none", folder], capture_output=True, check=False
    )
    if mount.returncode != 0:
        pytest.skip("this machine lets nobody mount")
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)


@pytest.mark.privileged
def test_full_disk(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", "rw") as out:
        with pytest.raises(OutputError, match="disk is full"), Publication(out, "take") as publication:
            publication.path("mid").write_text("fits")
            loud = np.full((44_100, 2), 0.5, np.float32)
            write_wav(publication.path("mix.wav"), [loud] * 10, 2, 441_000)
        assert tree(out) == []
        with pytest.raises(OutputError, match="disk is full"), Publication(out, "take") as publication:
            publication.path("receipt.json").write_text("x" * 2_000_000)
        assert tree(out) == []
        with (
            pytest.raises(OutputError, match=r"needs 2\.0 GB and the disk has 0\.0 GB"),
            Publication(out, "take") as publication,
        ):
            publication.need_bytes(2_000_000_000)
        assert tree(out) == []


@pytest.mark.privileged
def test_read_only_disk(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", "ro") as out:
        assert "read-only" in refusal(out)


@contextmanager
def file_size_limit(limit: int) -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("limit", [0, 20, 100_000])
def test_a_file_that_may_not_grow(tmp_path: Path, limit: int) -> None:
    """As on a full disk, but for everyone: the error comes at the header, or in the middle."""
    blocks = [np.full((10_000, 2), 0.5, np.float32)] * 10
    with (
        pytest.raises(OutputError, match=r"take\.mix\.wav cannot be written") as caught,
        file_size_limit(limit),
        Publication(tmp_path / "out", "take") as publication,
    ):
        write_wav(publication.path("mix.wav"), blocks, 2, 100_000)
    assert "larger than this system" in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_an_error_that_is_not_about_the_results_stays_itself(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), Publication(tmp_path, "take"):
        (tmp_path / "missing.txt").read_text()
    with pytest.raises(OutputError, match=r"x\.mid cannot be written: .*folder"), writing(Path("a/x.mid")):
        raise IsADirectoryError(errno.EISDIR, "is a directory")
