"""The packs of an installed appliance: which there are, which one the service plays, and which before.

The service looks where ``packs/active`` leads before each vocal, so nothing here needs to be told to it.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from appliance.errors import BacklineError, PackError
from appliance.files.durable import (
    changing,
    clear,
    link_target,
    move,
    remove_folder,
    remove_if_empty,
    remove_link,
    set_link,
    sync_folder,
)
from appliance.packs.manifest import MANIFEST_NAME
from appliance.packs.pack import Pack, load_pack
from appliance.releases.layout import Layout
from appliance.releases.lock import locked
from appliance.releases.packs.package import folder_name, staged_pack
from appliance.releases.versions import is_older, is_version, order

REFERENCE = "reference"
"""Name of the link to the pack that came with the release."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A pack as it is listed: ``place`` is its name among the packs; ``trouble``: what is wrong with it."""

    place: str
    name: str = ""
    version: str = ""
    key_id: str | None = None
    sha256: str = ""
    trouble: str = ""


def listed(layout: Layout, *, verify: bool = False) -> list[Listed]:
    """Every pack, sorted. With ``verify`` each file is read."""
    found = []
    for place in places(layout):
        try:
            pack = load_pack(layout.packs / place, verify, keys=layout.keys)
            manifest = pack.manifest
            found.append(Listed(place, manifest.name, manifest.version, pack.key_id, pack.sha256))
        except BacklineError as error:
            found.append(Listed(place, trouble=str(error)))
    return found


def places(layout: Layout) -> list[str]:
    """The names of all packs: ``reference`` first, then ``NAME-VERSION`` in order."""
    if not layout.packs.is_dir():
        return []
    own = [path.name for path in layout.packs.iterdir() if _split(path.name)[0] and not path.is_symlink()]
    return [REFERENCE] * (layout.packs / REFERENCE).exists() + sorted(own, key=_order)


def in_use(layout: Layout) -> str | None:
    """The name of the pack that the service is to play."""
    return link_target(layout.active_pack)


def before(layout: Layout) -> str | None:
    """The name of the pack before that."""
    return link_target(layout.previous_pack)


def install(layout: Layout, source: Path, *, allow_downgrade: bool) -> str:
    """Brings in the pack in ``source``; its name here. It is not used yet. Raises PackError, OutputError."""
    with locked(layout), _staging(layout) as staging:
        pack = staged_pack(source, staging, layout.keys)
        name, version = pack.manifest.name, pack.manifest.version
        place = folder_name(name, version)
        target = layout.packs / place
        if (target / MANIFEST_NAME).is_file():
            if load_pack(target, keys=layout.keys).sha256 == pack.sha256:
                return place
            raise PackError(f"{target}: another pack of this name and version is installed; remove it first.")
        newest = _newest(layout, name)
        if newest is not None and is_older(version, newest) and not allow_downgrade:
            raise PackError(
                f"{source}: {name} {version} is older than {newest}, which is installed; if this is meant, "
                "say --allow-downgrade."
            )
        with changing(target):
            layout.packs.mkdir(mode=0o755, exist_ok=True)
            remove_folder(target, staging)
            move(pack.folder, target)
        return place


def use(layout: Layout, wanted: str) -> Pack:
    """Has the service play ``wanted``: ``reference``, ``NAME-VERSION``, or the newest of ``NAME``."""
    with locked(layout):
        place = _place(layout, wanted)
        pack = load_pack(layout.packs / place, keys=layout.keys)
        _switch(layout, place)
        return pack


def rollback(layout: Layout) -> Pack:
    """Has the service play the pack that it played before. Raises PackError."""
    with locked(layout):
        place = before(layout)
        if place is None or place == in_use(layout) or place not in places(layout):
            raise PackError(
                f"{layout.previous_pack}: there is no pack to return to; see 'backline pack list'."
            )
        pack = load_pack(layout.packs / place, keys=layout.keys)
        _switch(layout, place)
        return pack


def remove(layout: Layout, place: str, loaded_sha256: str | None) -> None:
    """Removes an installed pack; never the one that is used, nor that whose hash the service has loaded."""
    with locked(layout):
        if place == REFERENCE or place not in places(layout):
            raise PackError(f"{place}: no pack of this name was installed; see 'backline pack list'.")
        if place == in_use(layout):
            raise PackError(f"{place}: the service uses it; 'backline pack use' another one first.")
        folder = layout.packs / place
        if loaded_sha256 is not None and _sha256(folder, layout) == loaded_sha256:
            raise PackError(
                f"{place}: the service has it loaded; it takes the other one before the next vocal."
            )
        with changing(folder):
            if before(layout) == place:
                remove_link(layout.previous_pack)
            remove_folder(folder, layout.staging)
            remove_if_empty(layout.staging)


def _switch(layout: Layout, place: str) -> None:
    now = in_use(layout)
    if now == place:
        return
    with changing(layout.active_pack):
        set_link(layout.active_pack, place)
        if now is not None:
            set_link(layout.previous_pack, now)


def _place(layout: Layout, wanted: str) -> str:
    known = places(layout)
    if wanted in known:
        return wanted
    versions = [version for name, version in map(_split, known) if name == wanted]
    if not versions:
        raise PackError(f"{wanted}: no such pack is installed; see 'backline pack list'.")
    return folder_name(wanted, max(versions, key=order))


def _newest(layout: Layout, name: str) -> str | None:
    """The newest version of ``name`` that is here, that of the release included."""
    versions = [version for known, version in map(_split, places(layout)) if known == name]
    if (layout.packs / REFERENCE).exists():
        pack = load_pack(layout.packs / REFERENCE, verify=False, keys=layout.keys)
        if pack.manifest.name == name and is_version(pack.manifest.version):
            versions.append(pack.manifest.version)
    return max(versions, key=order, default=None)


def _sha256(folder: Path, layout: Layout) -> str | None:
    try:
        return load_pack(folder, verify=False, keys=layout.keys).sha256
    except PackError:  # what does not open cannot be loaded
        return None


def _split(place: str) -> tuple[str, str]:
    """Name and version of an installed pack's folder."""
    name, _, version = place.rpartition("-")
    return (name, version) if name and is_version(version) else ("", "")


def _order(place: str) -> tuple[str, tuple[int, ...]]:
    name, version = _split(place)
    return name, order(version)


@contextmanager
def _staging(layout: Layout) -> Iterator[Path]:
    """An empty folder below the staging folder; nothing of it is left."""
    with changing(layout.staging):
        layout.staging.mkdir(mode=0o700, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix="pack-", dir=layout.staging))
    try:
        yield folder
    finally:
        with changing(folder):
            clear(folder)
            remove_if_empty(layout.staging)
            sync_folder(layout.prefix)
