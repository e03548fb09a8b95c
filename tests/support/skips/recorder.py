"""A pytest plugin: ``--record-skips=FILE`` appends a line of JSON for each test, with why it was skipped.

Several runs may write to one file, as ``make test`` and ``make machine`` do in CI. ``review`` reads it.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--record-skips",
        type=Path,
        metavar="FILE",
        help="append what was skipped and what ran, one line of JSON for each test",
    )


def pytest_configure(config: pytest.Config) -> None:
    file = config.getoption("--record-skips")
    if file is not None:
        config.pluginmanager.register(Recorder(file.absolute()))


class Recorder:
    """Keeps the reason for each skipped test, None for one that ran; writes all of them at the end."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._reasons: dict[str, str | None] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.skipped and not hasattr(report, "wasxfail"):
            self._reasons[report.nodeid] = _reason(report)
        elif report.when == "call" or report.failed:
            self._reasons[report.nodeid] = None

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """A module that skips itself as a whole, as with ``importorskip``."""
        if report.skipped:
            self._reasons[report.nodeid] = _reason(report)

    def pytest_sessionfinish(self) -> None:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        record = ({"test": test, "skipped": reason} for test, reason in self._reasons.items())
        with self._file.open("a") as file:  # all at once: another run may append to the same file
            file.write("".join(json.dumps(entry) + "\n" for entry in record))


def _reason(report: pytest.TestReport | pytest.CollectReport) -> str:
    """Without pytest's own prefix, on one line."""
    text = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    return " ".join(text.removeprefix("Skipped: ").split())
