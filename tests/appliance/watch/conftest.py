"""Fixtures of the tests of the watched folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from appliance.watch.settings.config import Config


@pytest.fixture
def watched(tmp_path: Path) -> Config:
    """Settings with short times; all five folders and the sentinel exist."""
    names = ("inbox", "outbox", "archive", "rejected", "state")
    for name in names:
        (tmp_path / name).mkdir()
    (tmp_path / "inbox" / ".backline").touch()
    return Config.model_validate(
        {
            "folders": {name: str(tmp_path / name) for name in names},
            "intake": {"settle_s": 0.2, "scan_s": 0.05, "patience_s": 5.0, "silent_tail_s": 1.0},
        }
    )
