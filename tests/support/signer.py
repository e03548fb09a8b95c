"""Signs in tests as minisign does, where that program need not be there; where it is, both are compared."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from appliance.packs.manifest import MANIFEST_NAME, SIGNATURE_NAME, Manifest
from appliance.packs.pack import pack_comment
from appliance.signatures.minisign import PublicKey, signature_of


@dataclass(frozen=True)
class Signer:
    """A made-up secret key, always the same one for a ``seed``."""

    seed: int = 1
    secret: Ed25519PrivateKey = field(init=False)

    def __post_init__(self) -> None:
        secret = Ed25519PrivateKey.from_private_bytes(bytes([self.seed]) * 32)
        object.__setattr__(self, "secret", secret)

    @property
    def id(self) -> bytes:
        return bytes([self.seed, 2, 3, 4, 5, 6, 7, 8])

    @property
    def public(self) -> PublicKey:
        key = self.secret.public_key().public_bytes_raw()
        return PublicKey(self.id[::-1].hex().upper(), key)

    def text(self, data: bytes, comment: str, *, legacy: bool = False) -> str:
        """The signature file of ``data``."""
        message = data if legacy else hashlib.blake2b(data).digest()
        signature = self.secret.sign(message)
        packed = (b"Ed" if legacy else b"ED") + self.id + signature
        over_comment = self.secret.sign(signature + comment.encode())
        lines = ("untrusted comment: made by a test", base64.b64encode(packed).decode(),
                 f"trusted comment: {comment}", base64.b64encode(over_comment).decode())  # fmt: skip
        return "\n".join(lines) + "\n"

    def sign(self, file: Path, comment: str) -> Path:
        """Writes the signature beside ``file``."""
        signature_of(file).write_text(self.text(file.read_bytes(), comment))
        return signature_of(file)

    def sign_pack(self, folder: Path, comment: str = "") -> Path:
        """Signs the pack in ``folder`` as what its manifest says it is."""
        text = (folder / MANIFEST_NAME).read_bytes()
        manifest = Manifest.model_validate_json(text)
        said = comment or pack_comment(manifest.name, manifest.version)
        (folder / SIGNATURE_NAME).write_text(self.text(text, said))
        return folder

    def trusted_in(self, folder: Path) -> Path:
        """A folder of trusted keys with this one in it."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{self.public.id}.pub").write_text(self.public.text())
        return folder
