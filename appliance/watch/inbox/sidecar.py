"""Sidecars: settings for a vocal in files beside it.

``backline.toml`` in a folder applies to all vocals in it and its sub-folders. ``NAME.toml`` beside
``NAME.wav`` overrides it. Both have the same keys. An error in a sidecar rejects the vocal with a reason,
because a wrong accompaniment would be worse than none. The engine checks names of styles and keys later.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from appliance.composing.wishes import TEMPO_WISHES, Wishes
from appliance.errors import InputError
from appliance.watch.disk.folders import opened
from appliance.watch.disk.found import FoundFile, same_file, shown
from appliance.watch.inbox.charts import chart_path, is_chart, start_of
from appliance.watch.inbox.companions import Claim
from appliance.watch.inbox.reference_hashes import ReferenceHashes
from appliance.watch.inbox.reference_names import is_midi, reference_path
from appliance.watch.inbox.scan import TEXT_ENDING
from appliance.watch.inbox.settling import Tracker
from appliance.watch.inbox.sidecar_text import parse_sidecar
from appliance.watch.settings.config import Work

MAX_BYTES = 256 << 10
"""Largest size of a chord chart."""

MAX_MIDI_BYTES = 1 << 20
"""Largest size of a MIDI file that is a reference. Reading one takes three hundred times its memory."""

MAX_SETTINGS_BYTES = 16 << 10
"""Largest size of a sidecar. The memory of Python's TOML parser grows with the square of a key's parts: one
key of 256 KiB takes 40 GB."""


class NotReady(Exception):
    """The vocal cannot be accepted yet, e.g. because a companion is still changing; the text says why."""


class Missing(NotReady):
    """A chord chart or a reference that a sidecar names does not exist."""


class Asked(NamedTuple):
    """What is asked for a vocal, the companions that say so, and the reference among them."""

    wishes: Wishes
    applied: tuple[FoundFile, ...]
    reference: FoundFile | None = None


def read_asked(
    inbox: Path, vocal: bytes, tracker: Tracker, now_s: float, work: Work, references: ReferenceHashes
) -> Asked:
    """The wishes for a vocal, from the settings in ``work`` and the companions in the last scan.

    Raises:
        NotReady: a companion is missing or still changing, or the hash of its reference is not known yet.
        InputError: a companion is invalid, or it is not clear which one counts; the sentence is for the
            musician.
        OSError: a companion cannot be read.
    """
    return _Reader(inbox, vocal, tracker, now_s, references).read(work)


@dataclass(slots=True)
class _Reader:
    """Reads the companions of one vocal."""

    inbox: Path
    vocal: bytes
    tracker: Tracker
    now_s: float
    references: ReferenceHashes
    _applied: list[FoundFile] = field(default_factory=list)
    _reference: FoundFile | None = None

    def read(self, work: Work) -> Asked:
        asked: dict[str, Any] = {"style": work.style, "takes": work.takes, "seed": work.seed}
        for settings in self._folder_settings():
            asked = _narrowed(asked, self._said(settings))
        claims = self.tracker.companions.of(self.vocal)
        own_settings = self._own_settings(claims)
        own = {} if own_settings is None else self._said(own_settings)
        chart = {} if "chords" in own else self._own_chart(claims)
        like = {} if "like_name" in own else self._own_reference(claims)
        wishes = Wishes.model_validate(_narrowed(asked, own) | chart | like)
        return Asked(wishes, tuple(self._applied), self._reference)

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
        """What a sidecar asks for, with the text of the chart and the hash of the reference that it names."""
        said = parse_sidecar(self._text(settings, MAX_SETTINGS_BYTES), settings.shown)
        self._applied.append(settings)
        asked = said.model_dump(exclude_unset=True, exclude={"chords", "like"}, by_alias=True)
        if said.chords is not None:
            asked |= self._chart(settings.path, said.chords)
        if said.like is not None:
            path = reference_path(settings.path, said.like)
            asked |= self._like(self._named(settings.path, "like", path))
        return asked

    def _chart(self, sidecar: bytes, name: str) -> dict[str, Any]:
        chart = self._named(sidecar, "chords", chart_path(sidecar, name))
        text = self._text(chart)
        self._applied.append(chart)
        return {"chords": text, "chords_name": name}

    def _named(self, sidecar: bytes, key: str, path: bytes) -> FoundFile:
        """The file that a sidecar means by ``path``. Raises Missing, or InputError if several could be."""
        files = self.tracker.companions.named(path)
        if not files:
            raise Missing(f"{shown(path)} is missing")
        if len(files) > 1:
            name, names = shown(path.rpartition(b"/")[2]), " or ".join(file.shown for file in files[:3])
            raise InputError(f"{shown(sidecar)}: {key}: '{name}' may be {names}; write the name exactly.")
        return files[0]

    def _like(self, reference: FoundFile) -> dict[str, Any]:
        """Name and hash of a reference; the engine reads it."""
        self._check_settled(reference)
        if is_midi(reference.path):
            self._check_size(reference, MAX_MIDI_BYTES)
        digest = self.references.known(reference, self.tracker.age_s(reference.path, self.now_s))
        if digest is None:
            raise NotReady(f"{reference.shown}: {self.references.why_not(reference)}")
        self._applied.append(reference)
        self._reference = reference
        return {"like_name": reference.shown.rpartition("/")[2], "like_sha256": digest}

    def _own_reference(self, claims: list[Claim]) -> dict[str, Any]:
        """The reference that has the vocal's name, although no settings of the vocal name one."""
        reference = self._only([claim for claim in claims if claim.kind == "like"], _title(self.vocal))
        return {} if reference is None else self._like(reference)

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

    def _check_size(self, companion: FoundFile, max_bytes: int) -> None:
        if companion.size > max_bytes:
            raise InputError(
                f"{companion.shown} is too long: {companion.size} bytes, and {max_bytes} bytes are allowed."
            )

    def _text(self, companion: FoundFile, max_bytes: int = MAX_BYTES) -> str:
        self._check_settled(companion)
        self._check_size(companion, max_bytes)
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


class Named(NamedTuple):
    """The paths of the files that a sidecar names."""

    chart: bytes | None = None
    reference: bytes | None = None


def named_files(inbox: Path, settings: FoundFile) -> Named:
    """The files that a sidecar names; none if it cannot be read as it is."""
    try:
        if settings.size > MAX_SETTINGS_BYTES:
            return Named()
        said = parse_sidecar(_bytes(inbox, settings).decode("utf-8-sig"), settings.shown)
        return Named(
            None if said.chords is None else chart_path(settings.path, said.chords),
            None if said.like is None else reference_path(settings.path, said.like),
        )
    except (InputError, NotReady, OSError, ValueError):
        return Named()


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
