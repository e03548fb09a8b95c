"""Files of the users on their way from the inbox to archive or rejected: never lost, never overwritten.

A file moves only if its content is still the one that was worked on; whatever else lies under its name is
a new file and stays. Across file systems it is copied, checked, named, and only then removed. Each
function is a generator that yields between pieces, so that a daemon with one thread stays alive, and can
be abandoned (or killed) between any two steps and run again.
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
    beside,
    clear,
    folder,
    numbered,
    opened,
    write_all,
)

PIECE_BYTES = 4 << 20
_MOST_NUMBERS = 100_000
PRIVATE = Access(0o600, 0o700)


def hashed(descriptor: int) -> Generator[None, None, str]:
    """SHA-256 of an open file from its start, in hex; yields between pieces. Reads by position."""
    digest, position = hashlib.sha256(), 0
    while piece := os.pread(descriptor, PIECE_BYTES, position):
        digest.update(piece)
        position += len(piece)
        yield
    return digest.hexdigest()


def moved(
    source: tuple[Path, bytes], sha256: str, target: tuple[Path, bytes], access: Access
) -> Generator[None, None, bytes | None]:
    """Moves a file, each end given as root and relative path; the path it got, which may have a number.

    None if the source is gone or holds something else than ``sha256`` says: then nothing was done. A file
    that may not be read is moved as it is, if a rename can do it. Raises OSError if it cannot be moved now.
    """
    root, relative = source
    target = (target[0], beside(*target))
    with ExitStack() as held:
        try:
            descriptor = held.enter_context(opened(root, relative))
        except (FileNotFoundError, NotADirectoryError):
            return None
        except PermissionError:
            place = held.enter_context(folder(target[0], _above(target[1]), make=access))
            with folder(root, _above(relative)) as parent:
                before = os.stat(_name(relative), dir_fd=parent, follow_symlinks=False)
            return _renamed(source, before, target[1], place)
        if (yield from hashed(descriptor)) != sha256:
            return None
        before = os.fstat(descriptor)
        place = held.enter_context(folder(target[0], _above(target[1]), make=access))
        try:
            return _renamed(source, before, target[1], place)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
        return (yield from _copied(source, descriptor, sha256, target, place, access))


def _renamed(source: tuple[Path, bytes], before: os.stat_result, wanted: bytes, place: int) -> bytes | None:
    root, relative = source
    name = _name(relative)
    with folder(root, _above(relative)) as parent:
        for number in range(1, _MOST_NUMBERS):
            path = numbered(wanted, number, is_file=True)
            try:
                rename_new(parent, name, place, _name(path))
            except FileExistsError:
                continue
            break
        after = os.stat(_name(path), dir_fd=place, follow_symlinks=False)
        if (after.st_dev, after.st_ino) != (before.st_dev, before.st_ino):
            # Somebody put another file there between the look and the move; it goes back.
            with suppress(FileExistsError):
                rename_new(place, _name(path), parent, name)
            return None
        os.fsync(place)
        os.fsync(parent)
    return path


def _copied(
    source: tuple[Path, bytes],
    descriptor: int,
    sha256: str,
    target: tuple[Path, bytes],
    place: int,
    access: Access,
) -> Generator[None, None, bytes | None]:
    root, relative = source
    before = os.fstat(descriptor)
    path = yield from same_there(target[1], place, sha256, before.st_size)
    if path is None:
        with folder(target[0], WORK, make=PRIVATE) as work:
            # One move at a time: the name is free once a part that was left behind is gone.
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
                path = _named(work, b"move.part", target[1], place)
            finally:
                os.close(copy)
                clear(work, b"move.part")
            os.fsync(place)
    with folder(root, _above(relative)) as parent:
        now = os.stat(_name(relative), dir_fd=parent, follow_symlinks=False)
        if _facts(now) == _facts(before):  # otherwise a new file came; the old one is safe in its copy
            os.unlink(_name(relative), dir_fd=parent)
            os.fsync(parent)
    return path


def same_there(
    wanted: bytes, place: int, sha256: str, size: int | None = None
) -> Generator[None, None, bytes | None]:
    """Where a move that was interrupted has put the file already; ``place`` is the open target folder."""
    for number in range(1, _MOST_NUMBERS):
        path = numbered(wanted, number, is_file=True)
        try:
            with opened(place, _name(path)) as descriptor:
                fits = size is None or os.fstat(descriptor).st_size == size
                if fits and (yield from hashed(descriptor)) == sha256:
                    return path
        except OSError:  # not there, or not a plain file that we may read
            with suppress(FileNotFoundError):
                os.stat(_name(path), dir_fd=place, follow_symlinks=False)
                continue
            return None
    return None


def _named(parent: int, name: bytes, wanted: bytes, place: int) -> bytes:
    for number in range(1, _MOST_NUMBERS):
        path = numbered(wanted, number, is_file=True)
        try:
            rename_new(parent, name, place, _name(path))
        except FileExistsError:
            continue
        return path
    raise FileExistsError(errno.EEXIST, "every number is taken", os.fsdecode(wanted))


def _facts(found: os.stat_result) -> tuple[int, ...]:
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def _above(relative: bytes) -> bytes:
    return relative.rpartition(b"/")[0]


def _name(relative: bytes) -> bytes:
    return relative.rpartition(b"/")[2]
