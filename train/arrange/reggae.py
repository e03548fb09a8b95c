"""Reggae: short guitar chords off the beat, an organ between them, a heavy bass with rests, one drop."""

from __future__ import annotations

from appliance.music.score import Note
from train.arrange.band import Band, triads
from train.arrange.context import Context
from train.arrange.drummer import Drummer
from train.arrange.groove import GrooveBook
from train.arrange.kit import Kit

GROOVES = GrooveBook.of(
    duple={
        2: (
            "kick ..|X.\nstick ..|X.\nhat x.|x.\nskank ..|X.\nbubble .x|.x\nbass R-|.5",
            "kick ..|X.\nstick ..|X.\nhat xx|xx\nskank .X|.X\nbubble .x|xx\nbass R.|3-",
        ),
        3: (
            "kick ..|..|X.\nstick ..|X.|X.\nhat x.|x.|x.\nskank ..|X.|X.\nbubble .x|.x|.x\nbass R-|.5|3-",
            "kick X.|..|..\nstick ..|..|X.\nhat xx|xx|xx\nskank .X|.X|.X\nbubble .x|.x|xx\nbass R-|-.|5R",
        ),
        4: (
            "kick ..|..|X.|..\nstick ..|..|X.|..\nhat x.|x.|x.|x.\n"
            "skank ..|X.|..|X.\nbubble .x|.x|.x|.x\nbass R-|-.|.5|3-",
            "kick ..|X.|..|X.\nstick ..|X.|..|X.\nhat xx|xx|xx|xx\n"
            "skank .X|.X|.X|.X\nbubble .x|xx|.x|xx\nbass R-|.R|.3|5-",
            "kick X.|X.|X.|X.\nstick ..|X.|..|X.\nhat xx|xx|xx|xx\n"
            "skank ..|X.|..|X.\nbubble .x|.x|.x|.x\nbass RR|-.|5R|.3",
        ),
    },
    ternary={
        2: (
            "kick ...|X..\nstick ...|X..\nhat x.x|x.x\nskank ...|X..\nbubble ..x|..x\nbass R--|..5",
            "kick ...|X..\nstick ...|X..\nhat xxx|xxx\nskank ..X|..X\nbubble ..x|..x\nbass R-.|3-5",
        ),
    },
)


def reggae(context: Context) -> list[Note]:
    """Guitar and bass throughout; organ and drums join as periods grow fuller."""
    random = context.random
    band = Band(context, touch=random.uniform(66, 74))
    variant = random.randrange(12)
    chords, bubble = triads(random.choice((55, 57)), 74), triads(52, 69)
    entry = random.choice((0.3, 0.4))
    layers = dict.fromkeys(("kick", "stick", "hat", "open"), entry)
    Kit(band, layers, Drummer("reggae", random)).play(GROOVES, variant, fills=0.4)
    band.bass(GROOVES, variant, 26, 45, lift=8)
    band.comp("pluck", GROOVES, "skank", variant, chords, lift=-4)
    band.comp("keys", GROOVES, "bubble", random.randrange(12), bubble, lift=-8)
    last = {"pluck": band.last_chord(chords, "pluck"), "keys": band.last_chord(bubble, "keys")}
    loud = context.dynamics.periods[-1].level > entry
    return band.end({**last, "bass": band.last_bass(26, 45)}, ("kick", "crash") if loud else ())
