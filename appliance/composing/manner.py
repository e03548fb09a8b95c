"""The manner of a reference (``--like``): all that a take may know of it. None of its notes is here.

The daemon reads wishes, and with them this module, so it must not import NumPy.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from appliance.music.dials import DIALS
from appliance.music.score import DRUM_GROUP, STYLE_GROUPS

DialName = Annotated[str, Field(pattern=rf"^({'|'.join(DIALS)})$")]
GroupName = Literal["keys", "pluck", "pad", "bass", "drums"]

GROOVE_BARS = 8
"""Bars of a groove at most: a pattern of the reference, never its whole course."""

MOST_BEATS = 16
"""Beats of a bar; longer bars have no groove."""

_LONGEST_RHYTHM = 12_000


class Groove(BaseModel):
    """When a reference strikes: a phrase of at most :data:`GROOVE_BARS` bars, which the take repeats.

    ``rhythm`` is a rhythm plan (:mod:`appliance.music.rhythm_plan`) with every bar, ``bpm`` beats a minute.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)

    meter: Annotated[int, Field(ge=1, le=MOST_BEATS)]
    compound: bool
    bpm: Annotated[float, Field(gt=0)]
    bars: Annotated[int, Field(ge=1, le=GROOVE_BARS)]
    rhythm: Annotated[str, Field(max_length=_LONGEST_RHYTHM)]


class Manner(BaseModel):
    """What was read from a reference. The fields are those of the wishes, where they begin with ``like``."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)

    like: dict[DialName, float]
    """An attribute (:mod:`appliance.music.attributes`) for each dial that the reference shows."""
    like_strokes_s: Annotated[float, Field(gt=0)] | None = None
    """Strokes a second, where the beats are not known well enough to count strokes a beat."""
    like_groove: Groove | None = None
    """None where the reference has no bars, or none that repeats."""
    like_groups: list[GroupName] = []
    """The groups that play in it."""
    like_remarks: list[str] = []
    """What could not be read, and why, in sentences."""


def instruments(style: str, heard: Collection[str]) -> tuple[str, ...]:
    """The groups of ``style`` that play like a reference in which ``heard`` play; all if nothing is known.

    Bass and drums play if they do there. So do keyboards, plucked strings and pads; where the reference has
    none of those that the style has, the style's own take their place.

    >>> instruments("pop", ["keys", "bass"]), instruments("jazz", ["pluck", "drums"])
    (('keys', 'bass'), ('keys', 'drums'))
    """
    groups: Sequence[str] = STYLE_GROUPS[style]
    if not heard:
        return tuple(groups)
    upper = [group for group in groups if group not in ("bass", DRUM_GROUP)]
    kept = [group for group in upper if group in heard] or upper
    return tuple(group for group in groups if group in kept or (group not in upper and group in heard))
