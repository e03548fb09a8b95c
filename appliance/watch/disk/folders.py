"""Access to folders that other users write to: no link is followed, and writes are durable.

Paths below a folder are opened component by component from a descriptor with ``O_NOFOLLOW``, so a link
cannot lead out of the folder. Files are synced (fsync) first, then the folders that name them.
"""

from __future__ import annotations

import errno
import grp
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

WORK = b".backline-work"
"""Folder for unfinished files at the top of outbox, archive and rejected, so on the same file system."""

LONGEST_NAME_BYTES = 255

_MAX_NUMBER = 100_000

_FOLDER_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC


@dataclass(frozen=True, slots=True)
class Access:
    """Permissions of results: mode bits of files and folders, and the group (None: the process's group)."""

    file_mode: int = 0o664
    folder_mode: int = 0o2775
    group_id: int | None = None

    @staticmethod
    def of(file_mode: str, folder_mode: str, group: str) -> Access:
        """Parse the settings. Raises KeyError if the group does not exist."""
        group_id = grp.getgrnam(group).gr_gid if group else None
        return Access(int(file_mode, 8), int(folder_mode, 8), group_id)

    def grant(self, descriptor: int) -> None:
        """Set group and permissions of an open file or folder. Raises OSError if they cannot be set."""
        if self.group_id is not None:
            os.fchown(descriptor, -1, self.group_id)
        is_folder = stat.S_ISDIR(os.fstat(descriptor).st_mode)
        mode = self.folder_mode if is_folder else self.file_mode
        try:
            os.fchmod(descriptor, mode)
        except PermissionError:
            if not mode & 0o7000:
                raise
            # systemd's RestrictSUIDSGID forbids the setgid bit. Results without it are better than none.
            os.fchmod(descriptor, mode & 0o777)


@contextmanager
def folder(root: Path | int, relative: bytes = b"", make: Access | None = None) -> Iterator[int]:
    """Open the folder ``relative`` below ``root``; with ``make``, missing folders are created.

    ``root`` itself may be a link, because the administrator chose it. Yields a descriptor.

    Raises:
        OSError: a folder is missing, is a link, or cannot be opened.
        ValueError: ``relative`` would leave ``root``.
    """
    here = os.dup(root) if isinstance(root, int) else os.open(root, os.O_RDONLY | os.O_DIRECTORY)
    try:
        for part in parts(relative):
            if make is not None:
                _make_folder(here, part, make)
            there = os.open(part, _FOLDER_FLAGS, dir_fd=here)
            os.close(here)
            here = there
        yield here
    finally:
        os.close(here)


@contextmanager
def opened(root: Path | int, relative: bytes) -> Iterator[int]:
    """Open the plain file ``relative`` below ``root`` for reading, without blocking or following links.

    Yields a descriptor. Raises OSError if it cannot be opened; FileNotFoundError also if it is not a plain
    file.
    """
    above, _, name = relative.rpartition(b"/")
    with folder(root, above) as parent:
        try:
            descriptor = os.open(name, _FILE_FLAGS, dir_fd=parent)
        except OSError as error:
            if error.errno in (errno.ELOOP, errno.ENXIO, errno.ENODEV):
                raise FileNotFoundError(errno.ENOENT, "not a plain file", os.fsdecode(name)) from error
            raise
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise FileNotFoundError(errno.ENOENT, "not a plain file", os.fsdecode(name))
        yield descriptor
    finally:
        os.close(descriptor)


def exists(root: Path | int, relative: bytes) -> bool:
    """Whether a file, folder or anything else has this name. Raises OSError if that cannot be told."""
    above, _, name = relative.rpartition(b"/")
    try:
        with folder(root, above) as parent:
            os.stat(name, dir_fd=parent, follow_symlinks=False)
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True


def parts(relative: bytes) -> list[bytes]:
    """The components of a path below a folder. Raises ValueError if the path would leave the folder."""
    names = [name for name in relative.split(b"/") if name]
    if b".." in names or b"." in names or relative.startswith(b"/"):
        raise ValueError(f"{relative!r} leaves its folder")
    return names


def numbered(relative: bytes, number: int, *, is_file: bool = False) -> bytes:
    """The path with a number: ``a/song`` for 1, ``a/song-2`` for 2; with ``is_file`` ``a/song-2.wav``.

    The name is shortened if the number would make it too long.
    """
    if number == 1:
        return relative
    above, slash, name = relative.rpartition(b"/")
    stem, ending = name, b""
    if is_file and b"." in name[1:]:
        stem, dot, last = name.rpartition(b".")
        ending = dot + last
    tail = b"-%d" % number + ending
    return above + slash + shortened(stem, LONGEST_NAME_BYTES - len(tail)) + tail


def free_parents(root: Path | int, relative: bytes) -> bytes:
    """``relative``, with a number added to each parent folder whose name a file has.

    If the archive has a file ``a.wav``, then ``a.wav/b.wav`` is archived as ``a.wav-2/b.wav``. Raises OSError
    if ``root`` cannot be read.
    """
    above, _, name = relative.rpartition(b"/")
    here = b""
    for part in parts(above):
        numbers = (here + numbered(part, number) for number in range(1, _MAX_NUMBER))
        here = next(path for path in numbers if _folder_fits(root, path)) + b"/"
    return here + name


def _folder_fits(root: Path | int, path: bytes) -> bool:
    above, _, name = path.rpartition(b"/")
    try:
        with folder(root, above) as parent:
            return stat.S_ISDIR(os.stat(name, dir_fd=parent, follow_symlinks=False).st_mode)
    except FileNotFoundError:
        return isinstance(root, int) or root.is_dir()


def shortened(name: bytes, most_bytes: int) -> bytes:
    """``name``, truncated to ``most_bytes`` bytes, between two characters if it is UTF-8."""
    cut = name[:most_bytes]
    if len(cut) < len(name):
        cut = cut.decode("utf-8", "ignore").encode() or cut
    return cut


def seal(root: int, access: Access) -> None:
    """Grant ``access`` to a folder and everything in it, and sync it to the disk. Raises OSError."""
    for entry in entries(root):
        is_folder = stat.S_ISDIR(os.stat(entry, dir_fd=root, follow_symlinks=False).st_mode)
        descriptor = os.open(entry, _FOLDER_FLAGS if is_folder else _FILE_FLAGS, dir_fd=root)
        try:
            if is_folder:
                seal(descriptor, access)
            else:
                access.grant(descriptor)
                os.fsync(descriptor)
        finally:
            os.close(descriptor)
    access.grant(root)
    os.fsync(root)


def entries(root: int) -> list[bytes]:
    """The names in an open folder, sorted."""
    return sorted(os.fsencode(name) for name in os.listdir(root))


def write_file(parent: int, name: bytes, data: bytes, access: Access | None = None) -> None:
    """Create the file ``name`` with ``data`` and sync it. Raises OSError, also if the name exists."""
    descriptor = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600, dir_fd=parent)
    try:
        write_all(descriptor, data)
        if access is not None:
            access.grant(descriptor)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_all(descriptor: int, data: bytes | memoryview) -> None:
    """Write all of ``data``: one ``write`` may accept fewer bytes."""
    left = memoryview(data)
    while left:
        left = left[os.write(descriptor, left) :]


def clear(parent: int, name: bytes) -> None:
    """Remove ``name`` and its content, if it exists, without following links. Raises OSError."""
    try:
        with suppress(IsADirectoryError, PermissionError):
            os.unlink(name, dir_fd=parent)
            return
        with folder(parent, name) as inside:
            for entry in entries(inside):
                clear(inside, entry)
        os.rmdir(name, dir_fd=parent)
    except FileNotFoundError:
        pass


def _make_folder(parent: int, name: bytes, access: Access) -> None:
    """Create a folder with its permissions and sync its name, unless it exists."""
    with suppress(FileExistsError):
        os.mkdir(name, 0o700, dir_fd=parent)
        made = os.open(name, _FOLDER_FLAGS, dir_fd=parent)
        try:
            access.grant(made)
        finally:
            os.close(made)
        os.fsync(parent)
