"""Plans in a folder, one file a key. What cannot be used is as good as none, and said in a sentence.

A plan chooses only among settings that agree with the pack as shipped, so a file that somebody else wrote
can make a render slower, never different in kind.
"""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from pathlib import Path

from pydantic import ValidationError

from appliance.errors import OutputError
from appliance.tuning.plan import Key, Plan

MOST_FILES = 40
"""Every update of pack or library leaves a plan behind that nobody needs; the oldest go first."""

_LARGEST_BYTES = 1 << 20


def plans_folder() -> Path | None:
    """Where this user's or service's plans lie; None where nobody says.

    A service is told by systemd (``StateDirectory=``), a user by the XDG Base Directory Specification.
    """
    for variable, inside in (
        ("STATE_DIRECTORY", ""),
        ("XDG_STATE_HOME", "backline"),
        ("HOME", ".local/state/backline"),
    ):
        if place := os.environ.get(variable, ""):
            folder = Path(place.split(":")[0])
            return folder / inside / "plans" if folder.is_absolute() else None
    return None


def plan_path(folder: Path, key: Key) -> Path:
    """The file of the plan for ``key``."""
    return folder / f"{key.digest}.json"


def read_plan(folder: Path | None, key: Key) -> tuple[Plan | None, str]:
    """The plan for ``key``, and what is wrong with its file; '' where nothing is, or there is none."""
    if folder is None:
        return None, ""
    path = plan_path(folder, key)
    try:
        with path.open("rb") as file:
            text = file.read(_LARGEST_BYTES + 1)
    except FileNotFoundError:
        return None, ""
    except OSError as error:
        return None, f"{path} cannot be read ({error.strerror}); everything is computed as shipped."
    again = "run 'backline tune' to measure anew; until then everything is computed as shipped."
    try:
        plan = Plan.model_validate_json(text)
    except (ValidationError, RecursionError):
        return None, f"{path} is damaged, or of another version; {again}"
    if plan.key != key:
        return None, f"{path} is for another computer, pack or version; {again}"
    return plan, ""


def write_plan(folder: Path, plan: Plan) -> None:
    """Keeps ``plan``; its file appears whole or not at all, and of two writers the last one's stays.

    Raises OutputError.
    """
    path = plan_path(folder, plan.key)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        descriptor, part = tempfile.mkstemp(dir=folder, suffix=".part")
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                os.fchmod(descriptor, 0o644)  # an administrator may tune for the service
                file.write(plan.to_json())
                file.flush()
                os.fsync(file.fileno())
            Path(part).replace(path)
        except BaseException:
            Path(part).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise OutputError(
            f"{path} cannot be written ({error.strerror}); name another folder with --plans."
        ) from error
    with suppress(OSError):
        kept = sorted(folder.glob("*.json"), key=lambda other: other.stat().st_mtime, reverse=True)
        for old in kept[MOST_FILES:]:
            old.unlink(missing_ok=True)
