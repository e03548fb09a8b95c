"""Output folders and disks that cannot be written: one sentence each, and no file is left."""

from __future__ import annotations

import os
import resource
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from support.obeying_modes import obeying_modes
from support.small_render import render, tree

from appliance.audio.wav_writer import write_wav
from appliance.errors import OutputError
from appliance.rendering.publication import Publication


def refusal(out: Path, name: str = "take") -> str:
    with pytest.raises(OutputError) as caught:
        render(out, name)
    text = str(caught.value)
    assert "cannot be written" in text and text.endswith(".") and "\n" not in text
    return text


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
    """A file system of 1 MB."""
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
    """A limit on file size fails as a full disk does, at the header or in the middle, and needs no root."""
    blocks = [np.full((10_000, 2), 0.5, np.float32)] * 10
    with (
        pytest.raises(OutputError, match=r"take\.mix\.wav cannot be written") as caught,
        file_size_limit(limit),
        Publication(tmp_path / "out", "take") as publication,
    ):
        write_wav(publication.path("mix.wav"), blocks, 2, 100_000)
    assert "larger than this system" in str(caught.value)
    assert not list(tmp_path.iterdir())
