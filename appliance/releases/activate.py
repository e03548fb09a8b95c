"""A release that lies unpacked in the staging folder is tried, becomes the one that runs, or goes away."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from appliance.errors import OutputError, ReleaseError
from appliance.files.durable import changing, clear, move, remove_folder, sync_disk, sync_folder
from appliance.files.own_files import write_whole
from appliance.releases.contents import check_tree
from appliance.releases.layout import MANIFEST_NAME, Layout, release_at
from appliance.releases.leftovers import clear_staging, tidy
from appliance.releases.lock import locked
from appliance.releases.switch import Say, put_in_order, switch
from appliance.releases.systemd_units import System
from appliance.releases.uninstall import remove_program
from appliance.releases.versions import is_older
from appliance.signatures.trusted_keys import KEYS_VARIABLE, add_key, trusted_keys
from appliance.system.syscalls import exchange

SELF_TEST_LIMIT_S = 900.0
"""The demo takes seconds; a busy old computer takes longer."""

RECOVERY_SCRIPT = "recover.sh"


def activate(staged: Path, layout: Layout, *, allow_downgrade: bool, say: Say) -> None:
    """Installs the release in the folder ``staged``, which lies in the staging folder, and runs it.

    Raises ReleaseError, OutputError; then whatever ran before runs on, and ``staged`` is gone.
    """
    staged = staged.absolute()
    if layout.staging not in staged.parents:
        raise ReleaseError(
            f"{staged}: a release to activate lies in {layout.staging}; see 'release install'."
        )
    with locked(layout):
        put_in_order(layout, say)
        clear_staging(layout, keep=staged)  # of a first installation that was cut off no boot has cleaned up
        try:
            version = _tried(staged, layout, allow_downgrade=allow_downgrade, say=say)
            _put_in_place(staged, layout, version)
        except BaseException:
            with changing(staged):
                clear(staged)
            raise
        _run(layout, version, say)
        say(f"Release {version} is installed in {layout.release(version)} and runs.")


def rollback(layout: Layout, say: Say) -> None:
    """Runs the previous release again; the one that ran becomes the previous one. Raises ReleaseError."""
    with locked(layout):
        put_in_order(layout, say)
        version = release_at(layout.previous)
        if version is None or version == release_at(layout.current):
            raise ReleaseError(f"{layout.previous}: there is no release to return to; install one.")
        switch(layout, version, say)
        say(f"Release {version} runs.")


def check_order(version: str, layout: Layout, *, allow_downgrade: bool) -> None:
    """Refuses to go back to an older version. Raises ReleaseError."""
    current = release_at(layout.current)
    if current is not None and is_older(version, current) and not allow_downgrade:
        raise ReleaseError(
            f"Release {version} is older than {current}, which runs here; 'backline release rollback' goes "
            "back to the one before, and --allow-downgrade installs an older one."
        )


def _tried(staged: Path, layout: Layout, *, allow_downgrade: bool, say: Say) -> str:
    """The version of a whole release that can do its work here."""
    release = check_tree(staged)
    check_order(release.version, layout, allow_downgrade=allow_downgrade)
    installed = layout.release(release.version)
    in_use = release.version in (release_at(layout.current), release_at(layout.previous))
    if in_use and (installed / MANIFEST_NAME).read_bytes() != (staged / MANIFEST_NAME).read_bytes():
        raise ReleaseError(
            f"Release {release.version} is installed already, with other files; a changed release needs "
            "a version of its own."
        )
    say(f"Release {release.version} is whole: {len(release.files):,} files.")
    with changing(staged):
        sync_disk(staged)
    say(_self_tested(staged, layout))
    return release.version


def _self_tested(staged: Path, layout: Layout) -> str:
    """What the release's own self-test says. Raises ReleaseError where it fails."""
    keys = staged / "keys" if _is_first(layout) else layout.keys
    command = [str(staged / "bin" / "backline"), "release", "self-test"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("BACKLINE_")}
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace",
            timeout=SELF_TEST_LIMIT_S, check=False, env={**environment, KEYS_VARIABLE: str(keys)},
        )  # fmt: skip
    except OSError as error:
        raise ReleaseError(f"{command[0]}: cannot be run ({error.strerror}); nothing was changed.") from error
    except subprocess.TimeoutExpired:
        raise ReleaseError(
            f"The self-test took longer than {SELF_TEST_LIMIT_S:.0f} s; nothing was changed."
        ) from None
    if done.returncode != 0:
        said = (done.stderr.strip() or done.stdout.strip() or f"status {done.returncode}").splitlines()[-1]
        raise ReleaseError(
            f"The release does not work here; nothing was changed. {said.removeprefix('backline: ')}"
        )
    return (done.stdout.strip().splitlines() or ["The self-test passed."])[-1]


def _is_first(layout: Layout) -> bool:
    """Whether nothing was ever installed, so that the release brings the key that is trusted from now on.

    Whoever takes all keys away from an installation trusts nobody.
    """
    pinned = layout.keys.is_dir() and bool(trusted_keys(layout.keys))
    return not pinned and not os.path.lexists(layout.current)


def _put_in_place(staged: Path, layout: Layout, version: str) -> None:
    target = layout.release(version)
    with changing(target):
        layout.releases.mkdir(mode=0o755, exist_ok=True)
        if version in (release_at(layout.current), release_at(layout.previous)):
            try:
                check_tree(target)
            except ReleaseError:  # damaged since: the same files once more
                exchange(staged, target)
                sync_folder(target.parent)
            clear(staged)
        else:
            remove_folder(target, layout.staging)
            move(staged, target)
        # This very program may run from there, and load more of itself.
        staged.symlink_to(target)
    if _is_first(layout):
        for key in sorted((target / "keys").glob("*.pub")):
            add_key(layout.keys, key)
        write_recovery(layout, target)


def write_recovery(layout: Layout, tree: Path) -> None:
    """The script that is run at boot, kept outside of any release. Raises OutputError."""
    script = tree / "systemd" / RECOVERY_SCRIPT
    with changing(layout.prefix / RECOVERY_SCRIPT):
        if script.is_file():
            write_whole(layout.prefix / RECOVERY_SCRIPT, [script.read_bytes()], 0o755, sync=True)
            sync_folder(layout.prefix)


def _run(layout: Layout, version: str, say: Say) -> None:
    """Switches, and then removes what is not needed any more: an older release, or the one that failed."""
    first = not os.path.lexists(layout.current)
    try:
        switch(layout, version, say)
    except BaseException:
        try:
            if first:
                System(layout).leave()
                remove_program(layout)
            else:
                tidy(layout)
        except (OutputError, ReleaseError) as error:
            say(str(error))
        raise
    write_recovery(layout, layout.release(version))
    tidy(layout)
