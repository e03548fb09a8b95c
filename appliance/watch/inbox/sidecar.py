"""What a musician says about a vocal in files beside it.

``backline.toml`` in a folder holds for all vocals in it and in the folders below; ``NAME.toml`` beside
``NAME.wav`` has the last word. Both know the same keys. A mistake in them rejects the vocal with a reason:
better none than a wrong accompaniment. Which styles and keys there are is the pack's and the engine's to say.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, ValidationError

from appliance.composing.wishes import Dials, Wishes
from appliance.errors import InputError
from appliance.watch.disk.folders import opened
from appliance.watch.disk.found import FoundFile, same_file, shown
from appliance.watch.inbox.companions import stem_of
from appliance.watch.inbox.scan import CHART_ENDINGS, SETTINGS_ENDING, SETTINGS_NAME
from appliance.watch.inbox.settling import Tracker
from appliance.watch.settings.config import Seed, Takes, Work, sentence_of

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

MOST_BYTES = 256 << 10
"""No chord chart is longer than this."""

MOST_SETTINGS_BYTES = 16 << 10
MOST_LINE_CHARACTERS = 500
"""Settings are short. Python's TOML reader needs memory with the square of a key's parts: one key of 256 KiB
takes 40 GB."""

_MOST_SAID = 800
"""Characters of an objection that are passed on."""

Name = Annotated[str, Field(min_length=1, max_length=50)]


class NotYet(Exception):
    """A file beside the vocal is missing or does not stand still; the text says which."""


class Missing(NotYet):
    """A chord chart that is named and not there."""


class _Sidecar(Dials):
    """Keys of ``backline.toml`` and ``NAME.toml``; what is not said is inherited.

    Its limits are narrower than the command's, as nobody watches: a hundred takes would hold up the queue.
    """

    style: Name = Dials().style
    key: Name | None = None
    chords: Annotated[str, Field(min_length=1, max_length=255)] | None = None
    """Name of a chord chart in the same folder."""
    takes: Takes = 1
    seed: Seed = 0


def read_wishes(inbox: Path, vocal: bytes, tracker: Tracker, now_s: float, work: Work) -> Wishes:
    """What is asked for a vocal, its companions read as the last look saw them.

    Raises NotYet while a file that matters is missing or moves, InputError, in a sentence for the
    musician, where one is wrong, and OSError where the disk fails.
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
    """Those that are there, the most general first."""
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
        raise InputError(f"{shown(sidecar)}: chords: the name of a chord chart ends in one of {endings}.")
    return sidecar[: sidecar.rfind(b"/") + 1] + chart


def _read(inbox: Path, path: bytes, tracker: Tracker, now_s: float) -> _Sidecar:
    text = _text(inbox, path, tracker, now_s, MOST_SETTINGS_BYTES)
    if max(map(len, text.splitlines()), default=0) > MOST_LINE_CHARACTERS:
        raise InputError(f"{shown(path)} has a line that is too long for what it should be.")
    try:
        return _Sidecar.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{shown(path)} is not TOML: {error}.") from error
    except ValidationError as error:
        raise InputError(f"{shown(path)}: {sentence_of(error)[:_MOST_SAID]}.") from error
    except (ValueError, RecursionError) as error:  # a number of thousands of digits, a list of lists of lists
        raise InputError(f"{shown(path)} holds what no settings need: {type(error).__name__}.") from error


def _text(inbox: Path, path: bytes, tracker: Tracker, now_s: float, most_bytes: int = MOST_BYTES) -> str:
    companion = tracker.companion(path)
    if companion is None:
        raise Missing(f"{shown(path)} is missing")
    if not tracker.still(companion.path, now_s):
        raise NotYet(f"{shown(path)} does not stand still yet")
    if companion.size > most_bytes:
        raise InputError(f"{shown(path)} is too long for what it should be: {companion.size} bytes.")
    data = _bytes(inbox, companion)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{shown(path)} is not text in UTF-8; save it as such.") from error


def _bytes(inbox: Path, companion: FoundFile) -> bytes:
    try:
        with opened(inbox, companion.path) as descriptor:
            data = os.pread(descriptor, MOST_BYTES + 1, 0)
            same = same_file(companion, os.fstat(descriptor), ctime=True)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise NotYet(f"{companion.shown} is missing") from error
    except PermissionError as error:
        raise InputError(
            f"{companion.shown} may not be read by the service; change its permissions."
        ) from error
    if not same or len(data) != companion.size:
        raise NotYet(f"{companion.shown} has just changed")
    return data
