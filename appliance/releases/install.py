"""A release from a USB stick: copied, verified with the keys that are trusted here, then unpacked by itself.

The copy lies where only root can change it, so what is verified is what is run. It is a shell script with
everything behind it; it puts its tree into the staging folder and has that tree's own program go on.
"""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from pathlib import Path

from appliance.errors import OutputError, ReleaseError
from appliance.files.durable import changing, clear
from appliance.releases.activate import check_order
from appliance.releases.contents import PLATFORM, release_comment
from appliance.releases.copies import private_copy
from appliance.releases.layout import Layout
from appliance.releases.leftovers import clear_staging
from appliance.releases.lock import DESCRIPTOR_VARIABLE, locked
from appliance.releases.switch import Say, put_in_order
from appliance.releases.versions import is_version
from appliance.signatures.minisign import signature_of, verified_file
from appliance.signatures.trusted_keys import trusted_keys

_COMMENT = re.compile(release_comment(r"(\S+)"))


def bring_in(file: Path, layout: Layout, *, allow_downgrade: bool, say: Say) -> None:
    """Installs the release in ``file``, a ``.run`` with its signature beside it.

    Raises SignatureError, ReleaseError, OutputError; then whatever ran before runs on.
    """
    with locked(layout) as lock:
        put_in_order(layout, say)
        clear_staging(layout)
        with changing(layout.staging):
            layout.staging.mkdir(mode=0o700, exist_ok=True)
            folder = Path(tempfile.mkdtemp(prefix="install-", dir=layout.staging))
        try:
            copy = _verified(file, folder, layout, allow_downgrade=allow_downgrade, say=say)
            words = ["sh", str(copy), "--yes", *(["--allow-downgrade"] if allow_downgrade else [])]
            environment = {**os.environ, DESCRIPTOR_VARIABLE: str(lock)}
            done = subprocess.run(
                words, stdin=subprocess.DEVNULL, pass_fds=(lock,), env=environment, check=False
            )
            if done.returncode != 0:
                raise ReleaseError(f"{file}: not installed; what was wrong is said above.")
        finally:
            with changing(folder):
                clear(folder)
            clear_staging(layout)


def _verified(file: Path, folder: Path, layout: Layout, *, allow_downgrade: bool, say: Say) -> Path:
    """A private copy of a file that a trusted key has signed as a release for this kind of computer."""
    copy = folder / "release.run"
    try:
        private_copy(signature_of(file), signature_of(copy))
        private_copy(file, copy)
    except FileNotFoundError as error:
        raise ReleaseError(f"{error.filename}: there is no such file; put it beside the release.") from error
    except OSError as error:
        raise OutputError(f"{file}: cannot be copied to {folder} ({error.strerror}).") from error
    signed = verified_file(copy, trusted_keys(layout.keys).values())
    meant = _COMMENT.fullmatch(signed.comment)
    if meant is None or not is_version(meant[1]):
        raise ReleaseError(f"{file}: signed as {signed.comment!a}, which is no release for {PLATFORM}.")
    check_order(meant[1], layout, allow_downgrade=allow_downgrade)
    say(f"{file.name}: release {meant[1]}, signed by key {signed.key_id}.")
    return copy
