"""The sentinel: the file that proves that the inbox is mounted.

The mount point of an unmounted share is an empty folder, in which all vocals seem to be gone. So the inbox is
used only if it has its sentinel. The service creates one by itself only at its first start and in an empty
folder. The journal records that a sentinel existed.
"""

from __future__ import annotations

import os
from pathlib import Path

from appliance.watch.journal.journal import Journal
from appliance.watch.settings.config import IntakeSettings

SEEN_FACT = "sentinel seen"

_TEXT = b"Backline takes vocals from this folder as long as this file is here. Please leave it.\n"


def ensure_sentinel(inbox: Path, intake: IntakeSettings, journal: Journal, *, adopt: bool = False) -> str:
    """Create the sentinel if that is safe, or if the administrator confirms the inbox (``adopt``).

    Returns a sentence why the inbox cannot be used, or ''. Raises JournalError.
    """
    path = inbox / intake.sentinel
    try:
        if not path.is_file() or path.is_symlink():
            refusal = _create(inbox, intake, adopt, known=journal.fact(SEEN_FACT) is not None)
            if refusal:
                return refusal
    except OSError as error:
        return f"The inbox {inbox} cannot be used: {error.strerror}; check that it exists and is writable."
    if journal.fact(SEEN_FACT) is None:
        journal.set_fact(SEEN_FACT, str(inbox))
    return ""


def missing(inbox: Path, intake: IntakeSettings) -> str:
    """The sentence for an inbox whose sentinel existed before and is missing now."""
    return (
        f"{inbox / intake.sentinel} is missing: the share seems to be gone, so nothing is touched; mount it, "
        "or confirm this folder with 'backline watch --adopt-inbox', which creates the file."
    )


def _create(inbox: Path, intake: IntakeSettings, adopt: bool, *, known: bool) -> str:
    if not adopt:
        if known:
            return missing(inbox, intake)
        with os.scandir(inbox) as entries:
            empty = all(entry.name == "lost+found" for entry in entries)
        if not empty and not intake.create_sentinel:
            return (
                f"The inbox {inbox} is not empty and has no {intake.sentinel}; if it is the right folder, "
                "run 'backline watch --adopt-inbox' once, or create that file."
            )
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(inbox / intake.sentinel, flags, 0o644)
    try:
        os.write(descriptor, _TEXT)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    return ""
