"""Names that change in one step, and stay changed after a power cut.

Each function returns once the change is on the disk. What is killed in between leaves the old name or the new
one, and perhaps a hidden ``.NAME.new`` beside it, which the next change of that name replaces. OSError is
raised as it comes; :func:`changing` makes a sentence of it.
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
    """Turns an OSError of the block into an OutputError about ``what``."""
    try:
        yield
    except OSError as error:
        found = OutputError(
            f"{error.filename or what} cannot be changed ({error.strerror or error}); "
            "look at its permissions and the free space, and do it again."
        )
        found.errno = error.errno or 0
        raise found from error


def sync(path: Path) -> None:
    """Waits until a file's bytes, or the names in a folder, are on the disk."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_disk(folder: Path) -> None:
    """Waits until all of the file system that ``folder`` lies on is on the disk: for trees of many files."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        if _libc.syncfs(descriptor) != 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number), str(folder))
    finally:
        os.close(descriptor)


def set_link(link: Path, target: str) -> None:
    """Makes ``link`` lead to ``target``, whether or not it led somewhere; at no moment is it missing."""
    if link_target(link) == target:
        sync(link.parent)  # it may have been set a moment before a power cut that did not come
        return
    new = link.with_name(f".{link.name}.new")
    new.unlink(missing_ok=True)
    new.symlink_to(target)
    new.rename(link)
    sync(link.parent)


def link_target(link: Path) -> str | None:
    """Where a link leads, as it is written; None for what is no link or not there."""
    try:
        return str(link.readlink())
    except OSError:
        return None


def remove_link(link: Path) -> None:
    """Removes a link or file; nothing happens if it is not there."""
    with suppress(FileNotFoundError, NotADirectoryError):
        link.unlink()
        sync(link.parent)


def move(old: Path, new: Path) -> None:
    """Gives a file or folder its name; ``new`` must be free."""
    if os.path.lexists(new):
        raise FileExistsError(17, "something else has that name", str(new))
    old.rename(new)
    sync(new.parent)
    if old.parent != new.parent:
        sync(old.parent)


def remove_folder(folder: Path, aside: Path) -> None:
    """Removes a folder: its name goes first, to a new one in ``aside``: no half of it is ever used."""
    if not os.path.lexists(folder):
        return
    aside.mkdir(mode=0o700, parents=True, exist_ok=True)
    going = aside / f"{folder.name}.{os.getpid()}.removed"
    clear(going)
    move(folder, going)
    clear(going)


def clear(path: Path) -> None:
    """Removes ``path`` and all in it, following no link."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def remove_if_empty(folder: Path) -> None:
    """Removes ``folder`` where it is there and nothing lies in it."""
    if folder.is_dir() and not any(os.scandir(folder)):
        folder.rmdir()
