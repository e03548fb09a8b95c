"""A tiny checkpoint and its exported graphs, made once for all tests of the room."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.tiny_checkpoint import write_tiny_checkpoint

from export.__main__ import export


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_checkpoint(tmp_path_factory.mktemp("tiny") / "checkpoint")


@pytest.fixture(scope="session")
def out(checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tiny") / "graphs"
    export(checkpoint, folder)
    return folder
