"""Signs a pack: as a folder of the release, or as one file to install by itself."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from appliance.packs.manifest import MANIFEST_NAME, Manifest
from appliance.packs.pack import load_pack, pack_comment
from bundle.tools.archive import write_tar
from bundle.tools.signing import SigningKey

PACK_ENDING = ".backline-pack"


def copy_signed(folder: Path, target: Path, key: SigningKey) -> Manifest:
    """Copy the files listed in the manifest of ``folder`` to ``target``, and sign the manifest there.

    The pack is first verified as the appliance verifies it, which raises :class:`PackError`. An existing
    signature is replaced.
    """
    manifest = load_pack(folder).manifest
    for name in (MANIFEST_NAME, *manifest.files):
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(folder / name, target / name)
        (target / name).chmod(0o644)
    key.sign(target / MANIFEST_NAME, pack_comment(manifest.name, manifest.version))
    return manifest


def write_pack_file(folder: Path, dist: Path, key: SigningKey, time_s: int) -> Path:
    """Write ``NAME-VERSION.backline-pack`` to ``dist``, a tar of the signed pack, and its own signature.

    Raises :class:`PackError` for a damaged pack. ``time_s``, seconds since 1970, dates its entries.
    """
    dist.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=dist, prefix=".pack-") as aside:
        target = Path(aside) / "pack"
        manifest = copy_signed(folder, target, key)
        named = target.rename(target.with_name(f"{manifest.name}-{manifest.version}"))
        file = dist / f"{named.name}{PACK_ENDING}"
        written = Path(aside) / file.name
        with written.open("wb") as stream:
            write_tar(named, stream, time_s)
        signature = key.sign(written, pack_comment(manifest.name, manifest.version))
        written.replace(file)
        signature.replace(dist / signature.name)
    return file
