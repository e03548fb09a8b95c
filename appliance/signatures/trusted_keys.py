"""The signing keys that this computer trusts: a folder of minisign public keys.

The first installation pins the key of its release there. A user who can write to the folder decides which
code runs, so it belongs to root, as the program does.
"""

from __future__ import annotations

import os
from pathlib import Path

from appliance.errors import SignatureError
from appliance.files.durable import changing, sync
from appliance.files.whole import write_whole
from appliance.signatures.minisign import KEY_ENDING, PublicKey

KEYS_VARIABLE = "BACKLINE_KEYS"
"""Environment variable that names the folder. An installed appliance sets it; unsigned files are refused."""


def keys_folder() -> Path | None:
    """The folder of trusted keys; None if signatures are not checked, as in a checkout."""
    place = os.environ.get(KEYS_VARIABLE)
    return Path(place) if place else None


def trusted_keys(folder: Path) -> dict[Path, PublicKey]:
    """All keys in ``folder``, by file. Raises SignatureError if the folder or a key cannot be read."""
    try:
        files = sorted(path for path in folder.iterdir() if path.name.endswith(KEY_ENDING))
    except OSError as error:
        raise SignatureError(
            f"{folder}: cannot read the trusted keys ({error.strerror}); install the release again."
        ) from error
    return {path: PublicKey.read(path) for path in files}


def add_key(folder: Path, file: Path) -> PublicKey:
    """Trust the key in ``file`` and return it.

    Raises:
        SignatureError: ``file`` is no key, or a different key with the same id is trusted.
        OutputError: the folder cannot be changed.
    """
    key = PublicKey.read(file)
    for path, known in (trusted_keys(folder) if folder.is_dir() else {}).items():
        if known.id == key.id and known.key != key.key:
            raise SignatureError(f"{file}: a different key with id {key.id} is trusted; remove {path} first.")
        if known == key:
            return key
    with changing(folder):
        folder.mkdir(mode=0o755, parents=True, exist_ok=True)
        write_whole(folder / f"{key.id}{KEY_ENDING}", key.text().encode(), 0o644, sync=True)
        sync(folder)
    return key


def remove_key(folder: Path, key_id: str) -> None:
    """Stop trusting the key ``key_id``.

    Raises:
        SignatureError: the key is not trusted, or it is the last trusted key.
        OutputError: the folder cannot be changed.
    """
    keys = trusted_keys(folder)
    files = [path for path, key in keys.items() if key.id == key_id.upper()]
    if not files:
        raise SignatureError(f"{key_id}: no trusted key has this id; see 'backline keys list'.")
    if len(files) == len(keys):
        raise SignatureError(
            f"{key_id}: this is the only trusted key, and nothing runs without one; add another key first."
        )
    with changing(folder):
        for path in files:
            path.unlink()
        sync(folder)
