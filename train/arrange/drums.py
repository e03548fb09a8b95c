"""The drum kit: MIDI key of each row, and the fills that end a phrase."""

from __future__ import annotations

from collections.abc import Mapping

from train.arrange.groove import Groove

DRUMS: Mapping[str, int] = {
    "kick": 36,
    "snare": 38,
    "stick": 37,
    "hat": 42,
    "open": 46,
    "low_tom": 45,
    "high_tom": 50,
    "crash": 49,
    "ride": 51,
    "tambourine": 54,
}

DRUM_LENGTH_S = 0.12

FILLS = {
    False: (
        Groove.of("snare ....|xxX.\nhigh_tom ....|....\nlow_tom ....|...X\nkick X...|...."),
        Groove.of("snare x.x.|....\nhigh_tom ....|xx..\nlow_tom ....|..xX\nkick X...|...."),
        Groove.of("snare ....|..xX\nhigh_tom ....|....\nlow_tom ....|....\nkick x...|x..."),
    ),
    True: (
        Groove.of("snare ...|xx.\nhigh_tom ...|...\nlow_tom ...|..X\nkick X..|..."),
        Groove.of("snare x.x|...\nhigh_tom ...|xx.\nlow_tom ...|..X\nkick X..|..."),
    ),
}
"""Fills for the last two pulses of a phrase, by whether the bar is ternary."""
