"""Opens a pack, a folder with graphs, a soundfont and ``pack.json``, if it is complete and unaltered.

``pack.json`` lists every other file of the folder with its size and SHA-256. Therefore the hash of
``pack.json`` identifies the whole pack, and receipts store it. For the same reason the signature of
``pack.json``, a file beside it, covers the whole pack. An installed appliance verifies the signature before
it parses any of the pack (:mod:`appliance.signatures.trusted_keys`).
"""

from __future__ import annotations

import hashlib
import io
import json
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from threading import Lock

from pydantic import ValidationError

from appliance.errors import PackError, SignatureError
from appliance.files.hashes import file_sha256, files_below
from appliance.files.refused_values import first_refusal
from appliance.packs.dial_table import DIALS_NAME, DialTable, table_of, usual_table
from appliance.packs.manifest import (
    CREDITS_NAME,
    MANIFEST_NAME,
    SCHEMA,
    SIGNATURE_NAME,
    FileFacts,
    Manifest,
)
from appliance.packs.originals import ORIGINALS_NAME, Originals, read_originals
from appliance.packs.rhythm_bank import RHYTHMS_NAME, RhythmBank, read_bank
from appliance.signatures.minisign import Signature, Signed, verified
from appliance.signatures.trusted_keys import keys_folder, trusted_keys

FETCH_AGAIN = "fetch the pack again, or choose another one"

_LARGEST_MANIFEST_BYTES = 4 << 20


_READING = Lock()
"""Held while a table is read: takes that are composed in parallel ask for it at once."""


@dataclass(frozen=True)
class Pack:
    """An opened pack. ``sha256`` is the hash of its ``pack.json`` and identifies the pack.

    ``key_id`` is the trusted signing key; None if signatures are not checked. The tables of dials, rhythms
    and originals are read when they are first needed, once.
    """

    folder: Path
    manifest: Manifest
    sha256: str
    key_id: str | None = None

    def graph_path(self, name: str) -> Path:
        """Path of the ``.xml`` of graph ``name``, e.g. ``"denoiser"``. Raises PackError if there is none."""
        graphs = self.manifest.graphs.present()
        if name not in graphs:
            raise PackError(f"{self.folder}: the pack has no graph {name}; choose another pack.")
        return self.folder / graphs[name]

    @property
    def soundfont_path(self) -> Path:
        """Path of the soundfont."""
        return self.folder / self.manifest.soundfont

    @property
    def has_dials(self) -> bool:
        """Whether the pack carries its own table of what a dial means in each style."""
        return DIALS_NAME in self.manifest.files

    def dials(self) -> DialTable:
        """What a dial means in each style: the pack's table, or the one that comes with Backline.

        Raises:
            PackError: the file that holds it is altered or cannot be read.
        """
        with _READING:
            return self._dials

    def rhythms(self) -> RhythmBank:
        """The pack's rhythm bank; empty if it has none.

        Raises:
            PackError: the file that holds it is altered or cannot be read.
        """
        with _READING:
            return self._rhythms

    def originals(self) -> Originals | None:
        """What the training songs play, to compare takes with; None if the pack does not tell.

        Raises:
            PackError: the file that holds it is altered or cannot be read.
        """
        with _READING:
            return self._originals

    def credits(self) -> tuple[str, ...]:
        """The credits for the data that the pack was trained on; empty if their licences ask for none.

        Raises:
            PackError: the file that holds them is altered or cannot be read.
        """
        if CREDITS_NAME not in self.manifest.files:
            return ()
        text = self._verified(CREDITS_NAME).decode("utf-8", errors="replace")
        lines = ("".join(c for c in line if c.isprintable()).strip() for line in text.splitlines())
        return tuple(line for line in lines if line)

    @cached_property
    def _dials(self) -> DialTable:
        if not self.has_dials:
            return usual_table()
        return table_of(self.folder / DIALS_NAME, self._verified(DIALS_NAME))

    @cached_property
    def _rhythms(self) -> RhythmBank:
        if RHYTHMS_NAME not in self.manifest.files:
            return RhythmBank()
        return read_bank(self.folder / RHYTHMS_NAME, self._verified(RHYTHMS_NAME))

    @cached_property
    def _originals(self) -> Originals | None:
        if ORIGINALS_NAME not in self.manifest.files:
            return None
        return read_originals(self.folder / ORIGINALS_NAME, self._verified(ORIGINALS_NAME))

    def _verified(self, name: str) -> bytes:
        """The content of the file ``name``. Raises PackError if it is altered or cannot be read."""
        path = self.folder / name
        try:
            _check_hash(path, self.manifest.files[name])
            return path.read_bytes()
        except OSError as error:
            raise PackError(f"{path}: cannot be read ({error.strerror}); {FETCH_AGAIN}.") from error


def load_pack(folder: Path, verify: bool = True, keys: Path | None = None) -> Pack:
    """Open the pack in ``folder``.

    Names and sizes of its files are always checked, the SHA-256 of each file only with ``verify``. The
    signature is checked against the signing keys in the folder ``keys``, otherwise against those in
    ``$BACKLINE_KEYS``, and without either not at all.

    Raises:
        PackError: the pack is missing, damaged, altered, of another schema version, not self-contained, or
            not signed by a trusted key.
    """
    folder, keys = Path(folder), keys or keys_folder()
    if not folder.is_dir():
        what = "a pack is a folder, but this is a file" if folder.exists() else "there is no such folder"
        raise PackError(f"{folder}: {what}; choose the folder of a pack.")
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
    """Read the manifest of the pack in ``folder``: its bytes, the parsed manifest, and its signing key's id.

    The id is None without ``keys``, a folder of trusted signing keys: then the signature is not checked.

    Raises:
        PackError: there is no manifest, it is invalid, or no key in ``keys`` signed it.
        OSError: it cannot be read.
    """
    path = folder / MANIFEST_NAME
    text = _manifest_bytes(path)
    signed = None if keys is None else _signed(path, text, keys)
    manifest = _parse(path, text)
    if signed is None:
        return text, manifest, None
    if signed.comment != (meant := pack_comment(manifest.name, manifest.version)):
        raise PackError(
            f"{path.with_name(SIGNATURE_NAME)}: signs {signed.comment!a}, but the pack is {meant!a}; "
            f"it belongs to another pack, so {FETCH_AGAIN}."
        )
    return text, manifest, signed.key_id


def _signed(path: Path, text: bytes, keys: Path) -> Signed:
    try:
        signature = Signature.read(path.with_name(SIGNATURE_NAME))
        return verified(str(path), io.BytesIO(text), signature, trusted_keys(keys).values())
    except SignatureError as error:
        raise PackError(str(error)) from error


def pack_comment(name: str, version: str) -> str:
    """The trusted comment that a pack's signature must have."""
    return f"backline pack {name} {version}"


def _manifest_bytes(path: Path) -> bytes:
    try:
        found = path.lstat()
    except FileNotFoundError:
        raise PackError(f"{path.parent}: not a pack, it has no {MANIFEST_NAME}; {FETCH_AGAIN}.") from None
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
        written = "it has no schema version" if version is None else f"its schema version is {version!r}"
        raise PackError(f"{path}: {written}, this Backline reads {SCHEMA}; use a pack made for this version.")
    try:
        return Manifest.model_validate_json(text)
    except ValidationError as error:
        raise PackError(f"{path}: {first_refusal(error)}; {FETCH_AGAIN}.") from error


def _walk(folder: Path) -> Iterator[tuple[str, int]]:
    """Name and size of every file below ``folder``. Raises PackError for a link or a device."""
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
