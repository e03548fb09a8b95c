"""The pack's rhythm bank: rhythms of a few bars each, from songs of the training data, by style and meter."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from appliance.errors import PackError, UsageError
from appliance.files.refused_values import first_refusal
from appliance.music.rhythm_attributes import rhythm_attributes
from appliance.music.rhythm_plan import BarRhythm, parse_phrase
from appliance.music.score import STYLE_GROUPS, BeatGrid

RHYTHMS_NAME = "rhythms.json"
"""File of the pack that holds its bank; a pack without it has none."""

_LONGEST_BARS = 64


class StoredPhrase(BaseModel):
    """A phrase as the pack stores it; ``rhythm`` is a text of :func:`appliance.music.rhythm_plan.rhythm_text`
    with every bar."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)

    style: str
    meter: Annotated[int, Field(ge=1, le=16)]
    compound: bool
    bpm: Annotated[float, Field(gt=0)]
    bars: Annotated[int, Field(ge=1, le=_LONGEST_BARS)]
    rhythm: str


@dataclass(frozen=True, slots=True)
class Phrase:
    """A phrase, ready to be played."""

    style: str
    meter: int
    compound: bool
    bpm: float
    bars: tuple[BarRhythm, ...]

    def attributes(self) -> tuple[float, float]:
        """Density and syncopation: the attributes that the dials of these names turn."""
        return _attributes(self)


@lru_cache(maxsize=1024)
def _attributes(phrase: Phrase) -> tuple[float, float]:
    with_bass = "bass" in STYLE_GROUPS.get(phrase.style, ())
    return rhythm_attributes(phrase.bars, phrase.meter, compound=phrase.compound, bass=with_bass)


@dataclass(frozen=True, slots=True)
class RhythmBank:
    """All phrases of a pack. Those of ``stored`` are read when they are needed, because a job needs those of
    one style and meter only; ``file`` is named if one of them cannot be read."""

    phrases: tuple[Phrase, ...] = ()
    stored: tuple[StoredPhrase, ...] = ()
    file: Path = Path(RHYTHMS_NAME)

    def of(self, style: str, grid: BeatGrid) -> tuple[Phrase, ...]:
        """The phrases in ``style`` for the meter of ``grid``.

        Raises:
            PackError: one of them cannot be read.
        """
        wanted = (style, grid.meter, grid.compound)
        ready = [p for p in self.phrases if (p.style, p.meter, p.compound) == wanted]
        unread = [s for s in self.stored if (s.style, s.meter, s.compound) == wanted]
        return (*ready, *(_phrase(stored, self.file) for stored in unread))

    def all(self) -> tuple[Phrase, ...]:
        """Every phrase, in the order of the file. Raises PackError if one cannot be read."""
        return (*self.phrases, *(_phrase(stored, self.file) for stored in self.stored))


def bank_text(phrases: Sequence[StoredPhrase]) -> str:
    """The text of ``rhythms.json``; equal phrases give equal bytes.

    Raises:
        PackError: a phrase cannot be read back.
    """
    rows: list[Any] = [phrase.model_dump() for phrase in phrases]
    text = json.dumps(rows, indent=1) + "\n"
    read_bank(Path(RHYTHMS_NAME), text.encode()).all()
    return text


def read_bank(file: Path, text: bytes) -> RhythmBank:
    """The bank in ``text``, the content of ``file``: a JSON list of phrases, whose rhythms are read later.

    Raises:
        PackError: it is not such a list.
    """
    try:
        stored = TypeAdapter(tuple[StoredPhrase, ...]).validate_json(text, strict=True)
    except ValidationError as error:
        raise PackError(f"{file}: {first_refusal(error)}; fetch the pack again.") from None
    return RhythmBank(stored=stored, file=file)


@lru_cache(maxsize=1024)
def _phrase(stored: StoredPhrase, file: Path) -> Phrase:
    name = f"the {stored.style} phrase at {stored.bpm:g} bpm"
    try:
        bars = parse_phrase(stored.rhythm, stored.meter, stored.bars, name)
    except UsageError as error:
        raise PackError(f"{file}: {error} Fetch the pack again.") from None
    return Phrase(stored.style, stored.meter, stored.compound, stored.bpm, bars)
