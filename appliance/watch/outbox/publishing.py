"""Publish results and move vocals, in this order: result, journal, source; or reason, source, journal.

One rename publishes a result, when its folder is complete and synced. Its receipt names the job, so that a
result is recognised after a kill between the rename and the journal's commit, and no job publishes twice. For
a rejected vocal, the folder with ``reason.txt`` is created first and the vocal is moved into it; a reference
in the text identifies the folder later. At every moment the vocal is in exactly one of inbox, archive and
rejected.

Only the daemon calls these functions. Each can be repeated after an interruption at any point.
"""

from __future__ import annotations

import json
import os
from collections.abc import Generator, Sequence
from contextlib import suppress
from pathlib import Path

from appliance.system.syscalls import rename_new
from appliance.watch.disk.folders import (
    WORK,
    Access,
    clear,
    entries,
    exists,
    folder,
    free_parents,
    numbered,
    opened,
    seal,
    write_file,
)
from appliance.watch.disk.moving import PRIVATE, find_copy, hashed, move_file, rename_to_free
from appliance.watch.engine.messages import SETTINGS_NAME

REASON_NAME = b"reason.txt"
RESULT_NAME = b"result"

_RECEIPT_ENDING = b".receipt.json"
_LARGEST_RECEIPT_BYTES = 64 << 20
_LARGEST_REASON_BYTES = 64 << 10
_MAX_NUMBER = 100_000


def job_folder(job: int) -> bytes:
    """The work folder of a job, relative to the outbox."""
    return WORK + b"/%d" % job


def fresh_work(outbox: Path, job: int, settings: str) -> Path:
    """Create an empty work folder for ``job`` with its settings; leftovers of an earlier attempt are removed.

    Raises OSError.
    """
    name = b"%d" % job
    with folder(outbox, WORK, make=PRIVATE) as work:
        clear(work, name)
        os.mkdir(name, 0o700, dir_fd=work)
        with folder(work, name) as place:
            write_file(place, SETTINGS_NAME.encode(), settings.encode("ascii"))
    return outbox / os.fsdecode(job_folder(job))


def clear_work(root: Path, job: int | None = None) -> None:
    """Remove all unfinished files from outbox, archive or rejected, or those of ``job``. Raises OSError."""
    try:
        with folder(root, WORK) as work:
            for entry in entries(work) if job is None else [b"%d" % job]:
                clear(work, entry)
    except FileNotFoundError:
        if not root.is_dir():
            raise


def holds_result(outbox: Path, name: bytes, key: str) -> bool:
    """Whether the outbox folder ``name`` is the result of the job with this key."""
    try:
        with folder(outbox, name) as result:
            for entry in entries(result):
                if entry.endswith(_RECEIPT_ENDING):
                    with opened(result, entry) as receipt:
                        return _job_of(receipt) == key
    except OSError:  # missing, not a folder, or unreadable
        pass
    return False


def _job_of(receipt: int) -> str | None:
    """The job key in an open receipt; None if there is none, because users may have changed the file."""
    data = os.pread(receipt, _LARGEST_RECEIPT_BYTES, 0)
    try:
        facts = json.loads(data)
    except (ValueError, RecursionError):
        return None
    job = facts.get("job") if isinstance(facts, dict) else None
    return job if isinstance(job, str) else None


def keeps_result(outbox: Path, name: bytes, key: str) -> bool:
    """As :func:`holds_result`; also syncs the result and its name to the disk. Raises OSError."""
    if not holds_result(outbox, name, key):
        return False
    with folder(outbox, name) as result, folder(outbox, name.rpartition(b"/")[0]) as parent:
        os.fsync(result)
        os.fsync(parent)
    return True


def publish(outbox: Path, job: int, name: bytes, access: Access) -> bool:
    """Move the job's result from its work folder to ``name`` in the outbox, and sync the move.

    Returns False, without a change, if that name exists already. Raises OSError.
    """
    above, _, last = name.rpartition(b"/")
    with folder(outbox, job_folder(job)) as work, folder(outbox, above, make=access) as parent:
        try:
            rename_new(work, RESULT_NAME, parent, last)
        except FileExistsError:
            return False
        os.fsync(parent)
        os.fsync(work)
    return True


def move_to_archive(
    inbox: Path, source: bytes, sha256: str, companions: Sequence[bytes], archive: Path, access: Access
) -> Generator[None, None, bytes | None]:
    """Move a rendered vocal and its companions to the archive; returns the vocal's new path there.

    Returns None if the vocal is no longer in the inbox. If a new file has its name, that file and its
    companions stay. Raises OSError.
    """
    place = yield from move_file((inbox, source), sha256, (archive, source), access)
    if not exists(inbox, source):
        if place is None:  # moved before an interruption, or removed by a user
            there = free_parents(archive, source)
            with suppress(FileNotFoundError), folder(archive, there.rpartition(b"/")[0]) as above:
                place = yield from find_copy(there, above, sha256)
        yield from _companions(inbox, companions, archive, b"", access)
    return place


def move_to_rejected(
    vocal: tuple[Path, bytes],
    sha256: str,
    companions: Sequence[bytes],
    wanted: tuple[Path, bytes],
    reason: tuple[str, str],
    access: Access,
) -> Generator[None, None, bytes | None]:
    """Move an unusable vocal and its companions into the folder ``wanted``, or a numbered one.

    ``vocal`` and ``wanted`` are each a root and a path below it. ``reason`` is the text of ``reason.txt`` and
    the reference in it, which is unique to the job. Returns the vocal's new path below the root, or None if
    it is no longer in the inbox or a new file has its name. An unreadable vocal is moved without checking its
    hash. Raises OSError.
    """
    (inbox, source), root = vocal, wanted[0]
    wanted = (root, free_parents(*wanted))
    try:
        with opened(inbox, source) as descriptor:
            there = (yield from hashed(descriptor)) == sha256
    except (FileNotFoundError, NotADirectoryError):
        there = False
    except PermissionError:
        there = True
    own = _own_folder(*wanted, reason[1])
    if own is None:
        if not there:
            return None
        own = _reason_folder(*wanted, reason[0], access)
    place: bytes | None = own + b"/" + source.rpartition(b"/")[2]
    if there:
        place = yield from move_file(vocal, sha256, (root, own + b"/" + source.rpartition(b"/")[2]), access)
    if not exists(inbox, source):
        yield from _companions(inbox, companions, root, own, access)
    return place


def _companions(
    inbox: Path, companions: Sequence[bytes], root: Path, above: bytes, access: Access
) -> Generator[None, None, None]:
    """Move the companions of a vocal to the same paths below ``root``, or into the folder ``above``."""
    for companion in companions:
        try:
            with opened(inbox, companion) as descriptor:
                sha256 = yield from hashed(descriptor)
        except (FileNotFoundError, NotADirectoryError):
            continue
        place = above + b"/" + companion.rpartition(b"/")[2] if above else companion
        yield from move_file((inbox, companion), sha256, (root, place), access)


def _own_folder(root: Path, wanted: bytes, reference: str) -> bytes | None:
    """The folder that an interrupted attempt has created for this job; None if there is none."""
    with folder(root) as top:
        for number in range(1, _MAX_NUMBER):
            name = numbered(wanted, number)
            try:
                with folder(top, name) as place, opened(place, REASON_NAME) as text:
                    if reference.encode() in os.pread(text, _LARGEST_REASON_BYTES, 0):
                        return name
            except OSError:  # missing, not a folder, or without reason.txt
                if not exists(top, name):
                    return None
    return None


def _reason_folder(root: Path, wanted: bytes, text: str, access: Access) -> bytes:
    """Create a folder with its ``reason.txt``; it is renamed into place once it is synced."""
    above = wanted.rpartition(b"/")[0]
    with folder(root, WORK, make=PRIVATE) as work, folder(root, above, make=access) as parent:
        clear(work, b"reason")
        os.mkdir(b"reason", 0o700, dir_fd=work)
        with folder(work, b"reason") as made:
            write_file(made, REASON_NAME, text.encode("utf-8", "backslashreplace"))
            seal(made, access)
        name = rename_to_free(work, b"reason", wanted, parent, is_file=False)
        os.fsync(parent)
        return name
