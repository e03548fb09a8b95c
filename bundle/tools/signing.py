"""Signatures, made by the program minisign (Ed25519 over BLAKE2b), and whose key makes them."""

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
"""The untrusted comment; always the same, so that the same files give the same signatures."""


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A minisign key pair: the file with the secret one, and the text of the public one."""

    secret: Path
    public: str

    @property
    def id(self) -> str:
        """Sixteen hexadecimal digits, as the appliance names the key."""
        return PublicKey.parse(self.public.encode(), str(self.secret)).id

    @property
    def line(self) -> str:
        """The public key without its comment, as ``minisign -P`` takes it."""
        return self.public.splitlines()[1]

    def sign(self, file: Path, trusted_comment: str) -> Path:
        """Write ``FILE.minisig`` beside ``file``."""
        signature = signature_of(file)
        output(
            program("minisign"),
            *("-S", "-s", self.secret, "-m", file, "-x", signature),
            *("-c", COMMENT, "-t", trusted_comment),
        )
        return signature


def signing_key(build: Path) -> SigningKey:
    """The key of ``$BACKLINE_SIGNING_KEY``; without it a throwaway key, made once below ``build``."""
    named = os.environ.get(KEY_VARIABLE)
    if named is not None:
        secret = Path(named)
        if not secret.is_file():
            raise BundleError(f"{KEY_VARIABLE} names {secret}, which is no file; name a minisign secret key.")
        return _pair(secret, build)
    secret = build / "signing" / "throwaway.key"
    if not secret.exists():
        secret.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        public = secret.with_suffix(".pub")
        output(program("minisign"), "-G", "-W", "-f", "-p", public, "-s", secret)
    key = _pair(secret, build)
    print(
        f"WARNING: {KEY_VARIABLE} is not set, so this is signed with the throwaway key {key.id} of\n"
        f"WARNING: {secret}. Good for trying out; do not hand it to anybody.",
        file=sys.stderr,
    )
    return key


def _pair(secret: Path, build: Path) -> SigningKey:
    """The public half comes from the secret one, so the two cannot be of different keys."""
    public = build / "signing" / "backline.pub"
    public.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    output(program("minisign"), "-R", "-f", "-s", secret, "-p", public)
    text = f"untrusted comment: Backline releases and packs\n{public.read_text().splitlines()[1]}\n"
    return SigningKey(secret, text)
