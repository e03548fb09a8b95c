"""Fixtures for all tests: where the data is, and a skip where it is missing."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.composing_pack import composing_pack  # noqa: F401 - a fixture for all
from support.fake_pack import fake_pack  # noqa: F401 - a fixture for all

pytest_plugins = ["support.skips.recorder"]

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(autouse=True)
def umask_stays() -> Iterator[None]:
    """Sets the umask back, which a daemon in this process changes."""
    before = os.umask(0o022)
    os.umask(before)
    yield
    os.umask(before)


@pytest.fixture(autouse=True)
def no_handler_stays() -> Iterator[None]:
    """Resets SIGCHLD after each test, because torch's loader leaves a handler behind.

    With torch, onnx and OpenVINO in one process a caught signal can crash it (the handler returns to
    address 0). Only the tests load all three.
    """
    yield
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Commands under test keep compiled graphs and profiles here, not in the home of the developer."""
    os.environ["XDG_CACHE_HOME"] = str(tmp_path_factory.mktemp("cache"))
    os.environ["XDG_STATE_HOME"] = str(tmp_path_factory.mktemp("state"))


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout."""
    return ROOT


@pytest.fixture(scope="session")
def shared() -> Path:
    """Folder with ``corpus/`` and ``vocals/``: ``$BACKLINE_SHARED``, else ``shared`` beside the checkout."""
    folder = Path(os.environ.get("BACKLINE_SHARED") or ROOT.parent / "shared")
    if not (folder / "corpus" / "ledger.csv").is_file():
        pytest.skip(f"no corpus at {folder}; set BACKLINE_SHARED to the folder that holds it")
    return folder


@pytest.fixture(scope="session")
def reference_pack() -> Path:
    """The pack of the repository."""
    folder = ROOT / "packs" / "reference"
    if not (folder / "pack.json").is_file():
        pytest.skip("the reference pack is not built: packs/reference/pack.json is missing")
    return folder


@pytest.fixture(scope="session")
def demo_vocal() -> Path:
    """The recording that ``make demo`` renders."""
    file = ROOT / "demo" / "vocal.flac"
    if not file.is_file():
        pytest.skip("the demo vocal is not built: demo/vocal.flac is missing")
    return file
