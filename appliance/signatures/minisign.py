"""Who signed a file: minisign's public keys and detached signatures, read strictly and verified.

Source: the formats on https://jedisct1.github.io/minisign/ ("Signature format", "Public key format").

    key        untrusted comment: ...           signature  untrusted comment: ...
               base64("Ed" ‖ id ‖ key)                     base64(algorithm ‖ id ‖ signature)
                                                           trusted comment: ...
                                                           base64(signature of (signature ‖ trusted comment))

Algorithm ``ED`` signs the BLAKE2b-512 of the file, so a file of any size is read in blocks; the older
``Ed`` signs the file itself and is taken for small ones only. Of the text in a signature file all counts
but the untrusted comment, which nothing shows.
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
"""A larger file must be signed with the algorithm that hashes it first."""

_LARGEST_TEXT_BYTES = 4096
_BLOCK_BYTES = 1 << 20
_UNTRUSTED, _TRUSTED = "untrusted comment: ", "trusted comment: "
_ID_BYTES, _KEY_BYTES, _SIGNATURE_BYTES = 8, 32, 64
_FETCH = "fetch it again, together with its signature, from where it was published"


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A key of 32 bytes; ``id`` is its name as minisign prints it, 16 hexadecimal digits."""

    id: str
    key: bytes

    @staticmethod
    def read(path: Path) -> PublicKey:
        """The key in ``path``. Raises SignatureError."""
        return PublicKey.parse(_text(path, "a minisign public key"), str(path))

    @staticmethod
    def parse(text: bytes, name: str) -> PublicKey:
        """The key in ``text``, which came from ``name``. Raises SignatureError."""
        lines = _lines(text, 2)
        packed = b"" if lines is None else _unpacked(lines[1], 2 + _ID_BYTES + _KEY_BYTES)
        if lines is None or not lines[0].startswith(_UNTRUSTED) or packed[:2] != b"Ed":
            raise SignatureError(f"{name}: not a minisign public key; fetch the key again.")
        return PublicKey(_id(packed[2:10]), packed[10:])

    def text(self) -> str:
        """The file that holds this key."""
        packed = b"Ed" + bytes.fromhex(self.id)[::-1] + self.key
        return f"{_UNTRUSTED}minisign public key {self.id}\n{base64.b64encode(packed).decode()}\n"


@dataclass(frozen=True, slots=True)
class Signature:
    """What a signature file says; nothing of it is true before :func:`verified` has agreed."""

    name: str
    key_id: str
    hashed: bool
    signature: bytes
    comment: str
    """The trusted comment."""
    comment_signature: bytes

    @staticmethod
    def read(path: Path) -> Signature:
        """The signature in ``path``. Raises SignatureError."""
        return Signature.parse(_text(path, "a minisign signature"), str(path))

    @staticmethod
    def parse(text: bytes, name: str) -> Signature:
        """The signature in ``text``, which came from ``name``. Raises SignatureError."""
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
    """A signature that holds: by which key, and what the signer says of the file."""

    key_id: str
    comment: str


def signature_of(path: Path) -> Path:
    """Where the signature of the file ``path`` lies."""
    return path.with_name(path.name + SIGNATURE_ENDING)


def verified(name: str, stream: BinaryIO, signature: Signature, keys: Iterable[PublicKey]) -> Signed:
    """Reads ``stream`` to its end and checks that one of ``keys`` signed it; ``name`` is for sentences.

    Raises SignatureError: another key, another file, or an altered signature; OSError.
    """
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    trusted = {key.id: key for key in keys}
    if signature.key_id not in trusted:
        known = ", ".join(sorted(trusted)) or "none"
        raise SignatureError(
            f"{name}: signed by key {signature.key_id}, and this computer trusts {known}; "
            "if the key is to be trusted, 'backline keys add' it, else do not use the file."
        )
    message = _digest(stream) if signature.hashed else _whole(name, stream)
    try:
        key = Ed25519PublicKey.from_public_bytes(trusted[signature.key_id].key)
        key.verify(signature.signature, message)
    except (InvalidSignature, ValueError) as error:
        raise SignatureError(f"{name}: altered since key {signature.key_id} signed it; {_FETCH}.") from error
    try:
        key.verify(signature.comment_signature, signature.signature + signature.comment.encode())
    except InvalidSignature as error:
        raise SignatureError(f"{signature.name}: its trusted comment was altered; {_FETCH}.") from error
    return Signed(signature.key_id, signature.comment)


def verified_file(path: Path, keys: Iterable[PublicKey]) -> Signed:
    """As :func:`verified`, of the plain file ``path`` and the signature beside it."""
    signature = Signature.read(signature_of(path))
    with opened(path) as stream:
        return verified(str(path), stream, signature, keys)


def opened(path: Path) -> BinaryIO:
    """A plain file to read; nothing else is opened, and nothing waits. Raises OSError, SignatureError."""
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
        raise SignatureError(f"{name}: so large a file must be signed prehashed; sign it without -l.")
    return message


def _text(path: Path, what: str) -> bytes:
    try:
        with opened(path) as stream:
            text = stream.read(_LARGEST_TEXT_BYTES + 1)
    except FileNotFoundError:
        raise SignatureError(f"{path}: there is no such file, and {what} is needed; {_FETCH}.") from None
    except OSError as error:
        raise SignatureError(f"{path}: cannot be read ({error.strerror}); {_FETCH}.") from error
    if len(text) > _LARGEST_TEXT_BYTES:
        raise SignatureError(f"{path}: too large for {what}; {_FETCH}.")
    return text


def _lines(text: bytes, count: int) -> list[str] | None:
    """Exactly ``count`` lines, the last one ended or not; None where it is otherwise."""
    try:
        lines = text.decode("utf-8").split("\n")
    except UnicodeDecodeError:
        return None
    if lines[-1] == "":
        lines.pop()
    printable = all(line.replace("\t", " ").isprintable() for line in lines)
    return lines if len(lines) == count and printable else None


def _unpacked(line: str, size: int) -> bytes:
    """The bytes of a line of base64, in the one way to write them; b'' if it is none, or of another size."""
    try:
        packed = base64.b64decode(line, validate=True)
    except (binascii.Error, ValueError):
        return b""
    return packed if len(packed) == size and base64.b64encode(packed).decode() == line else b""


def _id(packed: bytes) -> str:
    return packed[::-1].hex().upper()
