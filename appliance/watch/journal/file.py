"""The journal's file: lock it, open it, check it, and set it aside if it is damaged."""

from __future__ import annotations

import fcntl
import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from appliance.errors import OutputError
from appliance.files.durable import sync
from appliance.watch.journal.schema import MIGRATIONS, migrate, version

JOURNAL_NAME = "journal.db"
LOCK_NAME = "journal.lock"

_READER_PATIENCE_S = 5.0
"""Time that a starting daemon waits for a command that is reading."""


class JournalError(OutputError):
    """The journal cannot be read or written: disk full, disk error or no permission. It may be temporary.

    The transaction was rolled back, so the call can be repeated.
    """


class DamagedError(OutputError):
    """The journal's file is damaged."""


@contextmanager
def sqlite_errors(path: Path) -> Iterator[None]:
    """Turn exceptions of sqlite3 into JournalError, or into DamagedError if the file is damaged."""
    try:
        yield
    except sqlite3.OperationalError as error:
        raise JournalError(
            f"{path} cannot be used: {error}; check its permissions, and the disk's free space and health."
        ) from error
    except sqlite3.DatabaseError as error:
        if isinstance(error, sqlite3.IntegrityError | sqlite3.ProgrammingError | sqlite3.InterfaceError):
            raise  # a bug of ours
        raise DamagedError(
            f"{path} is damaged: {error}; a restart sets it aside and creates a new one."
        ) from error


class Lock:
    """The lock of a state folder: one daemon, or readers while no daemon runs (flock on a permanent file).

    SQLite before 3.51.3 can corrupt a write-ahead log (WAL) that two processes use; the lock prevents that.
    """

    def __init__(self, state: Path, *, shared: bool = False) -> None:
        """Take the lock. Raises BlockingIOError if another process has it, OSError if it cannot be opened."""
        if shared:
            self._descriptor = os.open(state / LOCK_NAME, os.O_RDONLY | os.O_CLOEXEC)
        else:
            self._descriptor = os.open(state / LOCK_NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(self._descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except OSError:
            os.close(self._descriptor)
            raise

    def close(self) -> None:
        """Release the lock."""
        os.close(self._descriptor)


def lock_for_daemon(state: Path) -> Lock:
    """Take the lock, waiting for readers. Raises OutputError if another daemon runs or it is unusable."""
    give_up_s = time.monotonic() + _READER_PATIENCE_S
    while True:
        try:
            return Lock(state)
        except BlockingIOError as error:
            if time.monotonic() > give_up_s:
                raise OutputError(
                    f"{state} is in use by another 'backline watch'; stop it or set another folders.state."
                ) from error
            time.sleep(0.05)
        except OSError as error:
            raise OutputError(
                f"{state} cannot be used for the journal: {error.strerror}; it must be a folder that the "
                "service can write to."
            ) from error


def open_journal(state: Path) -> tuple[sqlite3.Connection, list[str]]:
    """Open the journal for the daemon, which holds the lock; a damaged one is set aside.

    Returns the connection, and notices about what was done. Raises OutputError if the journal has a newer
    schema, JournalError if it cannot be read or written.
    """
    path = state / JOURNAL_NAME
    try:
        return _open_checked(path), []
    except DamagedError as error:
        aside = set_aside(state)
        notice = (
            f"The journal was damaged and is kept as {aside}; a new one was created. Vocals in the inbox are "
            f"queued again, results in the outbox stay. ({error.__cause__ or error})"
        )
        return _open_checked(path), [notice]


def _open_checked(path: Path) -> sqlite3.Connection:
    with sqlite_errors(path):
        db = connect(path)
        try:
            (verdict,) = db.execute("PRAGMA integrity_check(1)").fetchone()
            if verdict != "ok":
                raise DamagedError(f"{path} is damaged: {verdict}.")
            if version(db) > len(MIGRATIONS):
                raise OutputError(
                    f"{path} was written by a newer version of Backline (schema {version(db)}, supported is "
                    f"{len(MIGRATIONS)}); install that version again, or move the journal away."
                )
            migrate(db)
            _check_tables(db)
        except BaseException:
            db.close()
            raise
    return db


def _check_tables(db: sqlite3.Connection) -> None:
    """Raise DamagedError for an intact SQLite file of another program."""
    tables = {name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if not {"jobs", "transitions", "facts"} <= tables:
        raise DamagedError("The journal's tables are missing.")


def connect(path: Path) -> sqlite3.Connection:
    """Open a connection in autocommit mode with a write-ahead log (WAL) and full fsync.

    Raises OutputError if the file system does not support a WAL, and exceptions of sqlite3.
    """
    # The path is not passed as a URI, because it may contain a question mark.
    db = sqlite3.connect(path, isolation_level=None, timeout=_READER_PATIENCE_S)
    try:
        (mode,) = db.execute("PRAGMA journal_mode = WAL").fetchone()
        if mode != "wal":
            raise OutputError(
                f"{path}: SQLite cannot keep a write-ahead log there; set folders.state to a local disk."
            )
        db.execute("PRAGMA synchronous = FULL")
        db.execute("PRAGMA foreign_keys = ON")
        db.execute("PRAGMA trusted_schema = OFF")
        # Without a limit the WAL keeps its largest size.
        db.execute("PRAGMA journal_size_limit = 4194304")
    except BaseException:
        db.close()
        raise
    return db


def set_aside(state: Path) -> Path:
    """Rename a damaged journal and its WAL to ``journal.damaged-N``; returns the new path. Raises OSError."""
    number = 1
    while (aside := state / f"journal.damaged-{number}").exists():
        number += 1
    # The WAL first: SQLite must never apply the old WAL to a new journal.
    for ending in ("-wal", "-shm", ""):
        with suppress(FileNotFoundError):
            (state / f"{JOURNAL_NAME}{ending}").rename(state / f"{aside.name}{ending}")
    sync(state)
    return aside


@contextmanager
def reading(state: Path) -> Iterator[sqlite3.Connection | None]:
    """Open a read-only connection while no daemon runs; yields None if there is no journal yet.

    Raises:
        BlockingIOError: a daemon holds the journal.
        JournalError: the journal cannot be read.
    """
    path = state / JOURNAL_NAME
    try:
        lock = Lock(state, shared=True)
    except FileNotFoundError:
        yield None
        return
    except PermissionError as error:
        raise JournalError(
            f"{path} is not readable for this user; run the command as root or as a member of its group."
        ) from error
    try:
        if not path.exists():
            yield None
            return
        # After a clean stop there is no WAL. Without one, a user who cannot write to the folder can open the
        # journal only as "immutable", which it is while we hold the lock.
        kind = "mode=ro" if Path(f"{path}-wal").exists() else "immutable=1"
        with sqlite_errors(path):
            db = sqlite3.connect(f"{path.absolute().as_uri()}?{kind}", uri=True, isolation_level=None)
            try:
                yield db
            finally:
                db.close()
    finally:
        lock.close()
