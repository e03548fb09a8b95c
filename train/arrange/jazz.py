"""A jazz trio with swing: rootless piano chords, walking bass, ride cymbal or brushes."""

from __future__ import annotations

from appliance.music.score import Note
from appliance.music.walking_line import LOW
from train.arrange.band import Band
from train.arrange.context import Context
from train.arrange.drummer import Drummer, swing_of
from train.arrange.groove import GrooveBook
from train.arrange.kit import Kit
from train.arrange.rootless import rootless_chords
from train.arrange.walking import walk

GROOVES = GrooveBook.of(
    duple={
        2: (
            "ride x.|xx\nhat ..|x.\nsnare o.|.o\nkick o.|..\ncomp X-|.x",
            "ride x.|xx\nhat ..|x.\nsnare oo|Xo\nkick o.|..\ncomp .x|--",
        ),
        3: (
            "ride x.|xx|x.\nhat ..|x.|x.\nsnare o.|oo|o.\nkick o.|..|..\ncomp X-|.x|-.",
            "ride x.|x.|xx\nhat ..|..|x.\nsnare o.|o.|oo\nkick o.|..|..\ncomp ..|x-|.x",
        ),
        4: (
            "ride x.|xx|x.|xx\nhat ..|x.|..|x.\nsnare ..|.o|..|o.\nkick o.|..|o.|..\ncomp X-|.x|--|..",
            "ride x.|xx|x.|xx\nhat ..|x.|..|x.\nsnare .o|..|.o|..\nkick o.|..|o.|..\ncomp .x|--|.x|-.",
            "ride x.|xx|x.|xx\nhat ..|x.|..|x.\nsnare ..|o.|.o|.o\nkick o.|..|o.|..\ncomp X-|--|.x|..",
        ),
    },
    ternary={
        2: (
            "ride x..|x.x\nhat ...|x..\nsnare ..o|...\nkick o..|...\ncomp X--|..x",
            "ride x.x|x.x\nhat ...|x..\nsnare o..|o.o\nkick o..|...\ncomp ..x|---",
        ),
    },
)


def jazz(context: Context) -> list[Note]:
    """Brushes or sticks that swing as drummers do, comped chords, and a walking bass."""
    random = context.random
    band = Band(context, swing=swing_of(context.grid.usual_pulse_s), touch=random.uniform(60, 70))
    variant = random.randrange(12)
    brushes = random.random() < 0.4
    brushed, sticks = {"snare": 0.3, "hat": 0.4}, {"ride": 0.3, "hat": 0.4, "snare": 0.6, "kick": 0.6}
    keys = rootless_chords(context, 51, 73)
    kit = Kit(band, brushed if brushes else sticks, Drummer("jazz", random))
    kit.play(GROOVES, 1 if brushes else variant, fills=0.35, mined=not brushes)
    walk(band, context)
    band.comp("keys", GROOVES, "comp", variant, keys, lift=-4)
    return band.end(
        {"keys": band.last_chord(keys, "keys"), "bass": band.last_bass(LOW, 48)},
        () if brushes else ("ride",),
    )
