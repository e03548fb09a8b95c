"""Changes of names (links, renames, removals) that are atomic and survive a power cut.

Each change is on the disk when its function returns. A process that is killed meanwhile leaves the old name
or the new one, and perhaps a hidden ``.NAME.new`` beside it, which the next change of that name replaces.
Failures raise OSError; :func:`changing` turns it into a sentence.
"""

from __future__ import annotations

import ctypes
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from appliance.errors import OutputError

_libc = ctypes.CDLL(None, use_errno=True)


@contextmanager
def changing(what: Path) -> Iterator[None]:
    """Turn an OSError of the block into an OutputError that names its file, or ``what``."""
    try:
        yield
    except OSError as error:
        found = OutputError(
            f"{error.filename or what} cannot be changed ({error.strerror or error}); "
            "check its permissions and the free space, then try again."
        )
        found.errno = error.errno or 0
        raise found from error


def sync(path: Path) -> None:
    """Wait until the content of a file, or the names in a folder, are on the disk (fsync)."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_disk(folder: Path) -> None:
    """Wait until the whole file system of ``folder`` is on the disk (syncfs): for trees of many files."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        if _libc.syncfs(descriptor) != 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number), str(folder))
    finally:
        os.close(descriptor)


def set_link(link: Path, target: str) -> None:
    """Point the symbolic link ``link`` to ``target``, atomically; an existing link is replaced."""
    if link_target(link) == target:
        sync(link.parent)  # a process killed before its own sync may have set it
        return
    new = link.with_name(f".{link.name}.new")
    new.unlink(missing_ok=True)
    new.symlink_to(target)
    new.rename(link)
    sync(link.parent)


def link_target(link: Path) -> str | None:
    """The target of a symbolic link as it is written; None if ``link`` is missing or not a link."""
    try:
        return str(link.readlink())
    except OSError:
        return None


def remove_link(link: Path) -> None:
    """Remove a link or file if it exists."""
    with suppress(FileNotFoundError, NotADirectoryError):
        link.unlink()
        sync(link.parent)


def move(old: Path, new: Path) -> None:
    """Rename a file or folder. Raises FileExistsError if ``new`` exists."""
    if os.path.lexists(new):
        raise FileExistsError(17, "something else has that name", str(new))
    old.rename(new)
    sync(new.parent)
    if old.parent != new.parent:
        sync(old.parent)


def remove_folder(folder: Path, aside: Path) -> None:
    """Remove ``folder`` after moving it into the folder ``aside``, so that no half of it is ever used."""
    if not os.path.lexists(folder):
        return
    aside.mkdir(mode=0o700, parents=True, exist_ok=True)
    going = aside / f"{folder.name}.{os.getpid()}.removed"
    clear(going)
    move(folder, going)
    clear(going)


def clear(path: Path) -> None:
    """Remove ``path`` and all its content, without following links."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def remove_if_empty(folder: Path) -> None:
    """Remove ``folder`` if it exists and is empty."""
    if folder.is_dir() and not any(os.scandir(folder)):
        folder.rmdir()
