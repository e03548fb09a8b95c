"""Scan of the inbox: lists all files with their identity.

A scan opens folders and reads the state of files, but opens no file. Each folder is opened from its parent's
descriptor, and no link is followed. Names are bytes, so any name that Linux allows is handled. A file that
vanishes during the scan is ignored; a folder that cannot be read is reported and not regarded as empty.
"""

from __future__ import annotations

import fnmatch
import os
import re
import stat
import time
from collections.abc import Iterator, Set
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from appliance.watch.disk.found import FoundFile, found_of
from appliance.watch.settings.config import IntakeSettings

CHART_ENDINGS = (b".txt", b".chords", b".chart")
"""Endings of chord charts."""

DONE_ENDING = b".done"
SETTINGS_ENDING = b".toml"
SETTINGS_NAME = b"backline.toml"
"""Name of the sidecar for all vocals of a folder and its sub-folders."""

COMPANION_ENDINGS = (SETTINGS_ENDING, DONE_ENDING, *CHART_ENDINGS)
"""Endings of files that belong to a vocal."""

_IGNORED_FILES = (
    ".*",  # hidden files, such as .DS_Store, ._resource forks, .nfs* and temporary names of rsync
    *("*.part", "*.partial", "*.tmp", "*.temp", "*.crdownload", "*.download", "*.filepart", "*.opdownload"),
    *("*~", "~$*", "~*.tmp", "*.swp"),
    *("thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r", "*.smbdelete*"),
)
_IGNORED_FOLDERS = (
    *(".*", "*~", "@eadir", "#recycle", "#snapshot", "$recycle.bin", "system volume information"),
    *("lost+found", "network trash folder", "temporary items"),
)


class Trouble(NamedTuple):
    """A folder or file that could not be read: its path and errno, or 0 for a folder that is too deep."""

    path: bytes
    errno: int
    why: str = ""
    """Where neither says it."""


class Scan(NamedTuple):
    """The result of a scan. Without the sentinel the inbox counts as not mounted: both tuples are empty."""

    found: tuple[FoundFile, ...]
    """Vocals: all files that are neither ignored nor companions, unsorted."""
    companions: tuple[FoundFile, ...]
    """Settings, done markers and chord charts."""
    sentinel: bool
    seconds: float
    troubles: tuple[Trouble, ...] = ()
    others: int = 0
    """Number of links, pipes, sockets and devices, which are never touched."""


def scan(inbox: Path, intake: IntakeSettings, own: Set[tuple[int, int]] = frozenset()) -> Scan:
    """Scan ``inbox``. Errors are part of the result and never raised.

    ``own`` has device and inode of each folder of the service itself; the scan does not enter them.
    """
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
        walk = _Walk(intake, own)
        walk.into(folder, b"", intake.max_depth)
        # The share may have been unmounted during the scan, which still reads it through the descriptor.
        if _sentinel_by_path(inbox, intake.sentinel) != before:
            return nothing._replace(seconds=time.monotonic() - started)
    return Scan(
        tuple(walk.found),
        tuple(walk.companions),
        True,
        time.monotonic() - started,
        tuple(walk.troubles),
        walk.others,
    )


def is_companion(name: bytes) -> bool:
    """Whether a file of this name belongs to a vocal."""
    return name.lower().endswith(COMPANION_ENDINGS)


class _Walk:
    """Collects files on the way through the folders."""

    def __init__(self, intake: IntakeSettings, own: Set[tuple[int, int]]) -> None:
        self._own = own
        self.found: list[FoundFile] = []
        self.companions: list[FoundFile] = []
        self.troubles: list[Trouble] = []
        self.others = 0
        self._skip_file = _Matcher((*_IGNORED_FILES, *intake.ignore))
        self._skip_folder = _Matcher((*_IGNORED_FOLDERS, *intake.ignore))

    def into(self, folder: int, prefix: bytes, depth: int) -> None:
        """Collect everything in an open folder with the path ``prefix`` (empty, or ending with a slash)."""
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
            state = os.fstat(folder)
            if (state.st_dev, state.st_ino) in self._own:
                self.troubles.append(Trouble(path, 0, "is a folder of the service itself"))
                return
            self.into(folder, path, depth - 1)


_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class _Matcher:
    """Matches names with one of the patterns, ignoring case."""

    def __init__(self, patterns: tuple[str, ...]) -> None:
        # Names may contain newlines and invalid UTF-8; in translate()'s patterns * and ? match both.
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
