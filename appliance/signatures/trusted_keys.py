"""Which keys this computer trusts: a folder of minisign public keys, pinned at the first install.

Whoever can write there decides what runs here, so it belongs to root like the program itself.
"""

from __future__ import annotations

import os
from pathlib import Path

from appliance.errors import SignatureError
from appliance.files.durable import changing, sync_folder
from appliance.files.own_files import write_whole
from appliance.signatures.minisign import KEY_ENDING, PublicKey

KEYS_VARIABLE = "BACKLINE_KEYS"
"""Environment variable with the folder; set by an installed appliance, and then nothing unsigned is used."""


def keys_folder() -> Path | None:
    """The folder of trusted keys; None where signatures are not checked, as in a checkout."""
    place = os.environ.get(KEYS_VARIABLE)
    return Path(place) if place else None


def trusted_keys(folder: Path) -> dict[Path, PublicKey]:
    """Every key in ``folder`` by its file. Raises SignatureError where one cannot be read."""
    try:
        files = sorted(path for path in folder.iterdir() if path.name.endswith(KEY_ENDING))
    except OSError as error:
        raise SignatureError(
            f"{folder}: the trusted keys cannot be read ({error.strerror}); install the release again."
        ) from error
    return {path: PublicKey.read(path) for path in files}


def add_key(folder: Path, file: Path) -> PublicKey:
    """Trusts the key in ``file`` from now on. Raises SignatureError, OutputError."""
    key = PublicKey.read(file)
    for path, known in (trusted_keys(folder) if folder.is_dir() else {}).items():
        if known.id == key.id and known.key != key.key:
            raise SignatureError(f"{file}: another key with the id {key.id} is trusted; remove {path} first.")
        if known == key:
            return key
    with changing(folder):
        folder.mkdir(mode=0o755, parents=True, exist_ok=True)
        write_whole(folder / f"{key.id}{KEY_ENDING}", [key.text().encode()], 0o644, sync=True)
        sync_folder(folder)
    return key


def remove_key(folder: Path, key_id: str) -> None:
    """Trusts the key no more. Raises SignatureError where it is unknown, or the last one; OutputError."""
    keys = trusted_keys(folder)
    files = [path for path, key in keys.items() if key.id == key_id.upper()]
    if not files:
        raise SignatureError(f"{key_id}: no key of this id is trusted; see 'backline keys list'.")
    if len(files) == len(keys):
        raise SignatureError(
            f"{key_id}: the only trusted key; add another first, as nothing runs without one."
        )
    with changing(folder):
        for path in files:
            path.unlink()
        sync_folder(folder)
