"""Reproducible tar archives: sorted entries, no owner, one date, no archive name.

The same folder gives the same bytes as long as the versions of Python and zlib stay the same.
"""

from __future__ import annotations

import gzip
import os
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from bundle.errors import BundleError
from bundle.tools.programs import output

LEVEL = 6
"""The gzip level; level 9 takes four times as long and saves one per cent."""


def source_time(checkout: Path) -> int:
    """The date of everything that is built, in seconds since 1970.

    It is ``$SOURCE_DATE_EPOCH`` if set, otherwise the time of the last commit in ``checkout``. Raises
    :class:`BundleError` if there is neither.
    """
    named = os.environ.get("SOURCE_DATE_EPOCH")
    if named is not None:
        return int(named)
    try:
        return int(output("git", "-C", checkout, "log", "-1", "--format=%ct"))
    except (OSError, BundleError) as error:
        raise BundleError(
            f"{checkout} has no commit to take the date from; set SOURCE_DATE_EPOCH=SECONDS."
        ) from error


def write_tar(folder: Path, stream: IO[bytes] | gzip.GzipFile, time_s: int) -> None:
    """Write ``folder`` to ``stream`` as an uncompressed tar with one top-level folder of the same name.

    ``time_s``, seconds since 1970, dates every entry. Raises :class:`BundleError` for links and devices.
    """
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.GNU_FORMAT) as tar:
        for path in (folder, *_below(folder)):
            entry = tarfile.TarInfo(str(path.relative_to(folder.parent)))
            entry.mtime = time_s
            if path.is_dir():
                entry.type, entry.mode = tarfile.DIRTYPE, 0o755
                tar.addfile(entry)
            else:
                entry.mode, entry.size = mode(path), path.stat().st_size
                with path.open("rb") as content:
                    tar.addfile(entry, content)


def write_tar_gz(folder: Path, stream: IO[bytes], time_s: int) -> None:
    """Write the same compressed; the gzip header contains neither name nor date."""
    with gzip.GzipFile(filename="", mode="wb", compresslevel=LEVEL, fileobj=stream, mtime=0) as packed:
        write_tar(folder, packed, time_s)


def mode(file: Path) -> int:
    """The normalised mode of ``file``: 0755 if its owner may execute it, otherwise 0644."""
    return 0o755 if file.stat().st_mode & 0o100 else 0o644


def _below(folder: Path) -> Iterator[Path]:
    """Files and folders below ``folder``, sorted; raises :class:`BundleError` for links and devices."""
    for path in sorted(folder.rglob("*")):
        if path.is_symlink() or not (path.is_dir() or path.is_file()):
            raise BundleError(
                f"{path} is neither a file nor a folder; remove it: a release contains nothing else."
            )
        yield path
