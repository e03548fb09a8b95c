"""The soundfont preset, level, balance and reverb of each group in each style.

A pack stores this table (``sounds`` in ``pack.json``), so a new pack can sound different without new code.
Quantisation writes :data:`DEFAULT_SOUNDS`. The gains come from the measured loudness of typical parts
(``python -m train.band.balance``). They balance the groups; they do not set the loudness of the song.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, RootModel, model_validator

from appliance.music.score import DRUM_GROUP, GROUPS, STYLES

DRUM_BANK = 128
"""Bank of the drum kits in a General MIDI soundfont."""


class Sound(BaseModel):
    """One group's sound: a soundfont preset and its place in the mix."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    bank: Annotated[int, Field(ge=0, le=DRUM_BANK)]
    program: Annotated[int, Field(ge=0, le=127)]
    name: Annotated[str, Field(min_length=1)]
    gain_db: Annotated[float, Field(ge=-60, le=24)] = 0.0
    pan: Annotated[float, Field(ge=-1, le=1)] = 0.0
    """Balance: -1 left, 0 centre, 1 right."""
    reverb_db: Annotated[float | None, Field(ge=-60, le=12)] = None
    """Level of the reverb relative to the dry sound; None for a dry sound."""


StyleSounds = dict[str, Sound]
"""Maps every group to its sound."""


class BandSounds(RootModel[dict[str, StyleSounds]]):
    """Maps a style to the sounds of its groups. Every style has a sound for every group."""

    model_config = ConfigDict(frozen=True)

    @model_validator(mode="after")
    def _complete(self) -> BandSounds:
        wanted = {*GROUPS, DRUM_GROUP}
        for style, sounds in self.root.items():
            if sounds.keys() != wanted:
                raise ValueError(f"style {style} must give a sound to each of {', '.join(sorted(wanted))}")
            for group, sound in sounds.items():
                if (sound.bank == DRUM_BANK) != (group == DRUM_GROUP):
                    raise ValueError(f"style {style}, {group}: bank {DRUM_BANK} is for drums only")
        return self

    def __getitem__(self, style: str) -> StyleSounds:
        return self.root[style]

    def presets(self) -> tuple[tuple[int, int], ...]:
        """Every (bank, program) in use, sorted."""
        return tuple(sorted({(s.bank, s.program) for sounds in self.root.values() for s in sounds.values()}))


_PRESETS: dict[str, tuple[int, int, str]] = {
    "piano": (0, 0, "Grand piano"),
    "ep": (0, 5, "Electric piano"),
    "church": (0, 19, "Church organ"),
    "reed": (0, 20, "Harmonium"),
    "nylon": (0, 24, "Nylon-string guitar"),
    "steel": (0, 25, "Steel-string guitar"),
    "jazz guitar": (0, 26, "Jazz guitar"),
    "clean": (0, 27, "Clean guitar"),
    "upright": (0, 32, "Acoustic bass"),
    "finger": (0, 33, "Finger bass"),
    "synth bass": (0, 38, "Synth bass"),
    "contrabass": (0, 43, "Contrabass"),
    "harp": (0, 46, "Harp"),
    "strings": (0, 48, "String ensemble"),
    "slow strings": (0, 49, "Slow strings"),
    "synth strings": (0, 50, "Synth strings"),
    "warm": (0, 89, "Warm pad"),
    "atmosphere": (0, 99, "Synth pluck"),
    "standard kit": (DRUM_BANK, 0, "Standard kit"),
    "electronic kit": (DRUM_BANK, 24, "Electronic kit"),
    "jazz kit": (DRUM_BANK, 32, "Jazz kit"),
    "brush kit": (DRUM_BANK, 40, "Brush kit"),
}


def _sound(row: tuple[str, float, float, float | None]) -> Sound:
    key, gain_db, pan, reverb_db = row
    bank, program, name = _PRESETS[key]
    return Sound(bank=bank, program=program, name=name, gain_db=gain_db, pan=pan, reverb_db=reverb_db)


# Style: group: preset, gain in dB, balance, reverb in dB (None is dry).
_TABLE: dict[str, dict[str, tuple[str, float, float, float | None]]] = {
    "piano": {
        "keys": ("piano", -4.5, 0.0, -16.0),
        "pluck": ("harp", -7.5, 0.25, -12.0),
        "pad": ("slow strings", -16.5, -0.1, -12.0),
        "bass": ("upright", -3.0, 0.0, -22.0),
        "drums": ("brush kit", -6.0, 0.0, -18.0),
    },
    "strings": {
        "keys": ("piano", -8.5, 0.15, -14.0),
        "pluck": ("harp", -7.5, 0.25, -11.0),
        "pad": ("strings", -6.5, 0.0, -11.0),
        "bass": ("contrabass", -2.0, 0.15, -14.0),
        "drums": ("brush kit", -6.0, 0.0, -12.0),
    },
    "organ": {
        "keys": ("reed", -11.0, 0.0, -10.0),
        "pluck": ("harp", -8.5, 0.25, -10.0),
        "pad": ("church", -9.5, 0.0, -8.0),
        "bass": ("church", -7.5, 0.0, -12.0),
        "drums": ("brush kit", -6.0, 0.0, -12.0),
    },
    "guitar": {
        "keys": ("piano", -9.5, -0.25, -15.0),
        "pluck": ("nylon", -5.0, 0.0, -15.0),
        "pad": ("slow strings", -16.5, -0.1, -12.0),
        "bass": ("upright", -3.0, 0.0, -22.0),
        "drums": ("brush kit", -6.0, 0.0, -18.0),
    },
    "pop": {
        "keys": ("piano", -6.5, -0.15, -18.0),
        "pluck": ("clean", -11.0, 0.3, -16.0),
        "pad": ("warm", -12.5, 0.0, -14.0),
        "bass": ("finger", -3.5, 0.0, None),
        "drums": ("standard kit", 1.0, 0.0, -20.0),
    },
    "folk": {
        "keys": ("piano", -8.5, -0.25, -17.0),
        "pluck": ("steel", -5.0, 0.15, -17.0),
        "pad": ("reed", -13.5, -0.2, -16.0),
        "bass": ("upright", -2.0, 0.0, None),
        "drums": ("brush kit", -3.0, 0.0, -18.0),
    },
    "jazz": {
        "keys": ("piano", -6.5, -0.1, -17.0),
        "pluck": ("jazz guitar", -12.5, 0.25, -17.0),
        "pad": ("slow strings", -16.5, 0.0, -13.0),
        "bass": ("upright", -1.0, 0.0, -24.0),
        "drums": ("jazz kit", -4.0, 0.0, -18.0),
    },
    "synth": {
        "keys": ("ep", -5.0, -0.15, -16.0),
        "pluck": ("atmosphere", -12.5, 0.25, -14.0),
        "pad": ("synth strings", -15.0, 0.0, -13.0),
        "bass": ("synth bass", -1.5, 0.0, None),
        "drums": ("electronic kit", -3.0, 0.0, -20.0),
    },
    "bossa": {
        "keys": ("ep", -7.0, -0.2, -16.0),
        "pluck": ("nylon", -6.0, 0.1, -15.0),
        "pad": ("slow strings", -16.5, -0.1, -12.0),
        "bass": ("upright", -2.0, 0.0, -24.0),
        "drums": ("brush kit", -4.0, 0.0, -18.0),
    },
    "waltz": {
        "keys": ("piano", -5.5, -0.1, -15.0),
        "pluck": ("harp", -8.5, 0.25, -12.0),
        "pad": ("strings", -9.5, 0.1, -11.0),
        "bass": ("contrabass", -2.0, 0.15, -14.0),
        "drums": ("brush kit", -6.0, 0.0, -14.0),
    },
    "ballad": {
        "keys": ("piano", -5.5, -0.1, -13.0),
        "pluck": ("nylon", -11.0, 0.3, -13.0),
        "pad": ("slow strings", -14.5, 0.0, -11.0),
        "bass": ("finger", -4.5, 0.0, -24.0),
        "drums": ("standard kit", -3.0, 0.0, -16.0),
    },
    "gospel": {
        "keys": ("piano", -5.5, -0.2, -16.0),
        "pluck": ("clean", -12.0, 0.3, -16.0),
        "pad": ("reed", -12.0, 0.2, -12.0),
        "bass": ("finger", -3.5, 0.0, None),
        "drums": ("standard kit", -1.0, 0.0, -18.0),
    },
    "reggae": {
        "keys": ("reed", -12.5, -0.25, -18.0),
        "pluck": ("clean", -9.0, 0.25, -17.0),
        "pad": ("warm", -13.5, 0.0, -14.0),
        "bass": ("finger", -1.5, 0.0, None),
        "drums": ("standard kit", 0.0, 0.0, -18.0),
    },
    "funk": {
        "keys": ("ep", -6.0, -0.25, -18.0),
        "pluck": ("clean", -9.5, 0.3, -20.0),
        "pad": ("warm", -13.5, 0.0, -16.0),
        "bass": ("finger", -2.5, 0.0, None),
        "drums": ("standard kit", 1.0, 0.0, -22.0),
    },
    "country": {
        "keys": ("piano", -9.5, -0.25, -17.0),
        "pluck": ("steel", -5.0, 0.15, -17.0),
        "pad": ("strings", -13.5, 0.0, -13.0),
        "bass": ("upright", -2.0, 0.0, None),
        "drums": ("standard kit", -1.0, 0.0, -19.0),
    },
    "latin": {
        "keys": ("piano", -5.5, -0.15, -17.0),
        "pluck": ("nylon", -9.0, 0.25, -16.0),
        "pad": ("strings", -13.5, 0.0, -13.0),
        "bass": ("upright", -1.0, 0.0, -24.0),
        "drums": ("standard kit", -2.0, 0.0, -18.0),
    },
}

DEFAULT_SOUNDS = BandSounds(
    {style: {group: _sound(row) for group, row in _TABLE[style].items()} for style in STYLES}
)
"""Sounds for the soundfont that ``python -m quantize.soundfont`` extracts from Fluid R3."""
