"""The journal's file: locked, opened, checked, set aside where it is damaged."""

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
"""How long a daemon that starts waits for a command that is just reading."""


class JournalError(OutputError):
    """The journal cannot be read or written now: disk full, disk error, no permission. It may pass.

    The transaction was rolled back, so the method can be called again.
    """


class DamagedError(OutputError):
    """The journal's bytes make no sense."""


@contextmanager
def sqlite_errors(path: Path) -> Iterator[None]:
    """Turns what sqlite3 raises into a JournalError, or a DamagedError where the file is broken."""
    try:
        yield
    except sqlite3.OperationalError as error:
        raise JournalError(
            f"{path} cannot be used: {error}; check the space, the permissions and the health of that disk."
        ) from error
    except sqlite3.DatabaseError as error:
        if isinstance(error, sqlite3.IntegrityError | sqlite3.ProgrammingError | sqlite3.InterfaceError):
            raise  # a mistake of ours
        raise DamagedError(
            f"{path} is damaged: {error}; a restart sets it aside and begins a new one."
        ) from error


class Lock:
    """One daemon a state folder, and no reader while it runs: flock on a file that is never removed.

    Two connections to one write-ahead log can corrupt it in SQLite before 3.51.3; this is what keeps a
    second one away.
    """

    def __init__(self, state: Path, *, shared: bool = False) -> None:
        """Raises BlockingIOError where someone else has it, OSError where it cannot be opened."""
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
        """Give it up."""
        os.close(self._descriptor)


def lock_for_daemon(state: Path) -> Lock:
    """The lock, waiting a moment for readers. Raises OutputError if another daemon runs."""
    give_up_s = time.monotonic() + _READER_PATIENCE_S
    while True:
        try:
            return Lock(state)
        except BlockingIOError as error:
            if time.monotonic() > give_up_s:
                raise OutputError(
                    f"{state} is in use by another 'backline watch'; stop that one or set another state."
                ) from error
            time.sleep(0.05)
        except OSError as error:
            raise OutputError(
                f"{state} cannot be used for the journal: {error.strerror}; it must be a folder that the "
                "service may write."
            ) from error


def open_journal(state: Path) -> tuple[sqlite3.Connection, list[str]]:
    """The connection of the daemon, which holds the lock, and sentences about what had to be done."""
    path = state / JOURNAL_NAME
    try:
        return _checked(path), []
    except DamagedError as error:
        aside = set_aside(state)
        notice = (
            f"The journal was damaged and is kept as {aside}; a new one was begun. Vocals in the inbox are "
            f"taken again, results in the outbox stay. ({error.__cause__ or error})"
        )
        return _checked(path), [notice]


def _checked(path: Path) -> sqlite3.Connection:
    with sqlite_errors(path):
        db = connect(path)
        try:
            (verdict,) = db.execute("PRAGMA integrity_check(1)").fetchone()
            if verdict != "ok":
                raise DamagedError(f"{path} is damaged: {verdict}.")
            if version(db) > len(MIGRATIONS):
                raise OutputError(
                    f"{path} was written by a newer version of Backline (schema {version(db)}, known is "
                    f"{len(MIGRATIONS)}); install that version again, or move the journal away."
                )
            migrate(db)
            _look_at_tables(db)
        except BaseException:
            db.close()
            raise
    return db


def _look_at_tables(db: sqlite3.Connection) -> None:
    """A sound file of the right version without our tables is somebody else's."""
    tables = {name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if not {"jobs", "transitions", "facts"} <= tables:
        raise DamagedError("The journal lacks its tables.")


def connect(path: Path) -> sqlite3.Connection:
    """A connection in autocommit mode that keeps what it has committed, come what may."""
    # No name is passed as a URI: it could hold a question mark.
    db = sqlite3.connect(path, isolation_level=None, timeout=_READER_PATIENCE_S)
    try:
        (mode,) = db.execute("PRAGMA journal_mode = WAL").fetchone()
        if mode != "wal":
            raise OutputError(
                f"{path} lies where SQLite cannot keep a write-ahead log; state needs a local disk."
            )
        db.execute("PRAGMA synchronous = FULL")
        db.execute("PRAGMA foreign_keys = ON")
        db.execute("PRAGMA trusted_schema = OFF")
        # Without a limit the log keeps the size of the busiest moment.
        db.execute("PRAGMA journal_size_limit = 4194304")
    except BaseException:
        db.close()
        raise
    return db


def set_aside(state: Path) -> Path:
    """Rename a damaged journal to ``journal.damaged-N``, its log with it; where it lies now."""
    number = 1
    while (aside := state / f"journal.damaged-{number}").exists():
        number += 1
    # The log first: without its journal it is nothing, but a new journal must never meet the old log.
    for ending in ("-wal", "-shm", ""):
        with suppress(FileNotFoundError):
            (state / f"{JOURNAL_NAME}{ending}").rename(state / f"{aside.name}{ending}")
    sync(state)
    return aside


@contextmanager
def reading(state: Path) -> Iterator[sqlite3.Connection | None]:
    """A read-only connection while no daemon runs; None if there is no journal yet.

    Raises BlockingIOError while a daemon holds the journal, JournalError where it cannot be read.
    """
    path = state / JOURNAL_NAME
    try:
        lock = Lock(state, shared=True)
    except FileNotFoundError:
        yield None
        return
    except PermissionError as error:
        raise JournalError(f"{path} may not be read by this user; ask as root or in its group.") from error
    try:
        if not path.exists():
            yield None
            return
        # After a clean end there is no log, and without one nothing but "immutable" can be opened by a
        # user who may not write the folder. The lock keeps it immutable.
        kind = "mode=ro" if Path(f"{path}-wal").exists() else "immutable=1"
        with sqlite_errors(path):
            db = sqlite3.connect(f"{path.absolute().as_uri()}?{kind}", uri=True, isolation_level=None)
            try:
                yield db
            finally:
                db.close()
    finally:
        lock.close()
