"""The manifest of a release: ``release.json`` lists every file, and a complete release has no others.

The signature was verified before unpacking. This check finds later damage: a disk error, a truncated copy, an
edited file.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from appliance.errors import ReleaseError
from appliance.files.hashes import file_sha256, files_below
from appliance.files.refused_values import first_refusal
from appliance.releases.layout import MANIFEST_NAME
from appliance.releases.versions import is_version

PLATFORM: Final = "linux-x86_64"
REMEDY = "install the release again from its file"

_LARGEST_MANIFEST_BYTES = 16 << 20


def _version(text: str) -> str:
    if not is_version(text):
        raise ValueError(f"{text!r} is not a version such as 1.10.2")
    return text


def _inside(text: str) -> str:
    path = PurePosixPath(text)
    if path.is_absolute() or ".." in path.parts or str(path) != text or not text.isprintable() or text == ".":
        raise ValueError(f"{text!r} is not the name of a file inside the release")
    return text


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, populate_by_name=True)


class ReleaseFile(_Strict):
    """One file: its SHA-256, its size and its permissions (as ``"0644"``)."""

    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
    bytes: Annotated[int, Field(ge=0)]
    mode: Annotated[str, StringConstraints(pattern=r"^0[0-7]{3}$")]


class Release(_Strict):
    """The content of ``release.json``."""

    schema_version: Annotated[Literal[1], Field(alias="schema")] = 1
    version: Annotated[str, AfterValidator(_version)]
    platform: Literal["linux-x86_64"] = PLATFORM
    python: str
    """Version of the bundled Python interpreter."""
    glibc: Annotated[str, StringConstraints(pattern=r"^\d+\.\d+$")]
    """Oldest version of the GNU C library that the release runs with."""
    files: dict[Annotated[str, AfterValidator(_inside)], ReleaseFile]


def release_comment(version: str) -> str:
    """The trusted comment of a release's signature."""
    return f"backline release {version} {PLATFORM}"


def read_release(tree: Path) -> Release:
    """Read the manifest of the release in ``tree``. Raises ReleaseError if it is missing or invalid."""
    path = tree / MANIFEST_NAME
    try:
        if path.stat().st_size > _LARGEST_MANIFEST_BYTES:
            raise ReleaseError(f"{path}: too large; {REMEDY}.")
        return Release.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        raise ReleaseError(f"{tree}: not a release, because it has no {MANIFEST_NAME}; {REMEDY}.") from None
    except OSError as error:
        raise ReleaseError(f"{path}: cannot be read ({error.strerror}); {REMEDY}.") from error
    except ValidationError as error:
        raise ReleaseError(f"{path}: {first_refusal(error)}; {REMEDY}.") from error


def check_tree(tree: Path) -> Release:
    """Compare every file of the release in ``tree`` with its manifest.

    Raises ReleaseError if a file is missing, altered, additional or not a plain file.
    """
    release = read_release(tree)
    try:
        found = dict(_walk(tree))
        found.pop(MANIFEST_NAME, None)
        for name, facts in release.files.items():
            if name not in found:
                raise ReleaseError(f"{tree / name}: missing from the release; {REMEDY}.")
            _check(tree / name, found.pop(name), facts)
    except OSError as error:
        raise ReleaseError(f"{error.filename}: cannot be read ({error.strerror}); {REMEDY}.") from error
    if found:
        raise ReleaseError(f"{tree / min(found)}: not part of the release; {REMEDY}.")
    return release


def _walk(tree: Path) -> Iterator[tuple[str, os.stat_result]]:
    for path, found in files_below(tree):
        if not stat.S_ISREG(found.st_mode):
            raise ReleaseError(f"{path}: not a plain file, and a release has no others; {REMEDY}.")
        yield path.relative_to(tree).as_posix(), found


def _check(path: Path, found: os.stat_result, facts: ReleaseFile) -> None:
    if found.st_size != facts.bytes:
        raise ReleaseError(f"{path}: altered ({found.st_size} bytes instead of {facts.bytes}); {REMEDY}.")
    if stat.S_IMODE(found.st_mode) != int(facts.mode, 8):
        raise ReleaseError(f"{path}: its permissions are not {facts.mode}; {REMEDY}.")
    if file_sha256(path) != facts.sha256:
        raise ReleaseError(f"{path}: altered (its SHA-256 differs from {MANIFEST_NAME}); {REMEDY}.")
