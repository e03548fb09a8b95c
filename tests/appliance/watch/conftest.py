"""Fixtures of the tests of the watched folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.watch.intake_bench import Bench

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


@pytest.fixture
def bench(watched: Config) -> Iterator[Bench]:
    """Inbox, intake and journal with a simulated clock."""
    made = Bench(watched)
    yield made
    made.journal.close()
