"""Turns a failed write into a sentence: which file, what is wrong, what to do."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from appliance.errors import OutputError


def output_error(name: str | Path, error: OSError) -> OutputError:
    """The OutputError for the file or folder ``name``, which cannot be written because of ``error``."""
    reason = _REASONS.get(error.errno or 0) or error.strerror or str(error)
    found = OutputError(f"{name} cannot be written: {reason}.")
    found.errno = error.errno or 0
    return found


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn an OSError of the block into an OutputError about ``path``."""
    try:
        yield
    except OSError as error:
        raise output_error(path.name, error) from error


_REASONS = {
    errno.ENOSPC: "the disk is full; free some space and render again",
    errno.EDQUOT: "your disk quota is used up; free some space and render again",
    errno.EFBIG: "the file is larger than this system or user may write; raise the limit",
    errno.EACCES: "this user may not write there; change the permissions or choose another folder",
    errno.EPERM: "this user may not write there; change the permissions or choose another folder",
    errno.EROFS: "that file system is read-only; choose another folder",
    errno.ENOTDIR: "part of that path is a file, not a folder; choose another folder",
    errno.EEXIST: "something else has that name; choose another folder",
    errno.EISDIR: "a folder has that name; move it away or choose another folder",
    errno.ENOTEMPTY: "a folder has that name; move it away or choose another folder",
    errno.ENAMETOOLONG: "the name is too long for this file system; shorten the recording's name",
    errno.EIO: "the disk reports an error; check it and choose another folder",
}
