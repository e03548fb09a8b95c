"""Verify a pack, from one file or a folder, and copy it into the staging folder.

A file is copied first, so that no other user can change it. Then its signature is verified, and the signature
of the manifest in it. Member names and sizes must match the manifest before anything else is unpacked.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import BinaryIO

from appliance.errors import PackError, SignatureError
from appliance.files.durable import changing, clear, sync
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
    """Verify the pack ``source``, a file or folder, and write it to ``staging/NAME-VERSION``.

    ``staging`` is an empty folder; ``keys`` holds the trusted signing keys.

    Raises:
        PackError: the pack is unreadable, damaged, altered, or not signed by a trusted key.
        OutputError: a file cannot be written.

    After either error the caller removes ``staging``.
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
    """The folder name of an installed pack, ``NAME-VERSION``. Raises PackError if either is not allowed."""
    if _NAME.fullmatch(name) is None or not is_version(version):
        raise PackError(
            f"{name!a} {version!a}: an installed pack needs a name of letters, digits, dots and dashes and a "
            "version such as 1.2; build the pack again with both."
        )
    return f"{name}-{version}"


def _from_folder(source: Path, staging: Path, keys: Path) -> Path:
    """Copy the files that the signed manifest lists, and no others."""
    pack = load_pack(source, verify=False, keys=keys)
    check_room(staging, sum(facts.bytes for facts in pack.manifest.files.values()))
    folder = _new_folder(staging / folder_name(pack.manifest.name, pack.manifest.version))
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
                f"{source}: signed as {signed.comment!a}, which is not a pack; choose a pack's file."
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
            raise PackError(f"{source}: its member {name} is not in the folder {top}; fetch the pack again.")
        if not member.is_folder:
            inside[rest] = member
    folder = _new_folder(staging / top)
    for name, largest in _LARGEST_TEXTS.items():
        if name not in inside:
            raise PackError(f"{source}: {name} is missing; fetch the pack again.")
        if inside[name].size > largest:
            raise PackError(f"{source}: its member {name} is too large; fetch the pack again.")
        _extract(stream, inside.pop(name), folder / name)
    _, manifest, _ = read_manifest(folder, keys)
    if folder_name(manifest.name, manifest.version) != top:
        raise PackError(f"{source}: signed as {top}, but holds another pack; fetch the pack again.")
    for name in sorted(manifest.files.keys() ^ inside.keys()):
        what = "is not part of the pack" if name in inside else "is missing"
        raise PackError(f"{source}: {name} {what}; fetch the pack again.")
    for name, facts in manifest.files.items():
        if inside[name].size != facts.bytes:
            raise PackError(
                f"{source}: the size of {name} differs from {MANIFEST_NAME}; fetch the pack again."
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
    """Write the next ``size`` bytes of ``stream`` to the new file ``target``, with fsync."""
    target.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    with target.open("xb") as file:
        os.fchmod(file.fileno(), 0o644)
        left = size
        while left and (block := stream.read(min(left, BLOCK_BYTES))):
            file.write(block)
            left -= len(block)
        file.flush()
        os.fsync(file.fileno())


def _new_folder(folder: Path) -> Path:
    folder.mkdir(mode=0o755)
    return folder


def _sync(folder: Path) -> None:
    for place, _, _ in os.walk(folder):
        sync(Path(place))
