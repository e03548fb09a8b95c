"""The order of effects when a job ends: result, journal, source; reason, source, journal.

A result becomes visible by one rename of a folder that is whole and on the disk. Which job it belongs to
can be read from it (the receipt's ``job``), so that after a kill between the rename and the journal's
commit the same result is recognised, and one job never publishes twice. A rejected vocal gets its folder
with ``reason.txt`` first and moves into it afterwards; a reference in the text makes the folder known
again. The vocal itself is at every moment in exactly one of inbox, archive and rejected.

The daemon alone calls these. All can be run again after they were interrupted anywhere.
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
    """A work folder for ``job`` with its settings; what an earlier try left in it is gone."""
    name = b"%d" % job
    with folder(outbox, WORK, make=PRIVATE) as work:
        clear(work, name)
        os.mkdir(name, 0o700, dir_fd=work)
        with folder(work, name) as place:
            write_file(place, SETTINGS_NAME.encode(), settings.encode("ascii"))
    return outbox / os.fsdecode(job_folder(job))


def clear_work(root: Path, job: int | None = None) -> None:
    """Removes all that is unfinished in outbox, archive or rejected, or that of one ``job`` only."""
    try:
        with folder(root, WORK) as work:
            for entry in entries(work) if job is None else [b"%d" % job]:
                clear(work, entry)
    except FileNotFoundError:
        if not root.is_dir():
            raise


def holds_result(outbox: Path, name: bytes, key: str) -> bool:
    """Whether the folder ``name`` of the outbox is the whole result of the job ``key``."""
    try:
        with folder(outbox, name) as result:
            for entry in entries(result):
                if entry.endswith(_RECEIPT_ENDING):
                    with opened(result, entry) as receipt:
                        return _job_of(receipt) == key
    except OSError:  # not there, not a folder, or closed to us
        pass
    return False


def _job_of(receipt: int) -> str | None:
    """The job a receipt names; the outbox belongs to its users, so it may be anything."""
    data = os.pread(receipt, _LARGEST_RECEIPT_BYTES, 0)
    try:
        facts = json.loads(data)
    except (ValueError, RecursionError):
        return None
    job = facts.get("job") if isinstance(facts, dict) else None
    return job if isinstance(job, str) else None


def keeps_result(outbox: Path, name: bytes, key: str) -> bool:
    """As :func:`holds_result`, and then the result and its name are surely on the disk. Raises OSError."""
    if not holds_result(outbox, name, key):
        return False
    with folder(outbox, name) as result, folder(outbox, name.rpartition(b"/")[0]) as parent:
        os.fsync(result)
        os.fsync(parent)
    return True


def publish(outbox: Path, job: int, name: bytes, access: Access) -> bool:
    """Moves ``result`` of the job's work folder to ``name`` in the outbox, for good.

    False if something has that name already: then nothing was done.
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
    """Moves a rendered vocal to the archive, then what lies beside it; where the vocal lies now.

    None if the inbox does not hold it any more, or holds something else of its name: a new vocal, whose
    companions are then left alone too.
    """
    place = yield from move_file((inbox, source), sha256, (archive, source), access)
    if not exists(inbox, source):
        if place is None:  # moved before an interruption, or taken away by somebody
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
    """Moves a vocal that cannot be used into the folder ``wanted``, or a numbered one.

    ``vocal`` and ``wanted`` are each a root and a path below it; ``reason`` is the text of ``reason.txt``
    and the reference in it that no other job's text has. Returns where the vocal lies now, below the root;
    None if the inbox does not hold it any more, or holds something else of its name. One that may not be
    read is moved as it is.
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
    """Moves what lies beside a vocal: to its own path below ``root``, or all into the folder ``above``."""
    for companion in companions:
        try:
            with opened(inbox, companion) as descriptor:
                sha256 = yield from hashed(descriptor)
        except (FileNotFoundError, NotADirectoryError):
            continue
        place = above + b"/" + companion.rpartition(b"/")[2] if above else companion
        yield from move_file((inbox, companion), sha256, (root, place), access)


def _own_folder(root: Path, wanted: bytes, reference: str) -> bytes | None:
    """The folder that an earlier, interrupted try has made for this very job."""
    with folder(root) as top:
        for number in range(1, _MAX_NUMBER):
            name = numbered(wanted, number)
            try:
                with folder(top, name) as place, opened(place, REASON_NAME) as text:
                    if reference.encode() in os.pread(text, _LARGEST_REASON_BYTES, 0):
                        return name
            except OSError:  # not a folder, not ours, or without a reason
                if not exists(top, name):
                    return None
    return None


def _reason_folder(root: Path, wanted: bytes, text: str, access: Access) -> bytes:
    """A new folder with its ``reason.txt``, made aside and named when it is on the disk."""
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
