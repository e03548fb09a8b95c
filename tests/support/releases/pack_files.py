"""Pack files, valid and invalid."""

from __future__ import annotations

import io
import json
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path

from support.signer import Signer

TOP = "fake-1"
Change = Callable[[tarfile.TarInfo], object]


def versioned(pack: Path, folder: Path, version: str, signer: Signer, name: str = "fake") -> Path:
    """A signed copy of ``pack`` with another version."""
    shutil.copytree(pack, folder)
    facts = json.loads((folder / "pack.json").read_text())
    (folder / "pack.json").write_text(json.dumps({**facts, "name": name, "version": version}))
    return signer.sign_pack(folder)


def carried(folder: Path, file: Path, signer: Signer, version: str = "1", name: str = "fake") -> Path:
    """The pack in ``folder`` as one signed file."""
    file.write_bytes(tar_of(contents(folder), f"{name}-{version}"))
    signer.sign(file, f"backline pack {name} {version}")
    return file


def contents(folder: Path) -> dict[str, bytes]:
    """The files of a pack: content by name."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def tar_of(
    files: dict[str, bytes],
    top: str = TOP,
    more: tuple[tarfile.TarInfo, ...] = (),
    form: int = tarfile.GNU_FORMAT,
) -> bytes:
    """A tar archive of ``files`` in the folder ``top``, and the entries ``more`` without content."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=form) as tar:
        tar.addfile(entry(top, tarfile.DIRTYPE))
        for name, data in files.items():
            tar.addfile(entry(f"{top}/{name}", size=len(data)), io.BytesIO(data))
        for extra in more:
            tar.addfile(extra)
    return stream.getvalue()


def entry(name: str, kind: bytes = tarfile.REGTYPE, size: int = 0, link: str = "") -> tarfile.TarInfo:
    """A tar header."""
    made = tarfile.TarInfo(name)
    made.type, made.size, made.linkname = kind, size, link
    return made
