"""Sidecars built to exhaust the parser: they reject their vocal with a reason, at little cost."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.errors import InputError
from appliance.watch.inbox.reference_hashes import ReferenceHashes
from appliance.watch.inbox.scan import scan
from appliance.watch.inbox.settling import Tracker
from appliance.watch.inbox.sidecar import read_asked
from appliance.watch.settings.config import Config

HOSTILE = {
    "lists in lists": "a = " + "[" * 8000,
    "lists in lists, line by line": "a = " + "[\n" * 7000,
    "tables in tables": "a = " + "{a = " * 3000 + "1" + "}" * 3000,
    "a key of a hundred thousand parts": "a" + ".a" * 100_000 + " = 1",
    "a key of four thousand parts": "a" + ".a" * 4000 + " = 1",
    "a table of a hundred thousand parts": "[a" + ".a" * 100_000 + "]",
    "more digits than Python reads": "seed = 1" + "0" * 5000,
    "more digits than Python writes": "seed = 0x1" + "0" * 5000,
    "many digits": "seed = 0x1" + "0" * 450,
    "as many lines of parts as there may be": "\n".join(f"k{i}" + ".a" * 240 + " = 1" for i in range(33)),
    "a name of control characters": '"\\u001b[31m\\u0000" = 1',
    "not a number": "bpm = nan",
    "endless": "bpm = inf",
    "a date": "takes = 1979-05-27",
}


@pytest.fixture(autouse=True)
def little_memory() -> Iterator[None]:
    """Limit memory to 1 GB more than now, so that a runaway parser ends with a MemoryError."""
    before = resource.getrlimit(resource.RLIMIT_AS)
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + (1 << 30), before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_AS, before)


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("name", ["backline.toml", "song.toml"])
def test_settings_built_to_do_harm_are_refused(watched: Config, name: str, text: str) -> None:
    (watched.folders.inbox / name).write_text(text)
    tracker = Tracker(10.0)
    tracker.observe(0.0, scan(watched.folders.inbox, watched.intake))
    with pytest.raises(InputError, match=name.replace(".", r"\.")) as caught:
        read_asked(
            watched.folders.inbox,
            b"song.wav",
            tracker,
            100.0,
            watched.work,
            ReferenceHashes(watched.folders.inbox, watched.intake),
        )
    assert len(str(caught.value)) < 1000
