"""Files of chord charts: which ones a sidecar may name, and which texts look like one."""

from __future__ import annotations

import os
import re
from pathlib import Path

from appliance.errors import InputError
from appliance.watch.disk.folders import opened
from appliance.watch.disk.found import FoundFile, shown
from appliance.watch.inbox.scan import CHART_ENDINGS

_START_BYTES = 8 << 10
_TIMED = re.compile(r"\d+(\.\d*)?\s+\d+(\.\d*)?\s+\S")


def chart_path(sidecar: bytes, name: str) -> bytes:
    """The path of the chart that a sidecar calls ``name``. Raises InputError if it cannot be a chart."""
    if "/" in name or "\0" in name or name in (".", ".."):
        raise InputError(f"{shown(sidecar)}: chords: '{name}' must be the name of a file in the same folder.")
    chart = os.fsencode(name)
    if not chart.lower().endswith(CHART_ENDINGS):
        endings = ", ".join(ending.decode() for ending in CHART_ENDINGS)
        raise InputError(f"{shown(sidecar)}: chords: the name of a chord chart must end in {endings}.")
    return sidecar[: sidecar.rfind(b"/") + 1] + chart


def start_of(inbox: Path, text: FoundFile) -> str:
    """The first lines of a text file, at most 8 KiB. Raises OSError."""
    with opened(inbox, text.path) as descriptor:
        data = os.pread(descriptor, _START_BYTES, 0)
    start = data.decode("utf-8-sig", "replace")
    return start if len(data) < _START_BYTES else start.rpartition("\n")[0]


def is_chart(text: str) -> bool:
    """Whether ``text`` looks like a chord chart and not like lyrics: each line has bars or two times.

    >>> is_chart("| Am | F G |  # intro"), is_chart("0.0 2.5 Am"), is_chart("Lost in | a dream\\nof you")
    (True, True, False)
    """
    lines = [line for line in (line.partition("#")[0].strip() for line in text.splitlines()) if line]
    return bool(lines) and all("|" in line or _TIMED.match(line) for line in lines)
