"""Types of values in the settings, each with a sentence for a wrong value."""

from __future__ import annotations

import ipaddress
import re
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field

from appliance.music.score import STYLES

_OWNER_READS, _OWNER_USES = 0o400, 0o700
_LONGEST_SENTINEL = 102


def _path(value: object) -> object:
    """An absolute path: a relative one would depend on the folder that the service starts in."""
    if not isinstance(value, str | Path):
        return value
    path = Path(value)
    if not path.is_absolute() or ".." in path.parts or "\0" in str(value):
        raise ValueError(f"{str(value)[:60]!r} must be an absolute path without ..")
    return path


def _optional_path(value: object) -> object:
    return "" if value == "" else _path(value)


def _path_or_nothing(value: object) -> object:
    if not isinstance(value, str | Path):
        raise ValueError('must be a path in quotes, or "" for none')
    return value


def _style(value: str) -> str:
    if value not in STYLES:
        raise ValueError(f"unknown style '{value[:50]}'; choose one of {', '.join(STYLES)}")
    return value


def _tuple(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value


def _mode(value: str, owner: int, what: str) -> str:
    if re.fullmatch(r"[0-7]{3,4}", value) is None:
        raise ValueError(f"'{value[:60]}' must be three or four digits from 0 to 7, such as \"{what}\"")
    if int(value, 8) & owner != owner:
        least = f"{int(value, 8) | owner:04o}"
        raise ValueError(f"'{value}' would lock out the service itself; give its user at least \"{least}\"")
    return value


def _file_mode(value: str) -> str:
    return _mode(value, _OWNER_READS, "0664")


def _folder_mode(value: str) -> str:
    return _mode(value, _OWNER_USES, "2775")


def _sentinel(value: str) -> str:
    if re.fullmatch(r"\.?[A-Za-z0-9_][A-Za-z0-9._-]*", value) is None or len(value) > _LONGEST_SENTINEL:
        raise ValueError(
            f"'{value[:_LONGEST_SENTINEL]}' must be the name of a file: up to {_LONGEST_SENTINEL} "
            "letters, digits, dots, dashes and underscores"
        )
    return value


def _loopback(value: str) -> str:
    if value == "":
        return value
    host, _, port = value.rpartition(":")
    if not (host == "localhost" or _is_loopback(host)):
        raise ValueError(f"'{value[:60]}' must be a loopback address and a port, such as 127.0.0.1:9477")
    if re.fullmatch(r"[0-9]{1,5}", port) is None or not 1 <= int(port) <= 65_535:
        raise ValueError(f"'{value[:60]}' must end in a port from 1 to 65535")
    return value


def _is_loopback(host: str) -> bool:
    bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    try:
        address = ipaddress.ip_address(bare)
    except ValueError:
        return False
    return address.is_loopback and (address.version == 6) == (bare != host)


AbsolutePath = Annotated[Path, BeforeValidator(_path)]
OptionalPath = Annotated[Path | str, BeforeValidator(_optional_path), BeforeValidator(_path_or_nothing)]
"""A path, or '' for none."""
Seconds = Annotated[float, Field(gt=0, le=7 * 86_400)]
Words = Annotated[tuple[str, ...], BeforeValidator(_tuple)]
Style = Annotated[str, AfterValidator(_style)]
Takes = Annotated[int, Field(ge=1, le=99)]
Seed = Annotated[int, Field(ge=0, le=2**53)]
FileMode = Annotated[str, AfterValidator(_file_mode)]
FolderMode = Annotated[str, AfterValidator(_folder_mode)]
SentinelName = Annotated[str, AfterValidator(_sentinel)]
LoopbackAddress = Annotated[str, AfterValidator(_loopback)]
