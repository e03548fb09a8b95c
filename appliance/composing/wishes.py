"""What the user asks for: one object for command, sidecar, journal and job.

A *dial* is a wish that fits into a word or a number. :class:`Dials` are those that a sidecar may set;
:class:`Wishes` adds what comes out of a file, and dials that so far only the command has.

To add a wish:

1. Add a field with its limits to :class:`Dials` (to :class:`Wishes` if a sidecar is not to know it). The
   command's checks, the sidecar, the journal and the engine child know it from then on.
2. Add its option, of the same name, to ``render`` in :mod:`appliance.cli.main`.
3. Use it, in ``composing``, ``playing`` or ``rendering``; what the receipt says of it is in
   :mod:`appliance.rendering.receipt`.

The default must mean that nothing was asked: a journal of an older version has rows without the field.
For the same reason no field is ever renamed or dropped.

The daemon reads sidecars with this module, so it must not load NumPy. That is why ``key`` and ``chords``
are text here: whoever composes parses them.
"""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from appliance.errors import UsageError
from appliance.music.score import STYLES

Sound = Literal["band", "neural"]

_OBJECTIONS = {
    "bpm": "--bpm {:g}: not a tempo; give beats a minute between 10 and 400.",
    "takes": "--takes {}: ask for at least one take.",
    "seed": "--seed {}: a seed is 0 or more.",
    "sound": f"There is no sound '{{}}'; choose one of {', '.join(get_args(Sound))}.",
}
"""What the command says of a value outside its limits, where that is clearer than pydantic's sentence."""


class Dials(BaseModel):
    """Wishes that a sidecar may set. An unknown name or a value of another type is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)

    style: str = STYLES[0]
    """Who plays and how; which styles there are is the pack's to say."""
    bpm: Annotated[float, Field(ge=10, le=400)] | None = None
    """Beats a minute; None: as heard."""
    key: str | None = None
    """Name of a key, such as ``F# minor``; None: as heard."""
    takes: Annotated[int, Field(ge=1)] = 1
    """How many different accompaniments."""
    seed: Annotated[int, Field(ge=0)] = 0
    """Of the first take; each further one has the next. The same seed gives the same music again."""
    sound: Sound = "band"
    """Who plays the notes: the sampler, or the audio decoder."""


class Wishes(Dials):
    """Everything that the user asks for."""

    variety: Annotated[float, Field(ge=0, le=1)] = 0.0
    """0-1: how far the harmony of other seeds than 0 may be from the likeliest."""
    chords: str | None = None
    """Text of a chord chart (:mod:`appliance.music.chord_chart`); None: as heard."""
    chords_name: str = "chords"
    """What the chart is called in sentences."""
    beats: str | None = None
    """Text of a beat file (:mod:`appliance.music.beat_file`); None: as heard."""
    beats_name: str = "beats"
    """What the beat file is called in sentences."""

    @property
    def seeds(self) -> range:
        """The seed of each take."""
        return range(self.seed, self.seed + self.takes)

    @staticmethod
    def from_options(**options: Any) -> Wishes:
        """What the command's options ask for, by the names of the fields.

        Raises:
            UsageError: a value is outside its limits.
        """
        try:
            return Wishes(**options)
        except ValidationError as error:
            wrong = error.errors()[0]
            name, value, said = str(wrong["loc"][0]), wrong["input"], wrong["msg"]
            if name in _OBJECTIONS:
                raise UsageError(_OBJECTIONS[name].format(value)) from None
            raise UsageError(f"--{name} {value}: {said[:1].lower()}{said[1:]}.") from None

    def to_json(self) -> str:
        """What was asked for and nothing else, as the journal keeps it: the same wishes, the same bytes."""
        asked = self.model_dump(exclude_unset=True, exclude_none=True)
        return json.dumps(asked, sort_keys=True, separators=(",", ":"))

    @staticmethod
    def from_json(text: str) -> Wishes:
        """What :meth:`to_json` wrote, in this version or an older one.

        Raises:
            ValueError: it is something else.
        """
        return Wishes.model_validate(json.loads(text))
