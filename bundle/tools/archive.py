"""A folder as tar, the same bytes for the same files: sorted, of nobody, at one time, without a name.

The bytes are those of one version of Python and zlib; the hashes of the files inside are of neither.
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
"""Of gzip; 9 takes four times as long for one per cent."""


def source_time(checkout: Path) -> int:
    """Seconds since 1970 that everything is dated: ``$SOURCE_DATE_EPOCH``, else the last commit's."""
    named = os.environ.get("SOURCE_DATE_EPOCH")
    if named is not None:
        return int(named)
    try:
        return int(output("git", "-C", checkout, "log", "-1", "--format=%ct"))
    except (OSError, BundleError) as error:
        raise BundleError(
            f"{checkout} has no commit to take the time from; set SOURCE_DATE_EPOCH=SECONDS."
        ) from error


def write_tar(folder: Path, stream: IO[bytes] | gzip.GzipFile, time_s: int) -> None:
    """Write ``folder`` to ``stream`` as an uncompressed tar with one top folder, its name."""
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
    """The same through gzip, whose header then holds neither name nor time."""
    with gzip.GzipFile(filename="", mode="wb", compresslevel=LEVEL, fileobj=stream, mtime=0) as packed:
        write_tar(folder, packed, time_s)


def mode(file: Path) -> int:
    """0755 for what can be run, 0644 for everything else."""
    return 0o755 if file.stat().st_mode & 0o100 else 0o644


def _below(folder: Path) -> Iterator[Path]:
    """Files and folders below ``folder``, sorted by name; a link or a device is refused."""
    for path in sorted(folder.rglob("*")):
        if path.is_symlink() or not (path.is_dir() or path.is_file()):
            raise BundleError(f"{path} is neither a file nor a folder; a release holds nothing else.")
        yield path
