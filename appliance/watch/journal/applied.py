"""Which companions a job was rendered with: only those are moved together with its vocal.

Kept as one fact, for the jobs that are at work or being put away, so that the tables stay as they are and an
older release can still read the journal.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from typing import Any

from appliance.watch.disk.found import FoundFile
from appliance.watch.journal.journal import Journal
from appliance.watch.journal.reader import Reader

APPLIED_FACT = "applied companions"


def record_applied(journal: Journal, job: int, files: Iterable[FoundFile]) -> None:
    """Remember with which companions ``job`` is rendered; those of ended jobs are forgotten."""
    known = {str(other.id) for other in journal.in_state("working", "published", "rejecting")}
    kept = {number: rows for number, rows in _read(journal).items() if number in known}
    kept[str(job)] = [[os.fsdecode(file.path), *file[1:5]] for file in files]
    journal.set_fact(APPLIED_FACT, json.dumps(kept))


def applied(journal: Reader, job: int) -> tuple[FoundFile, ...] | None:
    """The companions that ``job`` is, or was, rendered with, their ctime as 0; None if that is unknown."""
    rows = _read(journal).get(str(job))
    if rows is None:
        return None
    return tuple(
        FoundFile(os.fsencode(path), dev, inode, size, mtime_ns, 0)
        for path, dev, inode, size, mtime_ns in rows
    )


def _read(journal: Reader) -> dict[str, Any]:
    try:
        found = json.loads(journal.fact(APPLIED_FACT) or "{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
