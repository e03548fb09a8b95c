"""The packs of an installed appliance: list, install, select, roll back, remove.

The service follows the link ``packs/active`` before each vocal, so a change needs no message to it.
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
    sync,
)
from appliance.packs.manifest import MANIFEST_NAME
from appliance.packs.pack import Pack, load_pack
from appliance.releases.layout import Layout
from appliance.releases.lock import locked
from appliance.releases.packs.package import folder_name, staged_pack
from appliance.releases.versions import is_older, is_version, order

REFERENCE = "reference"
"""Name of the link to the pack of the current release."""


@dataclass(frozen=True, slots=True)
class ListedPack:
    """An installed pack: ``folder`` is its folder's name, ``trouble`` its error, '' without one.

    ``credits`` are :meth:`appliance.packs.pack.Pack.credits`.
    """

    folder: str
    name: str = ""
    version: str = ""
    key_id: str | None = None
    sha256: str = ""
    trouble: str = ""
    credits: tuple[str, ...] = ()


def list_packs(layout: Layout, *, verify: bool = False) -> list[ListedPack]:
    """List all packs, sorted; ``verify`` reads each of their files."""
    found = []
    for folder in pack_folders(layout):
        try:
            pack = load_pack(layout.packs / folder, verify, keys=layout.keys)
            manifest = pack.manifest
            name, version, credits = manifest.name, manifest.version, pack.credits()
            found.append(ListedPack(folder, name, version, pack.key_id, pack.sha256, credits=credits))
        except BacklineError as error:
            found.append(ListedPack(folder, trouble=str(error)))
    return found


def pack_folders(layout: Layout) -> list[str]:
    """The folder names of all packs: ``reference`` first, then each ``NAME-VERSION`` in order."""
    if not layout.packs.is_dir():
        return []
    own = [path.name for path in layout.packs.iterdir() if _split(path.name)[0] and not path.is_symlink()]
    return [REFERENCE] * (layout.packs / REFERENCE).exists() + sorted(own, key=_order)


def active_pack(layout: Layout) -> str | None:
    """The folder name of the pack that the service uses."""
    return link_target(layout.active_pack)


def previous_pack(layout: Layout) -> str | None:
    """The folder name of the pack that it used before."""
    return link_target(layout.previous_pack)


def install(layout: Layout, source: Path, *, allow_downgrade: bool) -> str:
    """Install the pack ``source``, a file or folder, without selecting it; returns its folder name.

    Raises:
        PackError: the pack is damaged, unsigned or older, or another one has its name and version.
        OutputError: a file cannot be written.
    """
    with locked(layout), _staging(layout) as staging:
        pack = staged_pack(source, staging, layout.keys)
        name, version = pack.manifest.name, pack.manifest.version
        folder = folder_name(name, version)
        target = layout.packs / folder
        if (target / MANIFEST_NAME).is_file():
            if load_pack(target, keys=layout.keys).sha256 == pack.sha256:
                return folder
            raise PackError(f"{target}: another pack of this name and version is installed; remove it first.")
        newest = _newest(layout, name)
        if newest is not None and is_older(version, newest) and not allow_downgrade:
            raise PackError(
                f"{source}: {name} {version} is older than {newest}, which is installed; add "
                "--allow-downgrade to install it nevertheless."
            )
        with changing(target):
            layout.packs.mkdir(mode=0o755, exist_ok=True)
            remove_folder(target, staging)
            move(pack.folder, target)
        return folder


def use(layout: Layout, wanted: str) -> Pack:
    """Select the pack for the service: ``reference``, ``NAME-VERSION``, or the newest version of ``NAME``.

    Raises PackError if there is none, or it is damaged.
    """
    with locked(layout):
        folder = _find(layout, wanted)
        pack = load_pack(layout.packs / folder, keys=layout.keys)
        _select(layout, folder)
        return pack


def rollback(layout: Layout) -> Pack:
    """Select the previous pack again. Raises PackError if there is none, or it is damaged."""
    with locked(layout):
        folder = previous_pack(layout)
        if folder is None or folder == active_pack(layout) or folder not in pack_folders(layout):
            raise PackError(f"{layout.previous_pack}: there is no previous pack; see 'backline pack list'.")
        pack = load_pack(layout.packs / folder, keys=layout.keys)
        _select(layout, folder)
        return pack


def remove(layout: Layout, name: str, loaded_sha256: str | None) -> None:
    """Remove the installed pack in the folder ``name``.

    ``loaded_sha256`` is the hash of the pack that the running service has loaded, if any. Raises PackError if
    the pack is selected, loaded, not installed, or part of the release.
    """
    with locked(layout):
        if name == REFERENCE or name not in pack_folders(layout):
            raise PackError(f"{name}: no pack of this name was installed; see 'backline pack list'.")
        if name == active_pack(layout):
            raise PackError(f"{name}: the service uses it; select another with 'backline pack use' first.")
        folder = layout.packs / name
        if loaded_sha256 is not None and _sha256(folder, layout) == loaded_sha256:
            raise PackError(f"{name}: the service has it loaded until the next vocal; remove it after that.")
        with changing(folder):
            if previous_pack(layout) == name:
                remove_link(layout.previous_pack)
            remove_folder(folder, layout.staging)
            remove_if_empty(layout.staging)


def _select(layout: Layout, folder: str) -> None:
    now = active_pack(layout)
    if now == folder:
        return
    with changing(layout.active_pack):
        set_link(layout.active_pack, folder)
        if now is not None:
            set_link(layout.previous_pack, now)


def _find(layout: Layout, wanted: str) -> str:
    known = pack_folders(layout)
    if wanted in known:
        return wanted
    versions = [version for name, version in map(_split, known) if name == wanted]
    if not versions:
        raise PackError(f"{wanted}: no such pack is installed; see 'backline pack list'.")
    return folder_name(wanted, max(versions, key=order))


def _newest(layout: Layout, name: str) -> str | None:
    """The newest version of the pack ``name``, including the pack of the release."""
    versions = [version for known, version in map(_split, pack_folders(layout)) if known == name]
    if (layout.packs / REFERENCE).exists():
        pack = load_pack(layout.packs / REFERENCE, verify=False, keys=layout.keys)
        if pack.manifest.name == name and is_version(pack.manifest.version):
            versions.append(pack.manifest.version)
    return max(versions, key=order, default=None)


def _sha256(folder: Path, layout: Layout) -> str | None:
    try:
        return load_pack(folder, verify=False, keys=layout.keys).sha256
    except PackError:  # the service cannot have loaded it either
        return None


def _split(folder: str) -> tuple[str, str]:
    """Name and version from the folder name ``NAME-VERSION``; ("", "") for any other."""
    name, _, version = folder.rpartition("-")
    return (name, version) if name and is_version(version) else ("", "")


def _order(folder: str) -> tuple[str, tuple[int, ...]]:
    name, version = _split(folder)
    return name, order(version)


@contextmanager
def _staging(layout: Layout) -> Iterator[Path]:
    """Create an empty folder in the staging folder, and remove it at the end."""
    with changing(layout.staging):
        layout.staging.mkdir(mode=0o700, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix="pack-", dir=layout.staging))
    try:
        yield folder
    finally:
        with changing(folder):
            clear(folder)
            remove_if_empty(layout.staging)
            sync(layout.prefix)
