"""The tables of the journal and the migrations from older versions.

New migrations are appended, and existing ones never change. Each runs in one transaction with the new
``PRAGMA user_version``, so a journal always has exactly one version.
"""

from __future__ import annotations

import sqlite3

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        """
        CREATE TABLE jobs (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            relpath BLOB NOT NULL,           -- the vocal, relative to the inbox
            dev INTEGER NOT NULL,
            inode INTEGER NOT NULL,
            size INTEGER NOT NULL,
            mtime_ns INTEGER NOT NULL,
            content_sha256 TEXT NOT NULL,
            key TEXT NOT NULL,               -- content, pack and settings
            settings TEXT NOT NULL,          -- JSON
            pack_sha256 TEXT NOT NULL,
            state TEXT NOT NULL,
            verdict TEXT NOT NULL,           -- of a job in 'rejecting': the state that follows
            reason TEXT NOT NULL,
            attempts INTEGER NOT NULL,
            worker_deaths INTEGER NOT NULL,
            interruptions INTEGER NOT NULL,  -- how often the whole service died while it was rendered
            next_try_s REAL NOT NULL,
            place INTEGER NOT NULL,          -- in the queue; lowest first
            wanted BLOB NOT NULL,            -- the result's folder, had nothing else its name
            name BLOB NOT NULL,              -- the result's folder, relative to the outbox
            duration_s REAL,
            progress REAL NOT NULL,
            moved_to BLOB,                   -- the vocal afterwards, relative to archive or rejected
            created_s REAL NOT NULL,
            queued_s REAL NOT NULL,
            updated_s REAL NOT NULL,
            started_s REAL,
            finished_s REAL
        )
        """,
        "CREATE UNIQUE INDEX jobs_key ON jobs (key, wanted)",
        "CREATE INDEX jobs_state ON jobs (state, place)",
        "CREATE INDEX jobs_place ON jobs (place)",
        "CREATE INDEX jobs_relpath ON jobs (relpath)",
        "CREATE INDEX jobs_name ON jobs (name)",
        """
        CREATE TABLE transitions (
            id INTEGER PRIMARY KEY,
            job INTEGER NOT NULL REFERENCES jobs (id),
            at_s REAL NOT NULL,
            before TEXT NOT NULL,
            after TEXT NOT NULL,
            reason TEXT NOT NULL
        )
        """,
        "CREATE INDEX transitions_job ON transitions (job)",
        "CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL)",
    ),
)
"""SQL statements from each version to the next; the first ones make version 1 from an empty file."""


def version(db: sqlite3.Connection) -> int:
    """The journal's schema version; 0 for an empty file."""
    (found,) = db.execute("PRAGMA user_version").fetchone()
    return int(found)


def migrate(db: sqlite3.Connection, migrations: tuple[tuple[str, ...], ...] = MIGRATIONS) -> None:
    """Migrate the journal to the newest version, one transaction per version. Needs autocommit mode."""
    for step in range(version(db), len(migrations)):
        db.execute("BEGIN IMMEDIATE")
        try:
            for statement in migrations[step]:
                db.execute(statement)
            db.execute(f"PRAGMA user_version = {step + 1}")
            db.execute("COMMIT")
        except BaseException:
            if db.in_transaction:
                db.execute("ROLLBACK")
            raise
