"""Checks of settled files, with real files and real writers."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from appliance.watch.disk.found import found_of
from appliance.watch.inbox.stillness import LOCAL, Stillness, filesystem, stillness, wait_s
from appliance.watch.settings.config import IntakeSettings

SOUND = os.urandom(200_000)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "song.wav"
    path.write_bytes(SOUND)
    with path.open("rb") as opened:
        if filesystem(opened.fileno()) not in LOCAL:
            pytest.skip("temporary files lie on a file system that knows no leases")
    return path


def judged(path: Path) -> Stillness:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        return stillness(descriptor, found_of(b"song.wav", os.fstat(descriptor)))
    finally:
        os.close(descriptor)


@contextmanager
def another_process(code: str, path: Path) -> Iterator[None]:
    """A Python process that keeps a file open until its input closes."""
    program = f"import sys\npath = sys.argv[1]\n{code}\nprint(flush=True)\nsys.stdin.read()"
    command = [sys.executable, "-S", "-c", program, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield
        process.communicate(b"")


def test_a_whole_file_is_still(file: Path) -> None:
    assert judged(file) is Stillness.STILL


@pytest.mark.parametrize(
    "code",
    [
        "file = open(path, 'ab')",
        "file = open(path, 'r+b')",
        "import mmap; file = open(path, 'r+b'); m = mmap.mmap(file.fileno(), 0); file.close()",
    ],
)
def test_a_writer_elsewhere_is_noticed(file: Path, code: str) -> None:
    """Also a writer with a memory map, whose writes do not change the file's times."""
    with another_process(code, file):
        assert judged(file) is Stillness.BUSY
    assert judged(file) is Stillness.STILL


def test_readers_do_not_matter(file: Path) -> None:
    with another_process("file = open(path, 'rb')", file):
        assert judged(file) is Stillness.STILL


@pytest.mark.slow
def test_who_opens_the_file_meanwhile_does_not_kill_us(file: Path) -> None:
    """The kernel's signal about a new writer is ignored, and the lease is released."""
    writer = subprocess.Popen(
        [sys.executable, "-S", "-c", "import sys\nwhile True: open(sys.argv[1], 'r+b').close()", str(file)]
    )
    try:
        seen = {judged(file) for _ in range(3000)}
    finally:
        writer.kill()
        writer.wait()
    assert seen <= {Stillness.BUSY, Stillness.STILL, Stillness.CHANGED}


def test_reserved_space_is_a_gap(file: Path) -> None:
    with file.open("r+b") as opened:
        os.posix_fallocate(opened.fileno(), 0, 400_000)
    assert judged(file) is Stillness.GAPS
    with file.open("r+b") as opened:
        opened.truncate(200_000)
    assert judged(file) is Stillness.STILL


def test_the_rest_of_a_block_that_was_begun_is_a_silent_tail(file: Path) -> None:
    with file.open("wb") as opened:
        os.posix_fallocate(opened.fileno(), 0, 100_000)
        opened.write(SOUND[:99_000])  # the missing part is in the last block, which is not a hole
    assert judged(file) is Stillness.SILENT_TAIL


def test_a_size_set_first_is_a_gap(tmp_path: Path, file: Path) -> None:
    sized = tmp_path / "sized.wav"
    with sized.open("wb") as opened:
        opened.truncate(1_000_000)
        opened.write(SOUND)
    assert judged(sized) is Stillness.GAPS
    with sized.open("r+b") as opened:  # the end is written first, the middle is missing
        opened.seek(900_000)
        opened.write(SOUND[:100_000])
    assert judged(sized) is Stillness.GAPS


@pytest.mark.parametrize(("zeros", "expected"), [(32, Stillness.SILENT_TAIL), (31, Stillness.STILL)])
def test_a_tail_of_written_zeros(file: Path, zeros: int, expected: Stillness) -> None:
    with file.open("ab") as opened:
        opened.write(b"\x01" + bytes(zeros))
    assert judged(file) is expected


def test_an_empty_file(file: Path) -> None:
    file.write_bytes(b"")
    assert judged(file) is Stillness.EMPTY


def test_a_change_since_it_was_found(file: Path) -> None:
    descriptor = os.open(file, os.O_RDONLY)
    found = found_of(b"song.wav", os.fstat(descriptor))
    file.chmod(0o600)  # even this is detected, by the ctime
    assert stillness(descriptor, found) is Stillness.CHANGED
    os.close(descriptor)


def test_how_long_each_is_waited_for() -> None:
    intake = IntakeSettings()
    waits = {what: wait_s(what, intake) for what in Stillness}
    assert waits[Stillness.STILL] == 0
    assert waits[Stillness.BUSY] == waits[Stillness.CHANGED] == float("inf")
    assert waits[Stillness.SILENT_TAIL] == 60.0
    assert waits[Stillness.GAPS] == waits[Stillness.ZEROS] == waits[Stillness.EMPTY] == 600.0
