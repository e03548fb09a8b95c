"""Makes the folders of the service where they are missing, as ``backline.tmpfiles`` lists them.

systemd-tmpfiles could do so, but before version 252 it either refuses the ``:`` of that list or would undo at
every boot what an administrator has changed.
"""

from __future__ import annotations

import grp
import os
import pwd
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from appliance.errors import ReleaseError
from appliance.files.durable import changing, sync

_LINE = re.compile(r"d\s+(/\S+)\s+:([0-7]{3,4})\s+:(\S+)\s+:(\S+)\s*")


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder to be made: absolute path, permissions, user and group."""

    path: Path
    mode: int
    user: str
    group: str


def listed(specification: Path) -> Iterator[Folder]:
    """The folders that a tmpfiles.d(5) file lists. Raises ReleaseError at a line of another form."""
    for line in specification.read_text().splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        if (found := _LINE.fullmatch(line)) is None:
            message = f"{specification}: the line {line!r} is not understood; build the release again."
            raise ReleaseError(message)
        yield Folder(Path(found[1]), int(found[2], 8), found[3], found[4])


def make_missing(specification: Path, root: Path) -> None:
    """Make each listed folder that does not exist below ``root``; existing ones stay as they are.

    Raises:
        ReleaseError: a user or group does not exist.
        OutputError: a folder cannot be made.
    """
    for folder in listed(specification):
        path = root / folder.path.relative_to("/")
        if path.exists():
            continue
        user, group = _user_id(folder.user, root), _group_id(folder.group, root)
        with changing(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            # Made aside and renamed: after a power cut the folder is missing or complete.
            new = path.with_name(f".{path.name}.new")
            with suppress(FileNotFoundError):
                new.rmdir()
            new.mkdir(mode=0o700)
            os.chown(new, user, group)
            new.chmod(folder.mode)
            new.rename(path)
            sync(path.parent)


def _user_id(name: str, root: Path) -> int:
    if root == Path("/"):
        with suppress(KeyError):
            return pwd.getpwnam(name).pw_uid
    return _id_in(root / "etc/passwd", name, "user")


def _group_id(name: str, root: Path) -> int:
    if root == Path("/"):
        with suppress(KeyError):
            return grp.getgrnam(name).gr_gid
    return _id_in(root / "etc/group", name, "group")


def _id_in(file: Path, name: str, what: str) -> int:
    """The number of a user or group in the passwd(5) or group(5) file ``file``."""
    if name == "root":
        return 0
    with suppress(OSError):
        for line in file.read_text(errors="replace").splitlines():
            words = line.split(":")
            if len(words) > 2 and words[0] == name and words[2].isdecimal():
                return int(words[2])
    raise ReleaseError(f"{file} has no {what} {name!r}; create it with 'systemd-sysusers', then try again.")
