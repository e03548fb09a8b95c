"""Sidecars: settings for a vocal in files beside it.

``backline.toml`` in a folder applies to all vocals in it and its sub-folders. ``NAME.toml`` beside
``NAME.wav`` overrides it. Both have the same keys. An error in a sidecar rejects the vocal with a reason,
because a wrong accompaniment would be worse than none. The engine checks names of styles and keys later.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, NamedTuple

from pydantic import Field, ValidationError

from appliance.composing.wishes import TEMPO_WISHES, Section, SidecarWishes, Wishes
from appliance.errors import InputError
from appliance.files.refused_values import refusal, unknown_key
from appliance.files.toml import TomlError, parse_toml
from appliance.watch.disk.folders import opened
from appliance.watch.disk.found import FoundFile, same_file, shown
from appliance.watch.inbox.charts import chart_path, is_chart, start_of
from appliance.watch.inbox.companions import Claim
from appliance.watch.inbox.scan import TEXT_ENDING
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

_SECTION = re.compile(r"\bsection\.(\d+)(?:\.(\w+))?")
"""The place of a section, or of a key in it, in an error."""

Name = Annotated[str, Field(min_length=1, max_length=50)]


class NotReady(Exception):
    """The vocal cannot be accepted yet, e.g. because a companion is still changing; the text says why."""


class Missing(NotReady):
    """A chord chart that a sidecar names does not exist."""


class _Sidecar(SidecarWishes):
    """Keys of ``backline.toml`` and ``NAME.toml``; missing keys are inherited.

    Its limits are narrower than the command's, because a hundred takes would block the queue unattended.
    """

    style: Name = SidecarWishes().style
    key: Name | None = None
    chords: Annotated[str, Field(min_length=1, max_length=255)] | None = None
    """Name of a chord chart in the same folder."""
    takes: Takes = 1
    seed: Seed = 0


class Asked(NamedTuple):
    """What is asked for a vocal, and the companions that say so."""

    wishes: Wishes
    applied: tuple[FoundFile, ...]


def read_asked(inbox: Path, vocal: bytes, tracker: Tracker, now_s: float, work: Work) -> Asked:
    """The wishes for a vocal, from the settings in ``work`` and the companions in the last scan.

    Raises:
        NotReady: a companion is missing or still changing.
        InputError: a companion is invalid, or it is not clear which one counts; the sentence is for the
            musician.
        OSError: a companion cannot be read.
    """
    return _Reader(inbox, vocal, tracker, now_s).read(work)


@dataclass(slots=True)
class _Reader:
    """Reads the companions of one vocal."""

    inbox: Path
    vocal: bytes
    tracker: Tracker
    now_s: float
    _applied: list[FoundFile] = field(default_factory=list)

    def read(self, work: Work) -> Asked:
        asked: dict[str, Any] = {"style": work.style, "takes": work.takes, "seed": work.seed}
        for settings in self._folder_settings():
            asked = _narrowed(asked, self._said(settings))
        claims = self.tracker.companions.of(self.vocal)
        own_settings = self._own_settings(claims)
        own = {} if own_settings is None else self._said(own_settings)
        chart = {} if "chords" in own else self._own_chart(claims)
        return Asked(Wishes.model_validate(_narrowed(asked, own) | chart), tuple(self._applied))

    def _folder_settings(self) -> Iterator[FoundFile]:
        """The sidecars of the folders above the vocal, the most general first."""
        for folder in (b"", *(self.vocal[: i + 1] for i, byte in enumerate(self.vocal) if byte == ord("/"))):
            settings = self._only(self.tracker.companions.folder_settings(folder), "the folder")
            if settings is not None:
                yield settings

    def _own_settings(self, claims: list[Claim]) -> FoundFile | None:
        settings = [claim for claim in claims if claim.kind in ("settings", "rich")]
        return self._only(settings, _title(self.vocal))

    def _only(self, claims: list[Claim], whose: str) -> FoundFile | None:
        """The file of the only claim, None if there is none. Raises InputError if it is not clear."""
        for claim in claims:
            name = claim.file.shown
            if claim.kind == "rich":
                raise InputError(f"{name} is not plain text; save it as plain text with the ending .toml.")
            others = " or for ".join(_title(rival) for rival in claim.rivals[:3])
            if others or claim.doubtful:
                others = others or "a vocal of nearly the same name that lay beside it"
                raise InputError(
                    f"{name} may be meant for {whose} or for {others}; give it exactly the name of its vocal."
                )
        if len(claims) > 1:
            names = " and ".join(sorted(claim.file.shown for claim in claims)[:3])
            raise InputError(f"{names}: only one of them may say something for {whose}; keep one.")
        return claims[0].file if claims else None

    def _said(self, settings: FoundFile) -> dict[str, Any]:
        """What a sidecar asks for, with the text of the chart that it names."""
        said = _parse(self._text(settings, MAX_SETTINGS_BYTES), settings.shown)
        self._applied.append(settings)
        asked = said.model_dump(exclude_unset=True, exclude={"chords"}, by_alias=True)
        return asked if said.chords is None else asked | self._chart(settings.path, said.chords)

    def _chart(self, sidecar: bytes, name: str) -> dict[str, Any]:
        path = chart_path(sidecar, name)
        charts = self.tracker.companions.named(path)
        if not charts:
            raise Missing(f"{shown(path)} is missing")
        if len(charts) > 1:
            names = " or ".join(chart.shown for chart in charts[:3])
            raise InputError(f"{shown(sidecar)}: chords: '{name}' may be {names}; write the name exactly.")
        text = self._text(charts[0])
        self._applied.append(charts[0])
        return {"chords": text, "chords_name": name}

    def _own_chart(self, claims: list[Claim]) -> dict[str, Any]:
        """The chart that has the vocal's name, although no settings of the vocal name one."""
        meant = []
        for claim in claims:
            if claim.kind == "chart":
                clearly = not claim.file.path.lower().endswith(TEXT_ENDING)
                if clearly or is_chart(self._start(claim.file)):
                    meant.append(claim)
        chart = self._only(meant, _title(self.vocal))
        if chart is None:
            return {}
        text = self._text(chart)
        self._applied.append(chart)
        return {"chords": text, "chords_name": os.fsdecode(chart.path.rpartition(b"/")[2])}

    def _start(self, companion: FoundFile) -> str:
        """The start of a text that may be anything. Raises NotReady while it changes, and OSError."""
        self._check_settled(companion)
        try:
            return start_of(self.inbox, companion)
        except FileNotFoundError as error:
            raise NotReady(f"{companion.shown} is missing") from error
        except PermissionError:  # nobody says that it is a chart
            return ""

    def _check_settled(self, companion: FoundFile) -> None:
        if not self.tracker.has_settled(companion.path, self.now_s):
            raise NotReady(f"{companion.shown} has not settled yet")

    def _text(self, companion: FoundFile, max_bytes: int = MAX_BYTES) -> str:
        self._check_settled(companion)
        if companion.size > max_bytes:
            raise InputError(
                f"{companion.shown} is too long: {companion.size} bytes, and {max_bytes} bytes are allowed."
            )
        data = _bytes(self.inbox, companion)
        try:
            return data.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise InputError(f"{companion.shown} is not UTF-8 text; save it as UTF-8.") from error


def _narrowed(wider: dict[str, Any], said: dict[str, Any]) -> dict[str, Any]:
    """What a wider sidecar asks for and a nearer one changes; the nearer one says all of the tempo."""
    if any(said.get(name) for name in TEMPO_WISHES):
        wider = {name: value for name, value in wider.items() if name not in TEMPO_WISHES}
    return wider | said


def _title(vocal: bytes) -> str:
    return f"'{shown(vocal.rpartition(b'/')[2])}'"


def named_chart(inbox: Path, settings: FoundFile) -> bytes | None:
    """The path of the chart that a sidecar names; None if it names none or cannot be read as it is."""
    try:
        if settings.size > MAX_SETTINGS_BYTES:
            return None
        said = _parse(_bytes(inbox, settings).decode("utf-8-sig"), settings.shown)
        return None if said.chords is None else chart_path(settings.path, said.chords)
    except (InputError, NotReady, OSError, ValueError):
        return None


def _parse(text: str, name: str) -> _Sidecar:
    """The settings in the text of a sidecar, which errors call ``name``."""
    if max(map(len, text.splitlines()), default=0) > MAX_LINE_CHARACTERS:
        raise InputError(
            f"{name} has a line that is too long; settings have at most {MAX_LINE_CHARACTERS} "
            "characters per line."
        )
    try:
        return _Sidecar.model_validate(parse_toml(text))
    except TomlError as error:
        raise InputError(f"{name}, {error}.") from error
    except ValidationError as error:
        said = _SECTION.sub(_counted, refusal(error, _unknown))
        raise InputError(f"{name}: {said[:_MAX_SENTENCE]}.") from error
    except (ValueError, RecursionError) as error:  # a number with thousands of digits, deeply nested lists
        raise InputError(f"{name} has a value that no sidecar needs; remove it.") from error


def _unknown(key: str) -> str:
    inside = _SECTION.match(key) is not None
    known = Section.written_names() if inside else _Sidecar.written_names()
    *others, last = known
    holder = "a section" if inside else "a sidecar"
    return unknown_key(key.rpartition(".")[2], known, f"{holder} may hold {', '.join(others)} and {last}")


def _counted(match: re.Match[str]) -> str:
    """The first section is number 1, not 0."""
    key = f": {match[2]}" if match[2] else ""
    return f"section {int(match[1]) + 1}{key}"


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
