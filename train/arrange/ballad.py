"""A slow ballad: broken piano chords over a long bass, strings that grow, drums from the second verse on."""

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
            "kick X.|..\nstick ..|X.\nhat x.|x.\nbass R-|--\nkeys 1.3.|4.3.\ncomp X-|x-",
            "kick X.|.x\nstick ..|X.\nhat x.|x.\nbass R-|-R\nkeys 12|43\ncomp X-|--",
        ),
        3: (
            "kick X.|..|..\nstick ..|..|X.\nhat x.|x.|x.\nbass R-|--|--\nkeys 13|43|13\ncomp X-|x-|x-",
            "kick X.|..|x.\nstick ..|X.|..\nhat x.|x.|x.\nbass R-|--|5-\nkeys 12|34|32\ncomp X-|--|x-",
        ),
        4: (
            "kick X.|..|X.|..\nstick ..|X.|..|X.\nhat x.|x.|x.|x.\nbass R-|--|R-|--\n"
            "keys 13|43|13|43\ncomp X-|x-|x-|x-",
            "kick X.|..|.X|..\nstick ..|X.|..|X.\nhat xx|xx|xx|xx\nbass R-|--|-R|5-\n"
            "keys 12|34|32|34\ncomp X-|--|x-|--",
            "kick X.|.x|X.|..\nstick ..|X.|..|X.\nhat x.|x.|x.|x.\nbass R-|-R|5-|--\n"
            "keys 1.|34|.3|43\ncomp X-|x-|-x|x-",
        ),
    },
    ternary={
        2: (
            "kick X..|..x\nstick ...|X..\nhat xxx|xxx\nbass R--|---\nkeys 123|432\ncomp X--|x--",
            "kick X..|...\nstick ...|X..\nhat x.x|x.x\nbass R--|5--\nkeys 134|343\ncomp X--|x-x",
        ),
    },
)


def ballad(context: Context) -> list[Note]:
    """The piano breaks its chords, or strikes them when the drums are in."""
    random = context.random
    band = Band(context, touch=random.uniform(58, 67))
    variant, broken = random.randrange(12), random.random() < 0.6
    keys = triads(random.choice((52, 55)), random.choice((72, 76)))
    pad = spread_chords(48, 79)
    entry = random.choice((0.42, 0.5))
    layers = {"stick": entry, "snare": entry + 0.05, "hat": entry - 0.04, "kick": entry, "open": entry}
    Kit(band, layers, Drummer("ballad", random)).play(GROOVES, variant, fills=0.5)
    band.bass(GROOVES, variant, 29, 48, min_level=0.25, lift=2)
    if broken:
        band.arpeggio("keys", GROOVES, "keys", random.randrange(12), keys, lift=-3)
    else:
        band.comp("keys", GROOVES, "comp", random.randrange(12), keys, lift=-4)
    band.held("pad", pad, min_level=random.choice((0.38, 0.45)), lift=-14)
    last = {"keys": band.last_chord(keys, "keys"), "pad": band.last_chord(pad, "pad")}
    loud = context.dynamics.periods[-1].level > entry
    return band.end({**last, "bass": band.last_bass(29, 48)}, ("kick", "crash") if loud else ())
