"""Activate an unpacked release: test it, make it current, and remove it if it fails."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from appliance.errors import OutputError, ReleaseError
from appliance.files.durable import changing, clear, move, remove_folder, sync, sync_disk
from appliance.files.whole import write_whole
from appliance.releases.confinement import missing_measures
from appliance.releases.contents import check_tree
from appliance.releases.layout import MANIFEST_NAME, Layout, release_at
from appliance.releases.leftovers import clear_staging, tidy
from appliance.releases.lock import locked
from appliance.releases.switch import Say, recover, switch
from appliance.releases.systemd_units import SystemdUnits
from appliance.releases.uninstall import remove_program
from appliance.releases.versions import is_older
from appliance.signatures.trusted_keys import KEYS_VARIABLE, add_key, trusted_keys
from appliance.system.syscalls import exchange

SELF_TEST_LIMIT_S = 900.0
"""Rendering the demo takes seconds; this leaves room for an old, busy computer."""

RECOVERY_SCRIPT = "recover.sh"


def activate(staged: Path, layout: Layout, *, allow_downgrade: bool, say: Say) -> None:
    """Install the unpacked release ``staged``, a folder below the staging folder, and run it.

    ``say`` receives each progress message.

    Raises:
        ReleaseError: the release is damaged or older, fails its self-test, or does not work as a service.
        OutputError: a file cannot be written.

    After either error the previous release runs and ``staged`` is removed.
    """
    staged = staged.absolute()
    if layout.staging not in staged.parents:
        raise ReleaseError(
            f"{staged}: not in {layout.staging}; install a release with 'backline release install'."
        )
    with locked(layout):
        recover(layout, say)
        clear_staging(layout, keep=staged)  # recover.sh does not run at boot before the first installation
        try:
            version = _tested(staged, layout, allow_downgrade=allow_downgrade, say=say)
            _move_into_place(staged, layout, version)
        except BaseException:
            with changing(staged):
                clear(staged)
            raise
        _switch_and_tidy(layout, version, say)
        for measure in missing_measures(layout) or ():
            say(f"This computer lacks {measure.line()}")
        say(f"Release {version} is installed in {layout.release(version)} and runs.")


def rollback(layout: Layout, say: Say) -> None:
    """Run the previous release again; the current one becomes the previous one.

    Raises:
        ReleaseError: there is no previous release, or it does not work.
        OutputError: a file cannot be written.
    """
    with locked(layout):
        recover(layout, say)
        version = release_at(layout.previous)
        if version is None or version == release_at(layout.current):
            raise ReleaseError(f"{layout.previous}: there is no previous release; install one.")
        switch(layout, version, say)
        say(f"Release {version} runs.")


def check_order(version: str, layout: Layout, *, allow_downgrade: bool) -> None:
    """Raise ReleaseError if ``version`` is older than the current release, unless that is allowed."""
    current = release_at(layout.current)
    if current is not None and is_older(version, current) and not allow_downgrade:
        raise ReleaseError(
            f"Release {version} is older than {current}, which runs here; return to the previous release "
            "with 'backline release rollback', or install the older one with --allow-downgrade."
        )


def _tested(staged: Path, layout: Layout, *, allow_downgrade: bool, say: Say) -> str:
    """Check the files of a release and run its self-test; returns its version. Raises ReleaseError."""
    release = check_tree(staged)
    check_order(release.version, layout, allow_downgrade=allow_downgrade)
    installed = layout.release(release.version)
    in_use = release.version in (release_at(layout.current), release_at(layout.previous))
    if in_use and (installed / MANIFEST_NAME).read_bytes() != (staged / MANIFEST_NAME).read_bytes():
        raise ReleaseError(
            f"Release {release.version} is already installed with different files; build the changed release "
            "with a new version."
        )
    say(f"Release {release.version} is complete: {len(release.files):,} files.")
    with changing(staged):
        sync_disk(staged)
    say(_run_self_test(staged, layout))
    return release.version


def _run_self_test(staged: Path, layout: Layout) -> str:
    """Run the release's own self-test; returns its last line. Raises ReleaseError if it fails."""
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
            f"The release does not work on this computer; nothing was changed. "
            f"{said.removeprefix('backline: ')}"
        )
    return (done.stdout.strip().splitlines() or ["The self-test passed."])[-1]


def _is_first(layout: Layout) -> bool:
    """Whether this is the first installation, which trusts the signing key that the release brings.

    An installation whose keys were all removed is not a first one: it trusts no key until one is added.
    """
    pinned = layout.keys.is_dir() and bool(trusted_keys(layout.keys))
    return not pinned and not os.path.lexists(layout.current)


def _move_into_place(staged: Path, layout: Layout, version: str) -> None:
    """Move the tree to ``releases/VERSION`` and leave a link at ``staged``.

    The first installation also trusts the keys of the release.
    """
    target = layout.release(version)
    with changing(target):
        layout.releases.mkdir(mode=0o755, exist_ok=True)
        if version in (release_at(layout.current), release_at(layout.previous)):
            try:
                check_tree(target)
            except ReleaseError:  # the installed copy is damaged: replace it
                exchange(staged, target)
                sync(target.parent)
            clear(staged)
        else:
            remove_folder(target, layout.staging)
            move(staged, target)
        # The running program may be this release, which still imports modules from ``staged``.
        staged.symlink_to(target)
    if _is_first(layout):
        for key in sorted((target / "keys").glob("*.pub")):
            add_key(layout.keys, key)
        write_recovery(layout, target)


def write_recovery(layout: Layout, tree: Path) -> None:
    """Copy the script that runs at boot out of the release ``tree``, as releases may be damaged.

    Raises OutputError if it cannot be written.
    """
    script = tree / "systemd" / RECOVERY_SCRIPT
    with changing(layout.prefix / RECOVERY_SCRIPT):
        if script.is_file():
            write_whole(layout.prefix / RECOVERY_SCRIPT, script.read_bytes(), 0o755, sync=True)
            sync(layout.prefix)


def _switch_and_tidy(layout: Layout, version: str, say: Say) -> None:
    """Switch to ``version``, then remove releases no longer needed: older ones, or the one that failed."""
    first = not os.path.lexists(layout.current)
    try:
        switch(layout, version, say)
    except BaseException:
        try:
            if first:
                SystemdUnits(layout).unregister()
                remove_program(layout)
            else:
                tidy(layout)
        except (OutputError, ReleaseError) as error:
            say(str(error))
        raise
    write_recovery(layout, layout.release(version))
    tidy(layout)
