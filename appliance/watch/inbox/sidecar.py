"""Sidecars: settings for a vocal in files beside it.

``backline.toml`` in a folder applies to all vocals in it and its sub-folders. ``NAME.toml`` beside
``NAME.wav`` overrides it. Both have the same keys. An error in a sidecar rejects the vocal with a reason,
because a wrong accompaniment would be worse than none. The engine checks names of styles and keys later.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, ValidationError

from appliance.composing.wishes import Dials, Wishes
from appliance.errors import InputError
from appliance.files.refused_values import refusal, unknown_key
from appliance.files.toml import TomlError, parse_toml
from appliance.watch.disk.folders import opened
from appliance.watch.disk.found import FoundFile, same_file, shown
from appliance.watch.inbox.companions import stem_of
from appliance.watch.inbox.scan import CHART_ENDINGS, SETTINGS_ENDING, SETTINGS_NAME
from appliance.watch.inbox.settling import Tracker
from appliance.watch.settings.config import Work
from appliance.watch.settings.values import Seed, Takes

MAX_BYTES = 256 << 10
"""Largest size of a chord chart."""

MAX_SETTINGS_BYTES = 16 << 10
MAX_LINE_CHARACTERS = 500
"""Limits of a sidecar. The memory of Python's TOML parser grows with the square of a key's parts: one key of
256 KiB takes 40 GB."""

_MAX_SENTENCE = 800
"""Characters of a validation error that are shown."""

Name = Annotated[str, Field(min_length=1, max_length=50)]


class NotReady(Exception):
    """The vocal cannot be accepted yet, e.g. because a companion is still changing; the text says why."""


class Missing(NotReady):
    """A chord chart that a sidecar names does not exist."""


class _Sidecar(Dials):
    """Keys of ``backline.toml`` and ``NAME.toml``; missing keys are inherited.

    Its limits are narrower than the command's, because a hundred takes would block the queue unattended.
    """

    style: Name = Dials().style
    key: Name | None = None
    chords: Annotated[str, Field(min_length=1, max_length=255)] | None = None
    """Name of a chord chart in the same folder."""
    takes: Takes = 1
    seed: Seed = 0


def read_wishes(inbox: Path, vocal: bytes, tracker: Tracker, now_s: float, work: Work) -> Wishes:
    """The wishes for a vocal, from the settings in ``work`` and the sidecars in the last scan.

    Raises:
        NotReady: a companion is missing or still changing.
        InputError: a companion is invalid; the sentence is for the musician.
        OSError: a companion cannot be read.
    """
    asked: dict[str, Any] = {"style": work.style, "takes": work.takes, "seed": work.seed}
    for path in _sidecars(vocal, tracker):
        said = _read(inbox, path, tracker, now_s)
        asked |= said.model_dump(exclude_unset=True, exclude={"chords"})
        if said.chords is not None:
            text = _text(inbox, _chart_path(path, said.chords), tracker, now_s)
            asked |= {"chords": text, "chords_name": said.chords}
    return Wishes.model_validate(asked)


def _sidecars(vocal: bytes, tracker: Tracker) -> Iterator[bytes]:
    """The existing sidecars of a vocal, the most general first."""
    folders = [b"", *(vocal[: i + 1] for i, byte in enumerate(vocal) if byte == ord("/"))]
    for path in (*(folder + SETTINGS_NAME for folder in folders), stem_of(vocal) + SETTINGS_ENDING):
        if (companion := tracker.companion(path)) is not None:
            yield companion.path


def _chart_path(sidecar: bytes, name: str) -> bytes:
    if "/" in name or "\0" in name or name in (".", ".."):
        raise InputError(f"{shown(sidecar)}: chords: '{name}' must be the name of a file in the same folder.")
    chart = os.fsencode(name)
    if not chart.lower().endswith(CHART_ENDINGS):
        endings = ", ".join(ending.decode() for ending in CHART_ENDINGS)
        raise InputError(f"{shown(sidecar)}: chords: the name of a chord chart must end in {endings}.")
    return sidecar[: sidecar.rfind(b"/") + 1] + chart


def _read(inbox: Path, path: bytes, tracker: Tracker, now_s: float) -> _Sidecar:
    text = _text(inbox, path, tracker, now_s, MAX_SETTINGS_BYTES)
    if max(map(len, text.splitlines()), default=0) > MAX_LINE_CHARACTERS:
        raise InputError(
            f"{shown(path)} has a line that is too long; settings have at most {MAX_LINE_CHARACTERS} "
            "characters per line."
        )
    try:
        return _Sidecar.model_validate(parse_toml(text))
    except TomlError as error:
        raise InputError(f"{shown(path)}, {error}.") from error
    except ValidationError as error:
        raise InputError(f"{shown(path)}: {refusal(error, _unknown)[:_MAX_SENTENCE]}.") from error
    except (ValueError, RecursionError) as error:  # a number with thousands of digits, deeply nested lists
        raise InputError(f"{shown(path)} has a value that no sidecar needs; remove it.") from error


def _unknown(key: str) -> str:
    *others, last = _Sidecar.model_fields
    return unknown_key(key, _Sidecar.model_fields, f"a sidecar may hold {', '.join(others)} and {last}")


def _text(inbox: Path, path: bytes, tracker: Tracker, now_s: float, max_bytes: int = MAX_BYTES) -> str:
    companion = tracker.companion(path)
    if companion is None:
        raise Missing(f"{shown(path)} is missing")
    if not tracker.has_settled(companion.path, now_s):
        raise NotReady(f"{shown(path)} has not settled yet")
    if companion.size > max_bytes:
        raise InputError(
            f"{shown(path)} is too long: {companion.size} bytes, and {max_bytes} bytes are allowed."
        )
    data = _bytes(inbox, companion)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{shown(path)} is not UTF-8 text; save it as UTF-8.") from error


def _bytes(inbox: Path, companion: FoundFile) -> bytes:
    try:
        with opened(inbox, companion.path) as descriptor:
            data = os.pread(descriptor, MAX_BYTES + 1, 0)
            same = same_file(companion, os.fstat(descriptor), ctime=True)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise NotReady(f"{companion.shown} is missing") from error
    except PermissionError as error:
        raise InputError(
            f"{companion.shown}: the service may not read it; change its permissions."
        ) from error
    if not same or len(data) != companion.size:
        raise NotReady(f"{companion.shown} has just changed")
    return data
