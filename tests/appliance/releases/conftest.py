"""Fixtures of the installation tests."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.releases.stand_in import StandIn


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StandIn:
    """An empty installation, with the environment of this process pointing to it."""
    made = StandIn(tmp_path)
    for name, value in made.environment.items():
        monkeypatch.setenv(name, value)
    for name in ("BACKLINE_KEYS", "BACKLINE_PACK", "BACKLINE_LOCK_FD", "BACKLINE_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    return made
