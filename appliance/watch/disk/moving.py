"""Move the users' files from the inbox to archive or rejected without losing or overwriting any.

A file moves only if its content is the one that was rendered. Different content under its name is a new file
and stays. Between file systems the file is copied, verified, renamed into place, and only then removed. Each
function is a generator that yields between slices, so that the daemon's one thread can do other work. It may
be interrupted between any two steps and run again.
"""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Generator
from contextlib import ExitStack, suppress
from pathlib import Path

from appliance.system.syscalls import rename_new
from appliance.watch.disk.folders import (
    WORK,
    Access,
    clear,
    folder,
    free_parents,
    numbered,
    opened,
    write_all,
)

PIECE_BYTES = 4 << 20
_MAX_NUMBER = 100_000
PRIVATE = Access(0o600, 0o700)
"""Access for the service's user only."""


def hashed(descriptor: int) -> Generator[None, None, str]:
    """SHA-256 of an open file from its start, in hex; yields between pieces. Keeps the file offset."""
    digest, position = hashlib.sha256(), 0
    while piece := os.pread(descriptor, PIECE_BYTES, position):
        digest.update(piece)
        position += len(piece)
        yield
    return digest.hexdigest()


def move_file(
    source: tuple[Path, bytes], sha256: str, target: tuple[Path, bytes], access: Access
) -> Generator[None, None, bytes | None]:
    """Move a file; ``source`` and ``target`` are each a root and a path below it.

    Returns the new path below the root, which may have a number added. Returns None, without a change, if the
    source is missing or its content does not have the hash ``sha256``. An unreadable file is moved unverified
    if a rename suffices. Raises OSError if it cannot be moved now.
    """
    root, relative = source
    target = (target[0], free_parents(*target))
    with ExitStack() as held:
        try:
            descriptor = held.enter_context(opened(root, relative))
        except (FileNotFoundError, NotADirectoryError):
            return None
        except PermissionError:
            place = held.enter_context(folder(target[0], _above(target[1]), make=access))
            with folder(root, _above(relative)) as parent:
                before = os.stat(_name(relative), dir_fd=parent, follow_symlinks=False)
            return _rename(source, before, target[1], place)
        if (yield from hashed(descriptor)) != sha256:
            return None
        before = os.fstat(descriptor)
        place = held.enter_context(folder(target[0], _above(target[1]), make=access))
        try:
            return _rename(source, before, target[1], place)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
        return (yield from _copy(source, descriptor, sha256, target, place, access))


def _rename(source: tuple[Path, bytes], before: os.stat_result, wanted: bytes, place: int) -> bytes | None:
    root, relative = source
    name = _name(relative)
    with folder(root, _above(relative)) as parent:
        path = rename_to_free(parent, name, wanted, place, is_file=True)
        after = os.stat(_name(path), dir_fd=place, follow_symlinks=False)
        if (after.st_dev, after.st_ino) != (before.st_dev, before.st_ino):
            # Another file took the name between stat and rename: move it back.
            with suppress(FileExistsError):
                rename_new(place, _name(path), parent, name)
            return None
        os.fsync(place)
        os.fsync(parent)
    return path


def _copy(
    source: tuple[Path, bytes],
    descriptor: int,
    sha256: str,
    target: tuple[Path, bytes],
    place: int,
    access: Access,
) -> Generator[None, None, bytes | None]:
    root, relative = source
    before = os.fstat(descriptor)
    path = yield from find_copy(target[1], place, sha256, before.st_size)
    if path is None:
        with folder(target[0], WORK, make=PRIVATE) as work:
            # Moves do not overlap, so a file of this name was left by an interrupted move.
            clear(work, b"move.part")
            flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
            copy = os.open(b"move.part", flags, 0o600, dir_fd=work)
            try:
                position = 0
                while piece := os.pread(descriptor, PIECE_BYTES, position):
                    write_all(copy, piece)
                    position += len(piece)
                    yield
                if (yield from hashed(copy)) != sha256:
                    return None
                access.grant(copy)
                os.utime(copy, ns=(before.st_atime_ns, before.st_mtime_ns))
                os.fsync(copy)
                path = rename_to_free(work, b"move.part", target[1], place, is_file=True)
            finally:
                os.close(copy)
                clear(work, b"move.part")
            os.fsync(place)
    with folder(root, _above(relative)) as parent:
        now = os.stat(_name(relative), dir_fd=parent, follow_symlinks=False)
        if _identity(now) == _identity(before):  # otherwise a new file has the name; the copy is complete
            os.unlink(_name(relative), dir_fd=parent)
            os.fsync(parent)
    return path


def find_copy(
    wanted: bytes, place: int, sha256: str, size: int | None = None
) -> Generator[None, None, bytes | None]:
    """Find a file with hash ``sha256`` that an interrupted move has put at ``wanted`` or a numbered path.

    ``place`` is the open target folder. Returns the path, or None if there is no such file.
    """
    for number in range(1, _MAX_NUMBER):
        path = numbered(wanted, number, is_file=True)
        try:
            with opened(place, _name(path)) as descriptor:
                fits = size is None or os.fstat(descriptor).st_size == size
                if fits and (yield from hashed(descriptor)) == sha256:
                    return path
        except OSError:  # missing, unreadable, or not a plain file
            with suppress(FileNotFoundError):
                os.stat(_name(path), dir_fd=place, follow_symlinks=False)
                continue
            return None
    return None


def rename_to_free(parent: int, name: bytes, wanted: bytes, place: int, *, is_file: bool) -> bytes:
    """Rename ``name`` of the open folder ``parent`` to ``wanted`` or the first numbered path that is free.

    ``place`` is the open target folder. Returns the path.
    """
    for number in range(1, _MAX_NUMBER):
        path = numbered(wanted, number, is_file=is_file)
        try:
            rename_new(parent, name, place, _name(path))
        except FileExistsError:
            continue
        return path
    raise FileExistsError(errno.EEXIST, "all numbered names exist already", os.fsdecode(wanted))


def _identity(found: os.stat_result) -> tuple[int, ...]:
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def _above(relative: bytes) -> bytes:
    return relative.rpartition(b"/")[0]


def _name(relative: bytes) -> bytes:
    return relative.rpartition(b"/")[2]
