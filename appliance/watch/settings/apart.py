"""Find folders of the service of which one lies inside another, by whatever way.

Names alone do not tell: a folder may be reached through a link, and with a bind mount even the real paths
differ. So three properties of each folder are compared, and any of them may show the overlap:

- its real path, with all links followed;
- device and inode of the folder and of every folder above it;
- its place within its file system (proc(5), ``mountinfo``), because the parent of a bind mount is elsewhere.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path, PurePosixPath

from appliance.watch.settings.config import Folders

WORK_NAME = ".backline-work"
"""As ``WORK`` in :mod:`appliance.watch.disk.folders`: neither of the two rooms imports the other."""

_WITH_WORK = ("outbox", "archive", "rejected")
"""Folders that keep unfinished files in a work folder of their own."""

Identity = tuple[int, int]
"""Device and inode."""

Place = tuple[str, PurePosixPath]
"""A file system, and a path within it."""


@dataclass(frozen=True, slots=True)
class _View:
    """One folder: its name in sentences, its path as set, and the three properties."""

    name: str
    path: Path
    real: Path
    own: Identity | None
    """None if there is no such folder."""
    chain: frozenset[Identity]
    """Of the folder and of each folder above it."""
    place: Place | None
    """None if the kernel does not say."""

    @property
    def text(self) -> str:
        """The folder for people."""
        return f"{self.name} ({self.path}{'' if self.real == self.path else f', really {self.real}'})"


def overlaps(folders: Folders, outside_inbox: Mapping[str, Path] | None = None) -> list[str]:
    """A sentence for each pair of folders of which one is the other or lies inside it.

    ``outside_inbox`` are further paths, by setting, that only must not lie in the inbox.
    """
    mounts = _mounts()
    views = {name: _view(f"folders.{name}", getattr(folders, name), mounts) for name in Folders.model_fields}
    found = [said for one, other in combinations(views.values(), 2) if (said := _overlap(one, other))]
    for name in _WITH_WORK:
        others = [view for other, view in views.items() if other != name and not _overlap(views[name], view)]
        found += _work_overlaps(views[name], others, mounts)
    inbox = views["inbox"]
    for name, path in (outside_inbox or {}).items():
        if _inside(view := _view(name, path, mounts), inbox):
            found.append(f"{view.text} lies inside {inbox.text}; choose a place outside of the inbox.")
    return found


def identities(folders: Folders) -> frozenset[Identity]:
    """Device and inode of every folder except the inbox that exists now: a scan must not enter them."""
    paths = [getattr(folders, name) for name in Folders.model_fields if name != "inbox"]
    return frozenset(known for path in paths if (known := _identity(path)) is not None)


def _overlap(one: _View, other: _View) -> str:
    if one.real == other.real or (one.own is not None and one.own == other.own):
        return f"{one.text} and {other.text} are the same folder; use two folders."
    for inner, outer in ((one, other), (other, one)):
        if _inside(inner, outer):
            return f"{inner.text} lies inside {outer.text}; use two folders, neither inside the other."
    return ""


def _inside(inner: _View, outer: _View) -> bool:
    """Whether ``inner`` is ``outer`` or lies somewhere below it."""
    if outer.real in (inner.real, *inner.real.parents) or outer.own in inner.chain:
        return True
    if inner.place is None or outer.place is None or inner.place[0] != outer.place[0]:
        return False
    return outer.place[1] in (inner.place[1], *inner.place[1].parents)


def _work_overlaps(home: _View, others: list[_View], mounts: Mapping[str, _Mount]) -> list[str]:
    """What is wrong with the work folder in ``home``, if it exists: it must be a plain folder there."""
    path = home.path / WORK_NAME
    if path.is_symlink():
        return [f"{path} is a link; remove it, and the service creates a folder there."]
    work = _view(f"the work folder of {home.name}", path, mounts)
    if work.own is None or home.own is None:
        return []
    if work.own[0] != home.own[0]:
        return [f"{path} is on another file system than {home.text}; unmount it."]
    return [said for view in others if (said := _overlap(work, view))]


def _view(name: str, path: Path, mounts: Mapping[str, _Mount]) -> _View:
    try:
        real = path.resolve()
    except (OSError, RuntimeError):  # links in a circle
        real = path
    chain = frozenset(known for above in (real, *real.parents) if (known := _identity(above)) is not None)
    return _View(name, path, real, _identity(real), chain, _place(real, mounts))


def _identity(path: Path) -> Identity | None:
    try:
        state = path.stat()
    except OSError:
        return None
    return state.st_dev, state.st_ino


@dataclass(frozen=True, slots=True)
class _Mount:
    """A line of ``mountinfo``: what is mounted, from which folder of its file system, and where."""

    device: str
    root: PurePosixPath
    point: Path


def _mounts() -> dict[str, _Mount]:
    """All mounts by their number; empty if the kernel does not tell."""
    found = {}
    try:
        for line in Path("/proc/self/mountinfo").read_bytes().splitlines():
            fields = [os.fsdecode(_unescaped(field)) for field in line.split()]
            device, root, source = fields[2], fields[3], fields[fields.index("-") + 2]
            host, colon, exported = source.partition(":/")
            if colon or source.startswith("//"):  # a share by NFS or SMB, which may be mounted twice
                device = host if colon else "//"
                root = f"/{exported if colon else source}/{root}"
            found[fields[0]] = _Mount(device, PurePosixPath(os.path.normpath(root)), Path(fields[4]))
    except (OSError, ValueError, IndexError):
        pass
    return found


def _unescaped(field: bytes) -> bytes:
    """``\\040`` and the like as the byte that it means."""
    first, *others = field.split(b"\\")
    return first + b"".join(bytes([int(part[:3], 8)]) + part[3:] for part in others)


def _place(real: Path, mounts: Mapping[str, _Mount]) -> Place | None:
    """Where a real path lies in its file system; for one that does not exist yet, where it will lie."""
    for above in (real, *real.parents):
        try:
            descriptor = os.open(above, os.O_PATH | os.O_CLOEXEC)
        except OSError:
            continue
        try:
            info = Path(f"/proc/self/fdinfo/{descriptor}").read_text()
        except OSError:
            return None
        finally:
            os.close(descriptor)
        number = next((line.split()[1] for line in info.splitlines() if line.startswith("mnt_id:")), "")
        mount = mounts.get(number)
        if mount is None or mount.point not in (real, *real.parents):
            return None
        return mount.device, mount.root / real.relative_to(mount.point)
    return None
