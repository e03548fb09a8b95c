"""A pack on its way in: one file from a USB stick, or a folder, becomes a verified folder where it is staged.

Of a file the signature is verified first, on a copy that nobody else can change; then its names and sizes are
compared with the pack's manifest, whose own signature was verified; only then is the rest written.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import BinaryIO

from appliance.errors import PackError, SignatureError
from appliance.files.durable import changing, clear, sync_folder
from appliance.packs.manifest import MANIFEST_NAME, SIGNATURE_NAME
from appliance.packs.pack import Pack, load_pack, read_manifest
from appliance.releases.copies import BLOCK_BYTES, check_room, private_copy
from appliance.releases.packs.plain_tar import Member, members
from appliance.releases.versions import is_version
from appliance.signatures.minisign import Signature, opened, signature_of, verified
from appliance.signatures.trusted_keys import trusted_keys

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,99}", re.ASCII)
_LARGEST_TEXTS = {MANIFEST_NAME: 4 << 20, SIGNATURE_NAME: 4096}


def staged_pack(source: Path, staging: Path, keys: Path) -> Pack:
    """The pack in ``source``, whole and signed, as the folder ``staging/NAME-VERSION`` on the disk.

    ``staging`` is an empty folder. Raises PackError, OutputError; then ``staging`` is to be removed.
    """
    try:
        folder = _from_folder(source, staging, keys) if source.is_dir() else _from_file(source, staging, keys)
        return load_pack(folder, keys=keys)
    except SignatureError as error:
        raise PackError(str(error)) from error
    except OSError as error:
        if error.filename is not None and str(error.filename).startswith(str(source)):
            raise PackError(f"{source}: cannot be read ({error.strerror}); copy it again.") from error
        with changing(staging):
            raise


def folder_name(name: str, version: str) -> str:
    """What the folder of a pack is called. Raises PackError where it cannot be called so."""
    if _NAME.fullmatch(name) is None or not is_version(version):
        raise PackError(
            f"{name!a} {version!a}: to be installed, a pack needs a name of letters, digits, dots and dashes "
            "and a version such as 1.2; make it again with both."
        )
    return f"{name}-{version}"


def _from_folder(source: Path, staging: Path, keys: Path) -> Path:
    """Copies what a signed manifest lists and nothing else."""
    pack = load_pack(source, verify=False, keys=keys)
    check_room(staging, sum(facts.bytes for facts in pack.manifest.files.values()))
    folder = _made(staging / folder_name(pack.manifest.name, pack.manifest.version))
    for name in (MANIFEST_NAME, SIGNATURE_NAME, *pack.manifest.files):
        with opened(source / name) as stream:
            _write(stream, os.fstat(stream.fileno()).st_size, folder / name)
    _sync(folder)
    return folder


def _from_file(source: Path, staging: Path, keys: Path) -> Path:
    signature = Signature.read(signature_of(source))
    trusted = trusted_keys(keys).values()
    copy = staging / "archive"
    private_copy(source, copy)
    with copy.open("rb") as stream:
        signed = verified(str(source), stream, signature, trusted)
        words = signed.comment.split(" ")
        if len(words) != 4 or words[:2] != ["backline", "pack"]:
            raise PackError(
                f"{source}: signed as {signed.comment!a}, which is no pack; choose a pack's file."
            )
        top = folder_name(*words[2:])
        folder = _unpacked(stream, str(source), top, staging, keys)
    clear(copy)
    return folder


def _unpacked(stream: BinaryIO, source: str, top: str, staging: Path, keys: Path) -> Path:
    inside: dict[str, Member] = {}
    for name, member in members(stream, source).items():
        above, _, rest = name.partition("/")
        if above != top or not (rest or member.is_folder):
            raise PackError(f"{source}: {name} in it is not in the folder {top}; fetch the pack again.")
        if not member.is_folder:
            inside[rest] = member
    folder = _made(staging / top)
    for name, largest in _LARGEST_TEXTS.items():
        if name not in inside:
            raise PackError(f"{source}: it holds no {name}; fetch the pack again.")
        if inside[name].size > largest:
            raise PackError(f"{source}: {name} in it is too large; fetch the pack again.")
        _extract(stream, inside.pop(name), folder / name)
    _, manifest, _ = read_manifest(folder, keys)
    if folder_name(manifest.name, manifest.version) != top:
        raise PackError(f"{source}: signed as {top}, and inside is another pack; fetch the pack again.")
    for name in sorted(manifest.files.keys() ^ inside.keys()):
        what = "is not part of the pack" if name in inside else "is missing"
        raise PackError(f"{source}: {name} {what}; fetch the pack again.")
    for name, facts in manifest.files.items():
        if inside[name].size != facts.bytes:
            raise PackError(
                f"{source}: {name} has not the size that {MANIFEST_NAME} says; fetch the pack again."
            )
    check_room(staging, sum(member.size for member in inside.values()))
    for name, member in inside.items():
        _extract(stream, member, folder / name)
    _sync(folder)
    return folder


def _extract(stream: BinaryIO, member: Member, target: Path) -> None:
    stream.seek(member.offset)
    _write(stream, member.size, target)


def _write(stream: BinaryIO, size: int, target: Path) -> None:
    """Writes the next ``size`` bytes of ``stream`` into the new file ``target``, onto the disk."""
    target.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    with target.open("xb") as file:
        os.fchmod(file.fileno(), 0o644)
        left = size
        while left and (block := stream.read(min(left, BLOCK_BYTES))):
            file.write(block)
            left -= len(block)
        file.flush()
        os.fsync(file.fileno())


def _made(folder: Path) -> Path:
    folder.mkdir(mode=0o755)
    return folder


def _sync(folder: Path) -> None:
    for place, _, _ in os.walk(folder):
        sync_folder(Path(place))
