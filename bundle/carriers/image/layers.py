"""One layer of an image: a compressed tar of files with owners, reproducible byte for byte.

The same entries give the same bytes as long as the versions of Python and zlib stay the same.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import tarfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

from appliance.files.hashes import file_sha256
from bundle.tools import archive


@dataclass(frozen=True, slots=True)
class Entry:
    """A file, folder or link of a layer.

    Attributes:
        name: its path in the image, without the leading slash.
        content: of a file: its bytes, or the file that holds them. None: a folder.
        mode: its permissions.
        owner: its user and group, by the same number.
        target: of a symbolic link, otherwise ''.
    """

    name: str
    content: bytes | Path | None
    mode: int
    owner: int = 0
    target: str = ""


@dataclass(frozen=True, slots=True)
class Layer:
    """A finished layer.

    Attributes:
        file: the compressed tar.
        sha256: of ``file``, in hex.
        tar_sha256: of the tar before compression, in hex; the image format calls it "diff id".
        size_bytes: of ``file``.
    """

    file: Path
    sha256: str
    tar_sha256: str
    size_bytes: int


class _Hashing:
    """Passes on what is written, and hashes it."""

    def __init__(self, target: gzip.GzipFile) -> None:
        self._target, self.digest = target, hashlib.sha256()

    def write(self, data: bytes) -> int:
        self.digest.update(data)
        return self._target.write(data)


def write_layer(file: Path, entries: Iterable[Entry], time_s: int) -> Layer:
    """Write ``entries`` to the layer ``file``, sorted, with the folders above them.

    ``time_s``, seconds since 1970, dates every entry. A folder that no entry describes gets mode 0755 and
    belongs to root.
    """
    by_name = {entry.name: entry for entry in entries}
    for name in list(by_name):
        for parent in list(Path(name).parents)[:-1]:
            by_name.setdefault(str(parent), Entry(str(parent), None, 0o755))
    with file.open("wb") as stream, gzip.GzipFile("", "wb", archive.LEVEL, stream, mtime=0) as packed:
        hashing = _Hashing(packed)
        with tarfile.open(mode="w|", fileobj=cast(IO[bytes], hashing), format=tarfile.GNU_FORMAT) as tar:
            for name in sorted(by_name):
                _add(tar, by_name[name], time_s)
    return Layer(file, file_sha256(file), hashing.digest.hexdigest(), file.stat().st_size)


def _add(tar: tarfile.TarFile, entry: Entry, time_s: int) -> None:
    info = tarfile.TarInfo(entry.name)
    info.mode, info.mtime, info.uid, info.gid = entry.mode, time_s, entry.owner, entry.owner
    if entry.target:
        info.type, info.linkname = tarfile.SYMTYPE, entry.target
        tar.addfile(info)
    elif entry.content is None:
        info.type = tarfile.DIRTYPE
        tar.addfile(info)
    elif isinstance(entry.content, bytes):
        info.size = len(entry.content)
        tar.addfile(info, io.BytesIO(entry.content))
    else:
        info.size = entry.content.stat().st_size
        with entry.content.open("rb") as content:
            tar.addfile(info, content)


def tree_entries(tree: Path, place: str) -> Iterator[Entry]:
    """The files of a release tree, below the folder ``place`` of the image."""
    for path in sorted(tree.rglob("*")):
        if path.is_file():
            yield Entry(f"{place}/{path.relative_to(tree)}", path, archive.mode(path))
