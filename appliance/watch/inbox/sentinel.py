"""The file that proves that the inbox is really there.

When a share is not mounted, its mount point is an empty folder, and to a careless eye all vocals have
gone. So an inbox counts only with its sentinel in it. One is made by itself only where nothing can be
mistaken: the very first time, and in an empty folder. That it was there once is kept in the journal.
"""

from __future__ import annotations

import os
from pathlib import Path

from appliance.watch.journal.journal import Journal
from appliance.watch.settings.config import IntakeSettings

SEEN_FACT = "sentinel seen"

_TEXT = b"Backline takes vocals from this folder as long as this file is here. Please leave it.\n"


def ensure_sentinel(inbox: Path, intake: IntakeSettings, journal: Journal, *, adopt: bool = False) -> str:
    """Make the sentinel if that is safe, or if the administrator says so (``adopt``).

    Returns why the inbox cannot be used, in a sentence, or nothing. Raises JournalError.
    """
    path = inbox / intake.sentinel
    try:
        if not path.is_file() or path.is_symlink():
            refusal = _make(inbox, intake, adopt, known=journal.fact(SEEN_FACT) is not None)
            if refusal:
                return refusal
    except OSError as error:
        return (
            f"The inbox {inbox} cannot be used: {error.strerror}; check that it exists and its permissions."
        )
    if journal.fact(SEEN_FACT) is None:
        journal.set_fact(SEEN_FACT, str(inbox))
    return ""


def missing(inbox: Path, intake: IntakeSettings) -> str:
    """The sentence for an inbox whose sentinel was there before and is not now."""
    return (
        f"{inbox / intake.sentinel} is missing: the share seems to be gone and nothing is touched; mount it, "
        "or put that file back if this is the right folder (backline watch --adopt-inbox does)."
    )


def _make(inbox: Path, intake: IntakeSettings, adopt: bool, *, known: bool) -> str:
    if not adopt:
        if known:
            return missing(inbox, intake)
        with os.scandir(inbox) as entries:
            empty = all(entry.name == "lost+found" for entry in entries)
        if not empty and not intake.create_sentinel:
            return (
                f"The inbox {inbox} is not empty and has no {intake.sentinel}; if it is the right folder, "
                "run backline watch --adopt-inbox once, or make that file."
            )
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(inbox / intake.sentinel, flags, 0o644)
    try:
        os.write(descriptor, _TEXT)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    return ""
