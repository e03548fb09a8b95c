"""minisign's public keys and detached signatures: strict parsing and verification.

Source: https://jedisct1.github.io/minisign/ ("Signature format", "Public key format"). ‖ joins bytes:

    key        untrusted comment: ...           signature  untrusted comment: ...
               base64("Ed" ‖ id ‖ key)                     base64(algorithm ‖ id ‖ signature)
                                                           trusted comment: ...
                                                           base64(signature of (signature ‖ trusted comment))

Algorithm ``ED`` (prehashed) signs the BLAKE2b-512 hash, so a file of any size is read in blocks. The older
``Ed`` signs the file itself; it is accepted for small files only. The untrusted comment is the only unsigned
text of a signature file, and Backline never shows it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import stat
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from appliance.errors import SignatureError

SIGNATURE_ENDING = ".minisig"
KEY_ENDING = ".pub"

LARGEST_UNHASHED_BYTES = 4 << 20
"""Largest file (4 MiB) accepted with algorithm ``Ed``."""

_LARGEST_TEXT_BYTES = 4096
_BLOCK_BYTES = 1 << 20
_UNTRUSTED, _TRUSTED = "untrusted comment: ", "trusted comment: "
_ID_BYTES, _KEY_BYTES, _SIGNATURE_BYTES = 8, 32, 64
_FETCH = "fetch it and its signature again"


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A public key: its 32 bytes and its ``id``, 16 hexadecimal digits as minisign prints them."""

    id: str
    key: bytes

    @staticmethod
    def read(path: Path) -> PublicKey:
        """Read the key file ``path``. Raises SignatureError if it is missing, unreadable or no key."""
        return PublicKey.parse(_text(path, "a minisign public key"), str(path))

    @staticmethod
    def parse(text: bytes, name: str) -> PublicKey:
        """Parse the content of the key file ``name``. Raises SignatureError if it is no key."""
        lines = _lines(text, 2)
        packed = b"" if lines is None else _unpacked(lines[1], 2 + _ID_BYTES + _KEY_BYTES)
        if lines is None or not lines[0].startswith(_UNTRUSTED) or packed[:2] != b"Ed":
            raise SignatureError(f"{name}: not a minisign public key; fetch the key again.")
        return PublicKey(_id(packed[2:10]), packed[10:])

    def text(self) -> str:
        """The content of this key's file."""
        packed = b"Ed" + bytes.fromhex(self.id)[::-1] + self.key
        return f"{_UNTRUSTED}minisign public key {self.id}\n{base64.b64encode(packed).decode()}\n"


@dataclass(frozen=True, slots=True)
class Signature:
    """A parsed signature file. Its claims are unproven until :func:`verified` returns.

    ``name`` names the file in errors; ``key_id`` is the signing key; ``hashed`` means algorithm ``ED``.
    """

    name: str
    key_id: str
    hashed: bool
    signature: bytes
    comment: str
    """The trusted comment."""
    comment_signature: bytes

    @staticmethod
    def read(path: Path) -> Signature:
        """Read the signature file ``path``. Raises SignatureError if it is missing, unreadable or none."""
        return Signature.parse(_text(path, "a minisign signature"), str(path))

    @staticmethod
    def parse(text: bytes, name: str) -> Signature:
        """Parse the content of the signature file ``name``. Raises SignatureError if it is no signature."""
        lines = _lines(text, 4)
        wrong = SignatureError(f"{name}: not a minisign signature; {_FETCH}.")
        if lines is None or not lines[0].startswith(_UNTRUSTED) or not lines[2].startswith(_TRUSTED):
            raise wrong
        packed = _unpacked(lines[1], 2 + _ID_BYTES + _SIGNATURE_BYTES)
        comment_signature = _unpacked(lines[3], _SIGNATURE_BYTES)
        if packed[:2] not in (b"ED", b"Ed") or not comment_signature:
            raise wrong
        comment = lines[2].removeprefix(_TRUSTED)
        return Signature(
            name, _id(packed[2:10]), packed[:2] == b"ED", packed[10:], comment, comment_signature
        )


@dataclass(frozen=True, slots=True)
class Signed:
    """A verified signature: the id of its signing key and its trusted comment."""

    key_id: str
    comment: str


def signature_of(path: Path) -> Path:
    """The path of the signature of the file ``path``."""
    return path.with_name(path.name + SIGNATURE_ENDING)


def verified(name: str, stream: BinaryIO, signature: Signature, keys: Iterable[PublicKey]) -> Signed:
    """Read ``stream`` to its end and verify that one of ``keys`` signed it; ``name`` names it in errors.

    Raises:
        SignatureError: an untrusted key signed it, or the file or its signature was altered.
        OSError: the stream cannot be read.
    """
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    trusted = {key.id: key for key in keys}
    if signature.key_id not in trusted:
        known = ", ".join(sorted(trusted)) or "none"
        raise SignatureError(
            f"{name}: signed by key {signature.key_id}, but this computer trusts {known}; "
            "add the key with 'backline keys add' if you trust it, otherwise do not use the file."
        )
    message = _digest(stream) if signature.hashed else _whole(name, stream)
    try:
        key = Ed25519PublicKey.from_public_bytes(trusted[signature.key_id].key)
        key.verify(signature.signature, message)
    except (InvalidSignature, ValueError) as error:
        raise SignatureError(f"{name}: altered after key {signature.key_id} signed it; {_FETCH}.") from error
    try:
        key.verify(signature.comment_signature, signature.signature + signature.comment.encode())
    except InvalidSignature as error:
        raise SignatureError(f"{signature.name}: its trusted comment was altered; {_FETCH}.") from error
    return Signed(signature.key_id, signature.comment)


def verified_file(path: Path, keys: Iterable[PublicKey]) -> Signed:
    """Verify the plain file ``path`` with the signature beside it; see :func:`verified`."""
    signature = Signature.read(signature_of(path))
    with opened(path) as stream:
        return verified(str(path), stream, signature, keys)


def opened(path: Path) -> BinaryIO:
    """Open a plain file for reading, without blocking on a pipe or device.

    Raises:
        SignatureError: ``path`` is not a plain file.
        OSError: it cannot be opened.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise SignatureError(f"{path}: not a plain file; {_FETCH}.")
    return os.fdopen(descriptor, "rb")


def _digest(stream: BinaryIO) -> bytes:
    digest = hashlib.blake2b()
    while block := stream.read(_BLOCK_BYTES):
        digest.update(block)
    return digest.digest()


def _whole(name: str, stream: BinaryIO) -> bytes:
    message = stream.read(LARGEST_UNHASHED_BYTES + 1)
    if len(message) > LARGEST_UNHASHED_BYTES:
        raise SignatureError(f"{name}: too large for a legacy signature; sign it prehashed (without -l).")
    return message


def _text(path: Path, what: str) -> bytes:
    try:
        with opened(path) as stream:
            text = stream.read(_LARGEST_TEXT_BYTES + 1)
    except FileNotFoundError:
        raise SignatureError(f"{path}: no such file, but {what} is needed; {_FETCH}.") from None
    except OSError as error:
        raise SignatureError(f"{path}: cannot be read ({error.strerror}); {_FETCH}.") from error
    if len(text) > _LARGEST_TEXT_BYTES:
        raise SignatureError(f"{path}: too large for {what}; {_FETCH}.")
    return text


def _lines(text: bytes, count: int) -> list[str] | None:
    """The ``count`` printable lines of ``text``; None if there are more or fewer, or it is not UTF-8."""
    try:
        lines = text.decode("utf-8").split("\n")
    except UnicodeDecodeError:
        return None
    if lines[-1] == "":
        lines.pop()
    printable = all(line.replace("\t", " ").isprintable() for line in lines)
    return lines if len(lines) == count and printable else None


def _unpacked(line: str, size: int) -> bytes:
    """Decode ``size`` bytes from canonical base64; b'' for anything else."""
    try:
        packed = base64.b64decode(line, validate=True)
    except (binascii.Error, ValueError):
        return b""
    return packed if len(packed) == size and base64.b64encode(packed).decode() == line else b""


def _id(packed: bytes) -> str:
    return packed[::-1].hex().upper()
