"""One look at the inbox: which files lie there, and what the file system says about each.

The scan is the truth; it opens folders and asks for the state of files, and opens no file. No link is
followed: every folder is entered from its parent's descriptor. Names are bytes, so any name that Linux
allows is handled. Whatever vanishes between two calls was never there; a folder that cannot be read is
reported, not taken for empty.
"""

from __future__ import annotations

import fnmatch
import os
import re
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from appliance.watch.disk.found import FoundFile, found_of
from appliance.watch.settings.config import IntakeSettings

CHART_ENDINGS = (b".txt", b".chords", b".chart")
"""How the names of chord charts end."""

DONE_ENDING = b".done"
SETTINGS_ENDING = b".toml"
SETTINGS_NAME = b"backline.toml"
"""Settings for all vocals of a folder and of the folders in it."""

COMPANION_ENDINGS = (SETTINGS_ENDING, DONE_ENDING, *CHART_ENDINGS)
"""Files that say something about a vocal and are none."""

_IGNORED_FILES = (
    ".*",  # hidden; with it .DS_Store, ._resource forks, .nfs*, and the temporary names of rsync
    *("*.part", "*.partial", "*.tmp", "*.temp", "*.crdownload", "*.download", "*.filepart", "*.opdownload"),
    *("*~", "~$*", "~*.tmp", "*.swp"),
    *("thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r", "*.smbdelete*"),
)
_IGNORED_FOLDERS = (
    *(".*", "*~", "@eadir", "#recycle", "#snapshot", "$recycle.bin", "system volume information"),
    *("lost+found", "network trash folder", "temporary items"),
)


class Trouble(NamedTuple):
    """A folder that could not be looked into: an error number, or 0 where it lies too deep."""

    path: bytes
    errno: int


class Scan(NamedTuple):
    """What one look found. Without its sentinel the inbox is not there and both tuples are empty."""

    found: tuple[FoundFile, ...]
    """Vocals: all that is neither ignored nor a companion, in no particular order."""
    companions: tuple[FoundFile, ...]
    """Settings, done markers and chord charts."""
    sentinel: bool
    seconds: float
    troubles: tuple[Trouble, ...] = ()
    others: int = 0
    """Links, pipes, sockets and devices, which are never touched."""


def scan(inbox: Path, intake: IntakeSettings) -> Scan:
    """Look at everything in ``inbox``. Never raises for what it meets there."""
    started = time.monotonic()
    nothing = Scan((), (), False, 0.0)
    try:
        folder = os.open(inbox, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        return nothing._replace(troubles=(Trouble(b"", error.errno or 0),))
    with _closed(folder):
        before = _sentinel(folder, intake.sentinel)
        if before is None:
            return nothing._replace(seconds=time.monotonic() - started)
        look = _Look(intake)
        look.into(folder, b"", intake.max_depth)
        # A share may go while it is looked at: its files are then no longer reached through the path.
        if _sentinel_by_path(inbox, intake.sentinel) != before:
            return nothing._replace(seconds=time.monotonic() - started)
    return Scan(
        tuple(look.found),
        tuple(look.companions),
        True,
        time.monotonic() - started,
        tuple(look.troubles),
        look.others,
    )


def is_companion(name: bytes) -> bool:
    """Whether a file of this name says something about a vocal."""
    return name.lower().endswith(COMPANION_ENDINGS)


class _Look:
    """Collects while it walks."""

    def __init__(self, intake: IntakeSettings) -> None:
        self.found: list[FoundFile] = []
        self.companions: list[FoundFile] = []
        self.troubles: list[Trouble] = []
        self.others = 0
        self._skip_file = _Matcher((*_IGNORED_FILES, *intake.ignore))
        self._skip_folder = _Matcher((*_IGNORED_FOLDERS, *intake.ignore))

    def into(self, folder: int, prefix: bytes, depth: int) -> None:
        """Everything under an open folder whose path is ``prefix`` (empty, or ending in a slash)."""
        folders: list[bytes] = []
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    name = os.fsencode(entry.name)
                    try:
                        self._file(entry, name, prefix, folders)
                    except FileNotFoundError:
                        continue
                    except OSError as error:
                        self.troubles.append(Trouble(prefix + name, error.errno or 0))
        except OSError as error:
            self.troubles.append(Trouble(prefix, error.errno or 0))
        for name in folders:
            self._folder(folder, name, prefix, depth)

    def _file(self, entry: os.DirEntry[str], name: bytes, prefix: bytes, folders: list[bytes]) -> None:
        if entry.is_dir(follow_symlinks=False):
            if not self._skip_folder(entry.name):
                folders.append(name)
            return
        if self._skip_file(entry.name):
            return
        state = entry.stat(follow_symlinks=False)
        if not stat.S_ISREG(state.st_mode):
            self.others += 1
            return
        kept = self.companions if is_companion(name) else self.found
        kept.append(found_of(prefix + name, state))

    def _folder(self, parent: int, name: bytes, prefix: bytes, depth: int) -> None:
        path = prefix + name + b"/"
        if depth == 0:
            self.troubles.append(Trouble(path, 0))
            return
        try:
            folder = os.open(name, _FOLDER, dir_fd=parent)
        except FileNotFoundError:
            return
        except OSError as error:
            self.troubles.append(Trouble(path, error.errno or 0))
            return
        with _closed(folder):
            self.into(folder, path, depth - 1)


_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class _Matcher:
    """Whether a name fits one of the patterns, whatever the case of its letters."""

    def __init__(self, patterns: tuple[str, ...]) -> None:
        # A name may hold newlines and bytes that are no text; translate() lets * and ? match both.
        self._pattern = re.compile("|".join(fnmatch.translate(p.lower()) for p in patterns))

    def __call__(self, name: str) -> bool:
        return self._pattern.match(name.lower()) is not None


@contextmanager
def _closed(descriptor: int) -> Iterator[None]:
    try:
        yield
    finally:
        os.close(descriptor)


def _sentinel(folder: int, name: str) -> tuple[int, int] | None:
    try:
        state = os.stat(name, dir_fd=folder, follow_symlinks=False)
    except OSError:
        return None
    return (state.st_dev, state.st_ino) if stat.S_ISREG(state.st_mode) else None


def _sentinel_by_path(inbox: Path, name: str) -> tuple[int, int] | None:
    try:
        state = (inbox / name).lstat()
    except OSError:
        return None
    return (state.st_dev, state.st_ino) if stat.S_ISREG(state.st_mode) else None
