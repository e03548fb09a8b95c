"""Install a release from a ``.run`` file: copy it, verify the copy with a trusted key, then run the copy.

Only root can write to the copy, so the verified bytes are the bytes that run. A ``.run`` file is a shell
script followed by an archive. The script unpacks the archive into the staging folder and starts
``backline release activate`` from there.
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
from appliance.releases.switch import Say, recover
from appliance.releases.versions import is_version
from appliance.signatures.minisign import signature_of, verified_file
from appliance.signatures.trusted_keys import trusted_keys

_COMMENT = re.compile(release_comment(r"(\S+)"))


def install_release(file: Path, layout: Layout, *, allow_downgrade: bool, say: Say) -> None:
    """Install the ``.run`` file ``file``, whose signature lies beside it.

    ``say`` receives each progress message.

    Raises:
        SignatureError: no trusted key signed the file, or it was altered.
        ReleaseError: the file is missing, is not a release for this platform, is older, or does not work.
        OutputError: a file cannot be written.

    After any of these the previous release runs.
    """
    with locked(layout) as lock:
        recover(layout, say)
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
                raise ReleaseError(f"{file}: not installed; see the message above.")
        finally:
            with changing(folder):
                clear(folder)
            clear_staging(layout)


def _verified(file: Path, folder: Path, layout: Layout, *, allow_downgrade: bool, say: Say) -> Path:
    """Copy ``file`` to ``folder`` and verify that a trusted key signed it as a release for this platform."""
    copy = folder / "release.run"
    try:
        private_copy(signature_of(file), signature_of(copy))
        private_copy(file, copy)
    except FileNotFoundError as error:
        raise ReleaseError(
            f"{error.filename}: no such file; a release needs its .run file and its .minisig file."
        ) from error
    except OSError as error:
        raise OutputError(
            f"{file}: cannot be copied to {folder} ({error.strerror}); check the USB stick and the disk."
        ) from error
    signed = verified_file(copy, trusted_keys(layout.keys).values())
    meant = _COMMENT.fullmatch(signed.comment)
    if meant is None or not is_version(meant[1]):
        raise ReleaseError(
            f"{file}: signed as {signed.comment!a}, which is not a release for {PLATFORM}; "
            "choose a release's .run file."
        )
    check_order(meant[1], layout, allow_downgrade=allow_downgrade)
    say(f"{file.name}: release {meant[1]}, signed by key {signed.key_id}.")
    return copy
