"""The user's requests (wishes): one object for command, sidecar, journal and job.

:class:`Dials` are the wishes that a sidecar may set, each a word or a number. :class:`Wishes` adds the
content of files, and dials that only the command has.

To add a wish:

1. Add a field with its limits to :class:`Dials`, or to :class:`Wishes` if a sidecar may not set it. The
   command's checks, the sidecar, the journal and the engine child then accept it.
2. Add an option of the same name to ``render`` in :mod:`appliance.cli.main`.
3. Use it in ``composing``, ``playing`` or ``rendering``, and add it to the receipt in
   :mod:`appliance.rendering.receipt`.

The default must mean "not requested", because journals of older versions lack the field. For the same reason
no field is ever renamed or removed.

The daemon reads sidecars with this module, so it must not import NumPy. Therefore ``key`` and ``chords`` are
text here, and the composer parses them.
"""

from __future__ import annotations

import json
import re
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from appliance.errors import UsageError
from appliance.files.refused_values import must_be
from appliance.music.score import STYLES

Sound = Literal["band", "neural"]

_OPTION_ERRORS = {
    "bpm": "--bpm {:g}: not a tempo; give beats per minute between 10 and 400.",
    "takes": "--takes {}: give a number of 1 or more.",
    "seed": "--seed {}: give a number of 0 or more.",
    "tuning": "--tuning {}: give 'singer', or the A in Hz between 400 and 480.",
    "transpose": "--transpose {}: give a whole number of semitones from -12 to 12.",
    "sound": f"--sound {{}}: unknown sound; choose one of {', '.join(get_args(Sound))}.",
}
"""Errors of the command for values outside their limits, where they are clearer than pydantic's."""


class Dials(BaseModel):
    """Wishes that a sidecar may set. An unknown name or a value of a wrong type is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)

    style: str = STYLES[0]
    """What the band plays and how; the pack lists the styles."""
    bpm: Annotated[float, Field(ge=10, le=400)] | None = None
    """Tempo in beats per minute; None: estimated."""
    half_time: bool = False
    """Every other one of the beats that are heard."""
    double_time: bool = False
    """Twice as many beats as are heard."""
    key: str | None = None
    """Name of a key, such as ``F# minor``; None: estimated."""
    takes: Annotated[int, Field(ge=1)] = 1
    """Number of different accompaniments."""
    seed: Annotated[int, Field(ge=0)] = 0
    """Seed of the first take; each further take has the next. The same seed gives the same music."""
    sound: Sound = "band"
    """What plays the notes: ``band`` is the soundfont, ``neural`` the audio decoder."""
    tuning: Literal["singer"] | Annotated[float, Field(ge=400, le=480)] = "singer"
    """The band's A in Hz; ``singer``: the pitch of the singer's own A."""
    transpose: Annotated[int, Field(ge=-12, le=12)] = 0
    """Semitones by which the band plays higher than what is sung; key and chart are those of the singing."""

    @model_validator(mode="after")
    def _one_tempo(self) -> Dials:
        said = [name for name in TEMPO_DIALS if getattr(self, name)]
        if len(said) > 1:
            raise ValueError(f"{' and '.join(said)} contradict each other; give only one of them")
        return self


TEMPO_DIALS = ("bpm", "half_time", "double_time")
"""Dials that each say all of the tempo."""


class Wishes(Dials):
    """All of the user's requests."""

    variety: Annotated[float, Field(ge=0, le=1)] = 0.0
    """How far the harmony of seeds other than 0 may depart from the most likely one, 0-1."""
    chords: str | None = None
    """Text of a chord chart (:mod:`appliance.music.chord_chart`); None: estimated."""
    chords_name: str = "chords"
    """Name of the chart in errors."""
    beats: str | None = None
    """Text of a beat file (:mod:`appliance.music.beat_file`); None: estimated."""
    beats_name: str = "beats"
    """Name of the beat file in errors."""

    @property
    def seeds(self) -> range:
        """The seed of each take."""
        return range(self.seed, self.seed + self.takes)

    @staticmethod
    def from_options(**options: Any) -> Wishes:
        """Build wishes from the command's options, named as the fields.

        Raises:
            UsageError: a value is outside its limits.
        """
        try:
            return Wishes(**options)
        except ValidationError as error:
            wrong = error.errors(include_url=False)[0]
            if not wrong["loc"]:  # the options contradict each other
                names = "|".join(TEMPO_DIALS)
                said = re.sub(rf"\b({names})\b", lambda m: f"--{m[0].replace('_', '-')}", must_be(wrong))
                raise UsageError(f"{said}.") from None
            name, value = str(wrong["loc"][0]), wrong["input"]
            if name in _OPTION_ERRORS:
                raise UsageError(_OPTION_ERRORS[name].format(value)) from None
            raise UsageError(f"--{name} {value}: {must_be(wrong)}.") from None

    def to_json(self) -> str:
        """The requested fields as canonical JSON for the journal: equal wishes give equal bytes."""
        asked = self.model_dump(exclude_unset=True, exclude_none=True)
        return json.dumps(asked, sort_keys=True, separators=(",", ":"))

    @staticmethod
    def from_json(text: str) -> Wishes:
        """Parse what :meth:`to_json` of this or an older version wrote.

        Raises:
            ValueError: the text is not that.
        """
        return Wishes.model_validate(json.loads(text))
