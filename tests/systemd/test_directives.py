"""Each directive of our units is known to systemd 239, or on the list of those that ``doctor`` reports.

The versions are not ours: ``tests/data/systemd`` has them from systemd's source and manual pages.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from appliance.releases.confinement import OLDEST_SYSTEMD, OPTIONAL_DIRECTIVES

TYPES_OF_239 = {"simple", "forking", "oneshot", "dbus", "notify", "idle"}
"""systemd.service(5): ``exec`` came with 240, ``notify-reload`` with 253."""


@pytest.fixture(scope="module")
def known(root: Path) -> set[str]:
    """The directives of systemd 239."""
    text = (root / "tests/data/systemd/directives-of-239.txt").read_text()
    return {line for line in text.splitlines() if not line.startswith("#")}


@pytest.fixture(scope="module")
def newer(root: Path) -> dict[str, int]:
    """Newer directives, with the version that brought each."""
    text = (root / "tests/data/systemd/newer-directives.txt").read_text()
    rows = [line.split() for line in text.splitlines() if not line.startswith("#")]
    return {name: int(version) for name, version in rows}


def used(root: Path) -> dict[str, set[str]]:
    """The directives of all units and drop-ins, with their values."""
    found: dict[str, set[str]] = {}
    files = [*(root / "systemd").glob("*.service"), *(root / "systemd").glob("*.conf")]
    assert len(files) >= 6
    for file in files:
        for line in file.read_text().replace("\\\n", " ").splitlines():
            if match := re.match(r"([A-Z][A-Za-z]+)=(.*)", line):
                found.setdefault(match[1], set()).add(match[2])
    return found


def test_no_directive_is_newer_than_239_unless_doctor_reports_it(root: Path, known: set[str]) -> None:
    assert OLDEST_SYSTEMD == 239 and len(known) > 250
    optional = {measure.name for measure in OPTIONAL_DIRECTIVES}
    assert used(root).keys() - known == optional


def test_each_optional_directive_names_the_version_that_brought_it(newer: dict[str, int]) -> None:
    assert {m.name: m.since for m in OPTIONAL_DIRECTIVES} == {
        m.name: f"systemd {newer[m.name]}" for m in OPTIONAL_DIRECTIVES
    }
    assert all(measure.missing.endswith(".") for measure in OPTIONAL_DIRECTIVES)


def test_the_kinds_of_services_are_those_of_239(root: Path) -> None:
    assert used(root)["Type"] <= TYPES_OF_239


def test_the_newer_list_contradicts_no_older_one(known: set[str], newer: dict[str, int]) -> None:
    assert not known & newer.keys() and min(newer.values()) > OLDEST_SYSTEMD
