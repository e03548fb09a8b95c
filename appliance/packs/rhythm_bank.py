"""The pack's rhythm bank: rhythms of a few bars each, from songs of the training data, by style and meter."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
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
        with_bass = "bass" in STYLE_GROUPS.get(self.style, ())
        return rhythm_attributes(self.bars, self.meter, compound=self.compound, bass=with_bass)


@dataclass(frozen=True, slots=True)
class RhythmBank:
    """All phrases of a pack."""

    phrases: tuple[Phrase, ...] = ()

    def of(self, style: str, grid: BeatGrid) -> tuple[Phrase, ...]:
        """The phrases in ``style`` for the meter of ``grid``."""
        return tuple(
            phrase
            for phrase in self.phrases
            if (phrase.style, phrase.meter, phrase.compound) == (style, grid.meter, grid.compound)
        )


def bank_text(phrases: Sequence[StoredPhrase]) -> str:
    """The text of ``rhythms.json``; equal phrases give equal bytes.

    Raises:
        PackError: a phrase cannot be read back.
    """
    rows: list[Any] = [phrase.model_dump() for phrase in phrases]
    text = json.dumps(rows, indent=1) + "\n"
    read_bank(Path(RHYTHMS_NAME), text.encode())
    return text


def read_bank(file: Path, text: bytes) -> RhythmBank:
    """The bank in ``text``, the content of ``file``: a JSON list of phrases.

    Raises:
        PackError: it is not such a list.
    """
    try:
        stored = TypeAdapter(list[StoredPhrase]).validate_json(text, strict=True)
        return RhythmBank(tuple(map(_phrase, stored)))
    except ValidationError as error:
        raise PackError(f"{file}: {first_refusal(error)}; fetch the pack again.") from None
    except UsageError as error:
        raise PackError(f"{file}: {error} Fetch the pack again.") from None


def _phrase(stored: StoredPhrase) -> Phrase:
    name = f"the {stored.style} phrase at {stored.bpm:g} bpm"
    bars = parse_phrase(stored.rhythm, stored.meter, stored.bars, name)
    return Phrase(stored.style, stored.meter, stored.compound, stored.bpm, bars)
