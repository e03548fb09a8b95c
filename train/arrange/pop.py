"""A pop band: piano chords, bass, drums, a pad in fuller phrases, sometimes a picked guitar."""

from __future__ import annotations

from appliance.music.score import Note
from train.arrange.band import Band, spread_chords, triads
from train.arrange.context import Context
from train.arrange.drummer import Drummer
from train.arrange.groove import GrooveBook
from train.arrange.kit import Kit

GROOVES = GrooveBook.of(
    duple={
        2: (
            "kick X.|.x\nsnare ..|X.\nhat x.|x.\nbass R-|.5\ncomp X-|x-\npluck 1.2.|3.2.",
            "kick X...|..x.\nsnare ....|X...\nhat x.x.|x.x.\nbass R-.R|5-..\ncomp X--x|--x-\npluck 1.3.|2.3.",
        ),
        3: (
            "kick X.|..|.x\nsnare ..|X.|X.\nhat x.|x.|x.\nbass R-|--|5-\ncomp X-|x-|x-\npluck 1.|3.|2.",
            "kick X...|....|..x.\nsnare ....|....|X...\nhat x.x.|x.x.|x.x.\n"
            "bass R---|--5.|8---\ncomp X---|--x-|--x-\npluck 1.2.|3.2.|1.2.",
        ),
        4: (
            "kick X...|....|X.x.|....\nsnare ....|X...|....|X...\nhat x.x.|x.x.|x.x.|x.x.\n"
            "bass R---|--R.|R---|5...\ncomp X---|x---|x---|x---\npluck 1.2.|3.2.|1.2.|3.2.",
            "kick X...|..x.|..X.|....\nsnare ....|X...|....|X..o\nhat x.x.|x.x.|x.x.|x.xx\n"
            "bass R---|--R-|--R-|--5-\ncomp X---|--x-|----|x-x-\npluck ..1.|2.3.|..1.|2.3.",
            "kick X..x|....|X.x.|...x\nsnare ....|X..o|.o..|X...\nhat xxxx|xxxx|xxxx|xxxx\n"
            "bass R..R|..R.|R.R.|..5.\ncomp X--x|--x-|--x-|x---\npluck 1.3.|2.3.|1.3.|2.3.",
            "kick X.|X.|X.|X.\nsnare ..|X.|..|X.\nhat .x|.x|.x|.x\n"
            "bass RR|RR|RR|R5\ncomp X-|X-|X-|X-\npluck 1.|2.|3.|2.",
        ),
    },
    ternary={
        2: (
            "kick X..|..x\nsnare ...|X..\nhat xxx|xxx\nbass R--|--5\ncomp X--|x--\npluck 123|234",
            "kick X..|x..\nsnare ...|..X\nhat x.x|x.x\nbass R-R|5-.\ncomp X-x|--x\npluck 1.3|2.3",
        ),
    },
)

LAYERS = (
    {"hat": 0.42, "kick": 0.36, "snare": 0.48},
    {"hat": 0.3, "kick": 0.3, "snare": 0.42},
    {"hat": 0.5, "kick": 0.25, "snare": 0.36},
)
"""Phrase level from which each drum plays; a song uses one of the three."""


def pop(context: Context) -> list[Note]:
    """Piano alone in thin phrases; bass, drums and pad join as phrases grow fuller."""
    random = context.random
    band = Band(context, touch=random.uniform(66, 76))
    variant, fuller = random.randrange(12), random.randrange(12)
    keys = triads(random.choice((53, 55, 57)), random.choice((74, 76)))
    pad = spread_chords(50, 79)
    Kit(band, random.choice(LAYERS), Drummer("pop", random)).play(GROOVES, variant, fills=0.4)
    band.bass(GROOVES, variant, 31, 50, min_level=0.28)
    band.comp("keys", GROOVES, "comp", fuller, keys, lift=-4)
    band.held("pad", pad, min_level=random.choice((0.0, 0.45, 0.55)), lift=-16)
    with_guitar = random.random() < 0.6
    if with_guitar:
        band.arpeggio("pluck", GROOVES, "pluck", variant, triads(57, 77), min_level=0.5, lift=-8)
    last_keys, last_pad = band.last_chord(keys, "keys"), band.last_chord(pad, "pad")
    last = {"keys": last_keys, "bass": band.last_bass(31, 50), "pad": last_pad}
    return band.end(last, ("kick", "crash") if context.dynamics.phrases[-1].level > 0.3 else ())
