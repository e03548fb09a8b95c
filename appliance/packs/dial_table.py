"""What songs of each style do: mean and standard deviation of every attribute that a dial turns.

``python -m train dials`` measures the training songs. A pack carries the table as ``dials.json``; for packs
without it, those before there were dials, a table of the same form comes with Backline.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from appliance.errors import PackError
from appliance.files.refused_values import first_refusal
from appliance.music.dials import DIALS, LEAST_STEPS, LIMITS

DIALS_NAME = "dials.json"
USUAL = Path(__file__).with_name("usual_dials.json")
"""The table for packs that carry none."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class Spread(_Strict):
    """Mean and standard deviation of an attribute over songs, and over the bars of all songs."""

    mean: float
    sd: Annotated[float, Field(ge=0)]
    bar_mean: float
    bar_sd: Annotated[float, Field(ge=0)]

    def step(self, dial: str) -> float:
        """By how much one step of ``dial`` changes the attribute."""
        return max(self.sd, LEAST_STEPS[dial])

    def goal(self, dial: str, setting: float) -> float:
        """The attribute that a ``setting`` of ``dial`` asks for, within its limits."""
        lowest, highest = LIMITS.get(dial, (float("-inf"), float("inf")))
        return min(max(self.mean + setting * self.step(dial), lowest), highest)

    def setting(self, dial: str, measured: float) -> float:
        """The setting of ``dial`` that a measured attribute corresponds to; the inverse of :meth:`goal`."""
        return (measured - self.mean) / self.step(dial)


def transposed_setting(spreads: Mapping[str, Spread], dial: str, semitones: int) -> float:
    """By how many steps of ``dial`` music changes that is transposed: only its register does."""
    return semitones / spreads[dial].step(dial) if dial == "register" else 0.0


class DialTable(_Strict):
    """The spread of each attribute in each style, measured over a number of ``songs``."""

    schema_version: Annotated[Literal[1], Field(alias="schema")] = 1
    songs: Annotated[int, Field(ge=1)]
    styles: dict[str, dict[str, Spread]]

    model_config = ConfigDict(populate_by_name=True)

    @model_validator(mode="after")
    def _all_dials(self) -> DialTable:
        for style, spreads in self.styles.items():
            if set(spreads) != set(DIALS):
                raise ValueError(f"{style} must have {', '.join(DIALS)}")
        return self

    def to_json(self) -> str:
        """The text of ``dials.json``; equal tables give equal bytes."""
        return self.model_dump_json(by_alias=True, indent=1) + "\n"


def read_table(path: Path) -> DialTable:
    """Read a table. Raises PackError if it is missing or invalid."""
    try:
        return table_of(path, path.read_bytes())
    except OSError as error:
        raise PackError(f"{path}: cannot be read ({error.strerror}); fetch the pack again.") from error


def table_of(file: Path, text: bytes) -> DialTable:
    """The table in ``text``, the content of ``file``. Raises PackError if it is invalid."""
    try:
        return DialTable.model_validate_json(text)
    except ValidationError as error:
        raise PackError(f"{file}: {first_refusal(error)}; fetch the pack again.") from error


@lru_cache(maxsize=1)
def usual_table() -> DialTable:
    """The table for packs that carry none."""
    return read_table(USUAL)
