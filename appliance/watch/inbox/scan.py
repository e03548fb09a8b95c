"""Scan of the inbox: lists all files with their identity.

A scan opens folders and reads the state of files, but opens no file. Each folder is opened from its parent's
descriptor, and no link is followed. Names are bytes, so any name that Linux allows is handled. A file that
vanishes during the scan is ignored; a folder that cannot be read is reported and not regarded as empty.
"""

from __future__ import annotations

import os
import stat
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Set
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from appliance.watch.disk.found import FoundFile, found_of
from appliance.watch.inbox.other_files import (
    HIDDEN_FILES,
    HIDDEN_FOLDERS,
    Matcher,
    kind_of_file,
    kind_of_folder,
    marked_unfinished,
)
from appliance.watch.inbox.reference_names import LIKE_ENDINGS, is_midi
from appliance.watch.settings.config import IntakeSettings

TEXT_ENDING = b".txt"
CHART_ENDINGS = (TEXT_ENDING, b".chords", b".chart")
"""Endings of chord charts."""

DONE_ENDING = b".done"
SETTINGS_ENDING = b".toml"
SETTINGS_NAME = b"backline.toml"
"""Name of the sidecar for all vocals of a folder and its sub-folders."""

RICH_SETTINGS_ENDINGS = (b".toml.rtf", b".toml.doc", b".toml.docx", b".toml.odt")
"""Endings of settings that a word processor saved in a format of its own."""

COMPANION_ENDINGS = (SETTINGS_ENDING, DONE_ENDING, *CHART_ENDINGS, *RICH_SETTINGS_ENDINGS, *LIKE_ENDINGS)
"""Endings of files that belong to a vocal."""

MAX_IGNORED = 50


class Trouble(NamedTuple):
    """A folder or file that could not be read: its path and errno, or 0 and a sentence."""

    path: bytes
    errno: int
    why: str = ""

    @property
    def sentence(self) -> str:
        """What is wrong, for a person."""
        return self.why or (os.strerror(self.errno) if self.errno else "it lies deeper than intake.max_depth")


class Ignored(NamedTuple):
    """A link, pipe, socket or device, which is never touched, and what it is."""

    path: bytes
    what: str


class Scan(NamedTuple):
    """The result of a scan. Without the sentinel the inbox counts as not mounted: both tuples are empty."""

    found: tuple[FoundFile, ...]
    """Vocals: all files that are neither ignored nor companions, unsorted."""
    companions: tuple[FoundFile, ...]
    """Settings, done markers, chord charts and references."""
    sentinel: bool
    seconds: float
    troubles: tuple[Trouble, ...] = ()
    others: int = 0
    """Number of links, pipes, sockets and devices, which are never touched."""
    ignored: tuple[Ignored, ...] = ()
    """The first :data:`MAX_IGNORED` of them."""
    left: Mapping[str, int] = MappingProxyType({})
    """Number of files of each of :data:`~appliance.watch.inbox.other_files.LEFT_KINDS`."""
    unfinished: frozenset[bytes] = frozenset()
    """Paths of files that another file beside them marks as unfinished."""
    midi: tuple[FoundFile, ...] = ()
    """MIDI files among ``left``: a sidecar may name one as a reference."""


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
        tuple(walk.ignored),
        dict(walk.left),
        frozenset(walk.unfinished),
        tuple(walk.midi),
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
        self.ignored: list[Ignored] = []
        self.left = Counter[str]()
        self.unfinished: set[bytes] = set()
        self.midi: list[FoundFile] = []
        self._skip_file = Matcher((*HIDDEN_FILES, *intake.ignore))
        self._skip_folder = Matcher((*HIDDEN_FOLDERS, *intake.ignore))

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
            if self._skip_folder(entry.name):
                return
            if kind := kind_of_folder(entry.name):
                self.left[kind] += 1
            else:
                folders.append(name)
            return
        if self._skip_file(entry.name):
            return
        kind = kind_of_file(entry.name)
        if kind and (kind == "unfinished" or not is_companion(name)):
            self.left[kind] += 1
            if marked := marked_unfinished(name):
                self.unfinished.add(prefix + marked)
            if is_midi(name):
                state = entry.stat(follow_symlinks=False)
                self.midi += [found_of(prefix + name, state)] if stat.S_ISREG(state.st_mode) else []
            return
        state = entry.stat(follow_symlinks=False)
        if not stat.S_ISREG(state.st_mode):
            self.others += 1
            if len(self.ignored) < MAX_IGNORED:
                self.ignored.append(Ignored(prefix + name, _what(state.st_mode)))
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
                self.troubles.append(Trouble(path, 0, "it is a folder of the service itself"))
                return
            self.into(folder, path, depth - 1)


_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def _what(mode: int) -> str:
    kinds = {
        stat.S_IFLNK: "a link",
        stat.S_IFIFO: "a pipe",
        stat.S_IFSOCK: "a socket",
        stat.S_IFCHR: "a device",
        stat.S_IFBLK: "a device",
    }
    return kinds.get(stat.S_IFMT(mode), "not a file")


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
