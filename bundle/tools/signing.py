"""Signs files with the program minisign (Ed25519 over BLAKE2b), and chooses the key."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path

from appliance.signatures.minisign import PublicKey, signature_of
from bundle.errors import BundleError
from bundle.tools.programs import output, program

KEY_VARIABLE = "BACKLINE_SIGNING_KEY"

COMMENT = "signature of Backline's build side"
"""The untrusted comment; it is fixed, so the same file always gets the same signature."""


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A minisign key pair.

    Attributes:
        secret: the file with the secret key.
        public: the text of the public key file: a comment line and the key line.
    """

    secret: Path
    public: str

    @property
    def id(self) -> str:
        """The key id as the appliance prints it: sixteen hexadecimal digits."""
        return PublicKey.parse(self.public.encode(), str(self.secret)).id

    @property
    def line(self) -> str:
        """The public key without its comment line, as ``minisign -P`` expects it."""
        return self.public.splitlines()[1]

    def sign(self, file: Path, trusted_comment: str) -> Path:
        """Write the signature ``FILE.minisig`` beside ``file`` and return its path."""
        signature = signature_of(file)
        output(
            program("minisign"),
            *("-S", "-s", self.secret, "-m", file, "-x", signature),
            *("-c", COMMENT, "-t", trusted_comment),
        )
        return signature


def signing_key(build: Path) -> SigningKey:
    """The key that ``$BACKLINE_SIGNING_KEY`` names; without it, a test key generated once below ``build``.

    Prints a warning for a test key. Raises :class:`BundleError` if the variable names no file.
    """
    named = os.environ.get(KEY_VARIABLE)
    if named is not None:
        secret = Path(named)
        if not secret.is_file():
            raise BundleError(
                f"{KEY_VARIABLE} names {secret}, which is not a file; set it to a minisign secret key."
            )
        return _pair(secret, build)
    secret = build / "signing" / "throwaway.key"
    if not secret.exists():
        secret.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        public = secret.with_suffix(".pub")
        output(program("minisign"), "-G", "-W", "-f", "-p", public, "-s", secret)
    key = _pair(secret, build)
    print(
        f"WARNING: {KEY_VARIABLE} is not set, so the generated test key {key.id} signs this:\n"
        f"WARNING: {secret}. Use the result for tests only; do not distribute it.",
        file=sys.stderr,
    )
    return key


def _pair(secret: Path, build: Path) -> SigningKey:
    """The pair of ``secret``; the public key is derived from it, so the two cannot mismatch."""
    public = build / "signing" / "backline.pub"
    public.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    output(program("minisign"), "-R", "-f", "-s", secret, "-p", public)
    text = f"untrusted comment: Backline releases and packs\n{public.read_text().splitlines()[1]}\n"
    return SigningKey(secret, text)
