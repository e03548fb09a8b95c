"""Invariants of inbox, outbox, archive, rejected and journal: at every moment, and when no work is left.

The checks are independent of the service: they hash files and read receipts and the journal's rows
themselves. The module imports nothing from the appliance, so it also runs in a machine with an older release.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import sqlite3
from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from appliance.watch.settings.config import Folders

WORK = ".backline-work"
FINAL = {"done", "rejected", "quarantined", "gone"}
OURS = {"reason.txt", ".backline"}


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def at_any_moment(folders: Folders, dropped: Mapping[str, str]) -> list[str]:
    """Violations that no moment allows: a lost vocal, or an incomplete or duplicate result.

    ``dropped`` has the hash of each vocal by its name.
    """
    kept = _contents(folders.inbox, folders.archive, folders.rejected)
    wrong = [f"{name} is lost" for name, digest in dropped.items() if not kept[digest]]
    whole = results(folders.outbox)
    wrong += [f"{result} is torn: {why}" for result in whole if (why := torn(result))]
    strays = [file for file in _files(folders.outbox) if not {*file.parents} & {*whole}]
    wrong += [f"{file} belongs to no result" for file in strays]
    # The same recording under another name has its own result; a second result has a number.
    jobs = Counter((_job(result), re.sub(r"-\d+$", "", str(result))) for result in whole)
    return wrong + [f"there are {count} results {name}" for (_, name), count in jobs.items() if count > 1]


def when_quiet(folders: Folders, dropped: Mapping[str, str]) -> list[str]:
    """Violations when no work is left.

    Every vocal is in exactly one folder other than the inbox, every done job has exactly one result and no
    other job has any, no unfinished file is left, and the journal agrees.
    """
    wrong = at_any_moment(folders, dropped)
    kept = _contents(folders.inbox, folders.archive, folders.rejected)
    wanted = Counter(dropped.values())
    for name, digest in dropped.items():
        if kept[digest] > wanted[digest]:
            wrong.append(f"{name} is there {kept[digest]} times")
    waiting = [file for file in _files(folders.inbox) if file.name not in OURS]
    wrong += [f"{file} still lies in the inbox" for file in waiting]
    for root in (folders.outbox, folders.archive, folders.rejected):
        wrong += [f"{file} was left behind" for file in (root / WORK).rglob("*")]
        wrong += [f"{file} is a temporary" for file in _files(root) if file.name.startswith(".")]
    return wrong + _journal(folders)


def results(outbox: Path) -> list[Path]:
    """Folders with a receipt."""
    return sorted({file.parent for file in _files(outbox) if file.name.endswith(".receipt.json")})


def torn(result: Path) -> str:
    """Why a result is incomplete; '' if it is complete."""
    listed: set[Path] = set()
    for receipt in sorted(result.glob("*.receipt.json")):
        facts = json.loads(receipt.read_text())
        listed |= {receipt, *(result / name for name in facts["files"])}
        for name, digest in facts["files"].items():
            if not (result / name).is_file():
                return f"{name} is missing"
            if sha256(result / name) != digest:
                return f"{name} is not what the receipt says"
    more = {file for file in result.rglob("*") if file.is_file()} - listed
    return f"{sorted(more)} are in no receipt" if more else ""


def _journal(folders: Folders) -> list[str]:
    with sqlite3.connect(folders.state / "journal.db") as db:
        (verdict,) = db.execute("PRAGMA integrity_check").fetchone()
        rows = db.execute("SELECT id, state, key, name, content_sha256 FROM jobs").fetchall()
    db.close()
    wrong = [] if verdict == "ok" else [f"the journal is damaged: {verdict}"]
    wrong += [f"job {job} is still {state}" for job, state, *_ in rows if state not in FINAL]
    made = Counter(_job(result) for result in results(folders.outbox))
    done = [(key, name) for _, state, key, name, _ in rows if state == "done"]
    if made != Counter(key for key, _ in done):
        wrong.append(f"results and done jobs do not agree: {made}, {done}")
    for key, name in done:
        if not (folders.outbox / os.fsdecode(name)).is_dir():
            wrong.append(f"{os.fsdecode(name)!r} of {key[:12]} is not in the outbox")
    archived, refused = _contents(folders.archive), _contents(folders.rejected)
    for _, state, _, _, digest in rows:
        if state == "done" and not archived[digest]:
            wrong.append(f"{digest[:12]} is done and not in the archive")
        if state in ("rejected", "quarantined") and not refused[digest]:
            wrong.append(f"{digest[:12]} is {state} and not in rejected")
    reasons = [file.parent for file in _files(folders.rejected) if file.name == "reason.txt"]
    wrong += [f"{place} has a reason and no vocal" for place in reasons if len(list(place.iterdir())) < 2]
    return wrong


def _job(result: Path) -> str:
    return str(json.loads(next(result.glob("*.receipt.json")).read_text())["job"])


def _contents(*roots: Path) -> Counter[str]:
    """Files by their hash, without those that are renamed or removed meanwhile."""
    found = Counter[str]()
    for root in roots:
        for file in _files(root):
            with suppress(FileNotFoundError):
                found[sha256(file)] += 1
    return found


def _files(root: Path) -> Iterable[Path]:
    """Files that users see: what lies in the work folder is nobody's."""
    for place, folders, names in os.walk(root):
        folders[:] = [name for name in folders if name != WORK]
        yield from (Path(place) / name for name in names)
