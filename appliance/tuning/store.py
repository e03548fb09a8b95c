"""Profiles in a folder, one file a key. What cannot be used is as good as none, and said in a sentence.

A profile chooses only among settings that agree with the pack as shipped, so a file that somebody else wrote
can make a render slower, never different in kind.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from pydantic import ValidationError

from appliance.errors import OutputError
from appliance.files.own_files import make_room, own_folder, write_whole
from appliance.tuning.profile import Profile, ProfileKey

MOST_FILES = 40
"""Every update of pack or library leaves a profile behind that nobody needs; the oldest go first."""

OLD_NAME = "plans"
"""How the folder was called by releases that called a profile a plan; its files are still read."""

_LARGEST_BYTES = 1 << 20


def profiles_folder() -> Path | None:
    """Where this user's or service's profiles lie; None where nobody says."""
    return own_folder("STATE_DIRECTORY", "XDG_STATE_HOME", ".local/state", "profiles")


def profile_path(folder: Path, key: ProfileKey) -> Path:
    """The file of the profile for ``key``."""
    return folder / f"{key.digest}.json"


def read_profile(folder: Path | None, key: ProfileKey) -> tuple[Profile | None, str]:
    """The profile for ``key``, and what is wrong with its file; '' where nothing is, or there is none."""
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
        return None, f"{path} cannot be read ({error.strerror}); everything is computed as shipped."
    again = "run 'backline tune' to measure anew; until then everything is computed as shipped."
    try:
        profile = Profile.model_validate_json(text)
    except (ValidationError, RecursionError):
        return None, f"{path} is damaged, or of another version; {again}"
    if profile.key != key:
        return None, f"{path} is for another computer, pack or version; {again}"
    return profile, ""


def write_profile(folder: Path, profile: Profile) -> None:
    """Keeps ``profile``; its file appears whole or not at all, and of two writers the last one's stays.

    Raises OutputError.
    """
    path = profile_path(folder, profile.key)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # An administrator may tune for the service, which must be able to read it.
        write_whole(path, (profile.to_json().encode(),), mode=0o644, sync=True)
    except OSError as error:
        raise OutputError(
            f"{path} cannot be written ({error.strerror}); name another folder with --profiles."
        ) from error
    with suppress(OSError):
        make_room(folder, "*.json", MOST_FILES)
