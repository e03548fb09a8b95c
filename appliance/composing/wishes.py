"""The user's requests (wishes): one object for command, sidecar, journal and job.

:class:`SidecarWishes` are the wishes that a sidecar may set. :class:`Wishes` adds the content of files, and
what only the command has. The seven dials (:mod:`appliance.music.dials`) hold for the song, or in a
:class:`Section` for some of its bars.

To add a wish:

1. Add a field with its limits to :class:`SidecarWishes`, or to :class:`Wishes` if a sidecar may not set it.
   The command's checks, the sidecar, the journal and the engine child then accept it.
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
from itertools import pairwise
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from appliance.composing.manner import DialName, Groove, GroupName
from appliance.errors import UsageError
from appliance.files.refused_values import must_be
from appliance.music.dials import DIALS, HIGHEST_DIAL, LOWEST_DIAL
from appliance.music.score import STYLES

Sound = Literal["band", "neural"]

_BARS = re.compile(r"(\d{1,4})(?:\s*[-–]\s*(\d{1,4}))?")
_MOST_SECTIONS = 100

_OPTION_ERRORS = {
    "bpm": "--bpm {:g}: not a tempo; give beats per minute between 10 and 400.",
    "takes": "--takes {}: give a number of 1 or more.",
    "seed": "--seed {}: give a number of 0 or more.",
    "tuning": "--tuning {}: give 'singer', or the A in Hz between 400 and 480.",
    "transpose": "--transpose {}: give a whole number of semitones from -12 to 12.",
    "sound": f"--sound {{}}: unknown sound; choose one of {', '.join(get_args(Sound))}.",
}
"""Errors of the command for values outside their limits, where they are clearer than pydantic's."""


Dial = Annotated[float, Field(ge=LOWEST_DIAL, le=HIGHEST_DIAL)]


class DialWishes(BaseModel):
    """The seven dials, each in standard deviations of the style; None: not turned."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)

    density: Dial | None = None
    """How many strokes a beat."""
    register_: Dial | None = Field(default=None, alias="register")
    """How high. Its name as an attribute ends in ``_``: every class has a method ``register``."""
    syncopation: Dial | None = None
    """How much against the beat."""
    articulation: Dial | None = None
    """From detached to legato."""
    voices: Dial | None = None
    """How many notes a stroke."""
    doubling: Dial | None = None
    """How much of the tune the band plays."""
    colour: Dial | None = None
    """How many chords have sevenths and more."""

    @property
    def dials(self) -> dict[str, float]:
        """The dials that are turned."""
        said = self.model_dump(include=set(DialWishes.model_fields), by_alias=True, exclude_none=True)
        return {dial: said[dial] for dial in DIALS if dial in said}

    @classmethod
    def written_names(cls) -> list[str]:
        """The names of all fields as they are written in a sidecar."""
        return [field.alias or name for name, field in cls.model_fields.items()]


class Section(DialWishes):
    """Dials that hold for some bars: ``bars`` is ``"17-24"``, or ``"17"`` for one; bar 1 is the first."""

    bars: Annotated[str, Field(min_length=1, max_length=20)]

    @model_validator(mode="after")
    def _says_something(self) -> Section:
        match = _BARS.fullmatch(self.bars.strip())
        if match is None or not 1 <= int(match[1]) <= int(match[2] or match[1]):
            raise ValueError(f"bars = {self.bars!r} is not a range of bars; write it like bars = '17-24'")
        if not self.dials:
            raise ValueError(f"the section of bars {self.bars} turns no dial; add one, such as density = 1")
        return self

    @property
    def first(self) -> int:
        """Number of the first bar."""
        return int(re.findall(r"\d+", self.bars)[0])

    @property
    def last(self) -> int:
        """Number of the last bar."""
        return int(re.findall(r"\d+", self.bars)[-1])


def _as_list(sections: object) -> object:
    if isinstance(sections, dict):
        raise ValueError("a section begins with [[section]], in double brackets")
    return sections


class SidecarWishes(DialWishes):
    """Wishes that a sidecar may set. An unknown name or a value of a wrong type is an error."""

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
    """Seed of the first take; :mod:`appliance.composing.joint_choice` chooses those of the others. The same
    seed gives the same music."""
    sound: Sound = "band"
    """What plays the notes: ``band`` is the soundfont, ``neural`` the audio decoder."""
    tuning: Literal["singer"] | Annotated[float, Field(ge=400, le=480)] = "singer"
    """The band's A in Hz; ``singer``: the pitch of the singer's own A."""
    transpose: Annotated[int, Field(ge=-12, le=12)] = 0
    """Semitones by which the band plays higher than what is sung; key and chart are those of the singing."""
    section: Annotated[list[Section], Field(max_length=_MOST_SECTIONS), BeforeValidator(_as_list)] = []
    """Dials for some of the bars; no bar is in two sections."""

    @model_validator(mode="after")
    def _no_bar_twice(self) -> SidecarWishes:
        ordered = sorted(self.section, key=lambda section: section.first)
        for one, other in pairwise(ordered):
            if other.first <= one.last:
                raise ValueError(f"the sections of bars {one.bars} and {other.bars} overlap; part them")
        return self

    @model_validator(mode="after")
    def _one_tempo(self) -> SidecarWishes:
        said = [name for name in TEMPO_WISHES if getattr(self, name)]
        if len(said) > 1:
            raise ValueError(f"{' and '.join(said)} contradict each other; give only one of them")
        return self


TEMPO_WISHES = ("bpm", "half_time", "double_time")
"""Wishes that each say all of the tempo."""


class Wishes(SidecarWishes):
    """All of the user's requests."""

    variety: Annotated[float, Field(ge=0, le=1)] | None = None
    """How far the harmony of seeds other than 0 may depart from the most likely one, 0-1; None: as far as is
    usual with the pack (:func:`appliance.composing.chosen_harmony.variety_of`)."""
    chords: str | None = None
    """Text of a chord chart (:mod:`appliance.music.chord_chart`); None: estimated."""
    chords_name: str = "chords"
    """Name of the chart in errors."""
    beats: str | None = None
    """Text of a beat file (:mod:`appliance.music.beat_file`); None: estimated."""
    beats_name: str = "beats"
    """Name of the beat file in errors."""
    rhythm: str | None = None
    """Text of a rhythm plan (:mod:`appliance.music.rhythm_plan`); None: the take's own."""
    rhythm_name: str = "rhythm"
    """Name of the rhythm plan in errors."""
    like: dict[DialName, float] | None = None
    """What a reference plays: this and the next four are its :class:`appliance.composing.manner.Manner`."""
    like_strokes_s: Annotated[float, Field(gt=0)] | None = None
    like_groove: Groove | None = None
    like_groups: list[GroupName] = []
    like_remarks: list[str] = []
    like_name: str = ""
    """Name of the reference, for the receipt."""
    like_sha256: Annotated[str, Field(pattern=r"^([0-9a-f]{64})?$")] = ""
    """Hash of the reference. The service asks with it alone; the engine then reads the file."""

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
                names = "|".join(TEMPO_WISHES)
                said = re.sub(rf"\b({names})\b", lambda m: f"--{m[0].replace('_', '-')}", must_be(wrong))
                raise UsageError(f"{said}.") from None
            name, value = str(wrong["loc"][0]), wrong["input"]
            if name in _OPTION_ERRORS:
                raise UsageError(_OPTION_ERRORS[name].format(value)) from None
            raise UsageError(f"--{name} {value}: {must_be(wrong)}.") from None

    def to_json(self) -> str:
        """The requested fields as canonical JSON for the journal: equal wishes give equal bytes."""
        asked = self.model_dump(exclude_unset=True, exclude_none=True, by_alias=True)
        return json.dumps(asked, sort_keys=True, separators=(",", ":"))

    @staticmethod
    def from_json(text: str) -> Wishes:
        """Parse what :meth:`to_json` of this or an older version wrote.

        Raises:
            ValueError: the text is not that.
        """
        return Wishes.model_validate(json.loads(text))
