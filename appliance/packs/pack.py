"""A pack: one folder with graphs, soundfont and ``pack.json``, opened only if it is whole and unaltered.

Every file but ``pack.json`` is listed there with its size and SHA-256, and ``pack.json`` lists nothing
outside its folder. So the hash of ``pack.json`` alone names all a render was made with; receipts store it.
So too the signature of ``pack.json``, which lies beside it, vouches for all. On an installed appliance it is
verified before anything of the pack is parsed (:mod:`appliance.signatures.trusted_keys`).
"""

from __future__ import annotations

import hashlib
import io
import json
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from appliance.errors import PackError, SignatureError
from appliance.files.hashes import file_sha256, files_below
from appliance.packs.manifest import MANIFEST_NAME, SCHEMA, SIGNATURE_NAME, FileFacts, Manifest
from appliance.signatures.minisign import Signature, Signed, verified
from appliance.signatures.trusted_keys import keys_folder, trusted_keys

FETCH_AGAIN = "fetch the pack again, or name another with --pack"

_LARGEST_MANIFEST_BYTES = 4 << 20


@dataclass(frozen=True, slots=True)
class Pack:
    """An opened pack. ``sha256`` is the hash of its ``pack.json``: the pack's identity.

    ``key_id`` is the trusted key that signed it; None where signatures are not checked.
    """

    folder: Path
    manifest: Manifest
    sha256: str
    key_id: str | None = None

    def graph_path(self, name: str) -> Path:
        """The ``.xml`` of graph ``name`` (``"denoiser"``); raises PackError if this pack has none."""
        graphs = self.manifest.graphs.present()
        if name not in graphs:
            raise PackError(f"{self.folder}: this pack has no graph {name}; name another with --pack.")
        return self.folder / graphs[name]

    @property
    def soundfont_path(self) -> Path:
        """The soundfont the band plays."""
        return self.folder / self.manifest.soundfont


def load_pack(folder: Path, verify: bool = True, keys: Path | None = None) -> Pack:
    """Open the pack in ``folder``.

    Names and sizes are always checked; with ``verify`` also the SHA-256 of every file. The signature is
    checked with the keys in the folder ``keys``, else in ``$BACKLINE_KEYS``, else not at all.

    Raises:
        PackError: missing, damaged, altered, of another schema version, not self-contained, or not signed
            by a trusted key.
    """
    folder, keys = Path(folder), keys or keys_folder()
    if not folder.is_dir():
        what = "a pack is a folder, and this is a file" if folder.exists() else "there is no such folder"
        raise PackError(f"{folder}: {what}; name the folder of a pack with --pack.")
    try:
        text, manifest, key_id = read_manifest(folder, keys)
        _compare(folder, manifest, dict(_walk(folder)))
        if verify:
            for name, facts in manifest.files.items():
                _check_hash(folder / name, facts)
    except OSError as error:
        reason = error.strerror or str(error)
        raise PackError(f"{error.filename or folder}: cannot be read ({reason}); {FETCH_AGAIN}.") from error
    return Pack(folder, manifest, hashlib.sha256(text).hexdigest(), key_id)


def file_facts(path: Path) -> FileFacts:
    """Size and SHA-256 of a file."""
    return FileFacts(sha256=file_sha256(path), bytes=path.stat().st_size)


def read_manifest(folder: Path, keys: Path | None) -> tuple[bytes, Manifest, str | None]:
    """The manifest of the pack in ``folder``: its bytes, what they say, and which of ``keys`` signed them.

    Without ``keys`` signatures are not looked at. Raises PackError, OSError.
    """
    path = folder / MANIFEST_NAME
    text = _manifest_bytes(path)
    signed = None if keys is None else _signed(path, text, keys)
    manifest = _parse(path, text)
    if signed is None:
        return text, manifest, None
    if signed.comment != (meant := pack_comment(manifest.name, manifest.version)):
        raise PackError(
            f"{path.with_name(SIGNATURE_NAME)}: signs {signed.comment!a}, and beside it lies {meant!a}; "
            f"somebody put another pack's file there, so {FETCH_AGAIN}."
        )
    return text, manifest, signed.key_id


def _signed(path: Path, text: bytes, keys: Path) -> Signed:
    try:
        signature = Signature.read(path.with_name(SIGNATURE_NAME))
        return verified(str(path), io.BytesIO(text), signature, trusted_keys(keys).values())
    except SignatureError as error:
        raise PackError(str(error)) from error


def pack_comment(name: str, version: str) -> str:
    """The trusted comment of a pack's signature."""
    return f"backline pack {name} {version}"


def _manifest_bytes(path: Path) -> bytes:
    try:
        found = path.lstat()
    except FileNotFoundError:
        raise PackError(f"{path.parent}: not a pack, as it has no {MANIFEST_NAME}; {FETCH_AGAIN}.") from None
    if not stat.S_ISREG(found.st_mode):
        raise PackError(f"{path}: not a plain file; {FETCH_AGAIN}.")
    if found.st_size > _LARGEST_MANIFEST_BYTES:
        raise PackError(f"{path}: too large to be a pack's manifest; {FETCH_AGAIN}.")
    return path.read_bytes()


def _parse(path: Path, text: bytes) -> Manifest:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise PackError(f"{path}: not JSON ({error}); {FETCH_AGAIN}.") from error
    version = found.get("schema") if isinstance(found, dict) else None
    if version != SCHEMA:
        written = "it gives no schema version" if version is None else f"its schema version is {version!r}"
        raise PackError(f"{path}: {written}, this Backline reads {SCHEMA}; use a pack made for this version.")
    try:
        return Manifest.model_validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"] if part != "[key]")
        reason = str(first["msg"]).removeprefix("Value error, ")
        where = f"{place}: " if place else ""
        raise PackError(f"{path}: {where}{reason}; {FETCH_AGAIN}.") from error


def _walk(folder: Path) -> Iterator[tuple[str, int]]:
    """Name and size of every file below ``folder``; a link or a device is refused, wherever it leads."""
    for path, found in files_below(folder):
        if not stat.S_ISREG(found.st_mode):
            what = "a link" if stat.S_ISLNK(found.st_mode) else "not a plain file"
            raise PackError(f"{path}: {what}; a pack holds plain files only, so {FETCH_AGAIN}.")
        yield path.relative_to(folder).as_posix(), found.st_size


def _compare(folder: Path, manifest: Manifest, sizes: dict[str, int]) -> None:
    for name, facts in manifest.files.items():
        if name not in sizes:
            raise PackError(f"{folder / name}: missing from the pack; {FETCH_AGAIN}.")
        if sizes[name] != facts.bytes:
            raise PackError(
                f"{folder / name}: altered ({sizes[name]} bytes instead of {facts.bytes}); {FETCH_AGAIN}."
            )
    extra = sorted(sizes.keys() - manifest.files.keys() - {MANIFEST_NAME, SIGNATURE_NAME})
    if extra:
        raise PackError(f"{folder / extra[0]}: not part of the pack; move it elsewhere, or {FETCH_AGAIN}.")


def _check_hash(path: Path, facts: FileFacts) -> None:
    if file_sha256(path) != facts.sha256:
        raise PackError(f"{path}: altered (its SHA-256 is not the one in {MANIFEST_NAME}); {FETCH_AGAIN}.")
