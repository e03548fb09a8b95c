"""Folders that strangers write to, handled so that no link leads out of them and nothing is lost.

Every name below a folder is walked step by step from an open descriptor, and a link on the way is
refused (``O_NOFOLLOW``). What was written is on the disk, and so is its name, before anyone relies on it:
files first, then the folders that name them.
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
"""Folder for what is not finished, at the top of outbox, archive and rejected: on their file systems."""

LONGEST_NAME_BYTES = 255

_MOST_NUMBERS = 100_000

_FOLDER_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC


@dataclass(frozen=True, slots=True)
class Access:
    """Who may do what with results: permission bits, and the group (None: the process's own)."""

    file_mode: int = 0o664
    folder_mode: int = 0o2775
    group_id: int | None = None

    @staticmethod
    def of(file_mode: str, folder_mode: str, group: str) -> Access:
        """From the words of the settings; KeyError for a group that does not exist."""
        group_id = grp.getgrnam(group).gr_gid if group else None
        return Access(int(file_mode, 8), int(folder_mode, 8), group_id)

    def grant(self, descriptor: int) -> None:
        """Gives an open file or folder its group and permissions."""
        if self.group_id is not None:
            os.fchown(descriptor, -1, self.group_id)
        is_folder = stat.S_ISDIR(os.fstat(descriptor).st_mode)
        mode = self.folder_mode if is_folder else self.file_mode
        try:
            os.fchmod(descriptor, mode)
        except PermissionError:
            if not mode & 0o7000:
                raise
            # A service may be forbidden to hand on groups (systemd's RestrictSUIDSGID): better readable
            # results whose later additions have another group than none.
            os.fchmod(descriptor, mode & 0o777)


@contextmanager
def folder(root: Path | int, relative: bytes = b"", make: Access | None = None) -> Iterator[int]:
    """A descriptor of the folder ``relative`` below ``root``; with ``make``, folders that lack are made.

    ``root`` itself may be a link: it is the administrator's. Raises OSError.
    """
    here = os.dup(root) if isinstance(root, int) else os.open(root, os.O_RDONLY | os.O_DIRECTORY)
    try:
        for part in parts(relative):
            if make is not None:
                _make(here, part, make)
            there = os.open(part, _FOLDER_FLAGS, dir_fd=here)
            os.close(here)
            here = there
        yield here
    finally:
        os.close(here)


@contextmanager
def opened(root: Path | int, relative: bytes) -> Iterator[int]:
    """A descriptor to read the plain file ``relative`` below ``root``; never waits, follows no link.

    Raises OSError; FileNotFoundError also for what is not a plain file any more.
    """
    above, _, name = relative.rpartition(b"/")
    with folder(root, above) as parent:
        try:
            descriptor = os.open(name, _FILE_FLAGS, dir_fd=parent)
        except OSError as error:
            if error.errno in (errno.ELOOP, errno.ENXIO, errno.ENODEV):
                raise FileNotFoundError(errno.ENOENT, "no plain file", os.fsdecode(name)) from error
            raise
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise FileNotFoundError(errno.ENOENT, "no plain file", os.fsdecode(name))
        yield descriptor
    finally:
        os.close(descriptor)


def exists(root: Path | int, relative: bytes) -> bool:
    """Whether anything, of whatever kind, has this name."""
    above, _, name = relative.rpartition(b"/")
    try:
        with folder(root, above) as parent:
            os.stat(name, dir_fd=parent, follow_symlinks=False)
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True


def parts(relative: bytes) -> list[bytes]:
    """The names of a path below a folder; ValueError for one that would leave it."""
    names = [name for name in relative.split(b"/") if name]
    if b".." in names or b"." in names or relative.startswith(b"/"):
        raise ValueError(f"{relative!r} leaves its folder")
    return names


def numbered(relative: bytes, number: int, *, is_file: bool = False) -> bytes:
    """``a/song`` as it is for 1, then ``a/song-2``; of a file the ending stays last: ``a/song-2.wav``.

    The name is shortened where the number would make it too long.
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


def beside(root: Path | int, relative: bytes) -> bytes:
    """``relative``, with a number behind each folder above its name whose own name something else has.

    The archive may hold a file ``a.wav`` when ``a.wav/b.wav`` is to be archived: ``a.wav-2/b.wav`` it is.
    Raises OSError where ``root`` cannot be looked into.
    """
    above, _, name = relative.rpartition(b"/")
    here = b""
    for part in parts(above):
        numbers = (here + numbered(part, number) for number in range(1, _MOST_NUMBERS))
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
    """The first bytes of ``name``, cut between characters if it is UTF-8."""
    cut = name[:most_bytes]
    if len(cut) < len(name):
        cut = cut.decode("utf-8", "ignore").encode() or cut
    return cut


def seal(root: int, access: Access) -> None:
    """Grants ``access`` to a folder and all in it, and waits until everything is on the disk."""
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
    """The names in an open folder, in order."""
    return sorted(os.fsencode(name) for name in os.listdir(root))


def write_file(parent: int, name: bytes, data: bytes, access: Access | None = None) -> None:
    """Makes the new file ``name`` with ``data`` and waits until it is on the disk."""
    descriptor = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600, dir_fd=parent)
    try:
        write_all(descriptor, data)
        if access is not None:
            access.grant(descriptor)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_all(descriptor: int, data: bytes | memoryview) -> None:
    """Writes every byte; the kernel may take fewer at a time."""
    left = memoryview(data)
    while left:
        left = left[os.write(descriptor, left) :]


def clear(parent: int, name: bytes) -> None:
    """Removes ``name`` and whatever is in it, following no link; nothing happens if it is not there."""
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


def _make(parent: int, name: bytes, access: Access) -> None:
    """A new folder whose name is on the disk; nothing happens if it is there.

    It appears with its permissions: a folder that is visible too early could be refused to its users.
    """
    with suppress(FileExistsError):
        os.mkdir(name, 0o700, dir_fd=parent)
        made = os.open(name, _FOLDER_FLAGS, dir_fd=parent)
        try:
            access.grant(made)
        finally:
            os.close(made)
        os.fsync(parent)
