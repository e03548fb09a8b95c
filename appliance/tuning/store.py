"""Profiles in a folder, one file per key. A file that cannot be used is reported and ignored.

A profile can only select precision and threads. A forged one can make renders slower or change their
rounding, but cannot run code.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from pydantic import ValidationError

from appliance.errors import OutputError
from appliance.files.own_files import keep_newest, own_folder
from appliance.files.whole import write_whole
from appliance.tuning.profile import Profile, ProfileKey

MAX_FILES = 40
"""Each update of pack or library leaves an unused profile; the oldest files are removed."""

OLD_NAME = "plans"
"""Folder name in earlier releases, which called a profile a plan; its files are still read."""

_LARGEST_BYTES = 1 << 20


def profiles_folder() -> Path | None:
    """The folder of this user's or service's profiles; None if no environment variable gives one."""
    return own_folder("STATE_DIRECTORY", "XDG_STATE_HOME", ".local/state", "profiles")


def profile_path(folder: Path, key: ProfileKey) -> Path:
    """The profile file for ``key``."""
    return folder / f"{key.digest}.json"


def read_profile(folder: Path | None, key: ProfileKey) -> tuple[Profile | None, str]:
    """Read the profile for ``key``; returns it, or None and a sentence about what is wrong with its file.

    The sentence is '' if there is no file.
    """
    if folder is None:
        return None, ""
    path = profile_path(folder, key)
    if not path.exists():
        path = profile_path(folder.with_name(OLD_NAME), key)
    try:
        with path.open("rb") as file:
            text = file.read(_LARGEST_BYTES + 1)
    except FileNotFoundError:
        return None, ""
    except OSError as error:
        return None, f"{path} cannot be read ({error.strerror}); graphs run with the shipped settings."
    again = "run 'backline tune' to measure again; until then graphs run with the shipped settings."
    try:
        profile = Profile.model_validate_json(text)
    except (ValidationError, RecursionError):
        return None, f"{path} is damaged or of another version; {again}"
    if profile.key != key:
        return None, f"{path} is for another computer, pack or version; {again}"
    return profile, ""


def write_profile(folder: Path, profile: Profile) -> None:
    """Write ``profile`` atomically; of two concurrent writers the last one wins.

    Raises OutputError if it cannot be written.
    """
    path = profile_path(folder, profile.key)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # An administrator may run tune for the service, which must be able to read the file.
        write_whole(path, profile.to_json().encode(), mode=0o644, sync=True)
    except OSError as error:
        raise OutputError(
            f"{path} cannot be written ({error.strerror}); name another folder with --profiles."
        ) from error
    with suppress(OSError):
        keep_newest(folder, "*.json", MAX_FILES)
