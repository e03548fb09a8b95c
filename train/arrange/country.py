"""Country: bass and strum in turn, the bass between root and fifth, a train beat on the snare."""

from __future__ import annotations

from appliance.music.score import Note
from train.arrange.band import Band
from train.arrange.context import Context
from train.arrange.drummer import Drummer
from train.arrange.folk import guitar_hand
from train.arrange.groove import GrooveBook
from train.arrange.kit import Kit

GROOVES = GrooveBook.of(
    duple={
        2: (
            "kick X.|..\nsnare .x|Xx\nhat .x|.x\nbass R-|5.\nstrum ..|Xx",
            "kick X.|x.\nsnare ..|X.\nhat xx|xx\nbass R-|5A\nstrum .x|X-",
        ),
        3: (
            "kick X.|..|..\nsnare ..|x.|X.\nhat .x|.x|.x\nbass V-|..|..\nstrum ..|X-|Xx",
            "kick X.|..|..\nsnare ..|X.|x.\nhat x.|x.|x.\nbass R-|--|5A\nstrum ..|Xx|X-",
        ),
        4: (
            "kick X.|..|X.|..\nsnare .x|Xx|.x|Xx\nhat .x|.x|.x|.x\nbass R-|..|5-|..\nstrum ..|X-|..|Xx",
            "kick X.|..|X.|..\nsnare ..|X.|..|X.\nhat xx|xx|xx|xx\nbass R-|..|5-|.A\nstrum ..|Xx|.x|Xx",
            "kick X.|..|Xx|..\nsnare xx|Xx|xx|Xx\nhat .x|.x|.x|.x\nbass R-|--|5-|A-\nstrum ..|Xx|..|Xx",
        ),
    },
    ternary={
        2: (
            "kick X..|...\nsnare ...|X..\nhat x.x|x.x\nbass R--|5..\nstrum ..x|X.x",
            "kick X..|x..\nsnare ...|X..\nhat xxx|xxx\nbass R..|5.A\nstrum .x.|X.x",
        ),
    },
)


def country(context: Context) -> list[Note]:
    """Guitar and bass throughout; the drums join from the first verse on."""
    random = context.random
    band = Band(context, touch=random.uniform(66, 75))
    variant = random.randrange(12)
    entry = random.choice((0.3, 0.42))
    layers = dict.fromkeys(("kick", "snare", "hat"), entry)
    Kit(band, layers, Drummer("country", random)).play(GROOVES, variant, fills=0.4)
    band.bass(GROOVES, variant, 29, 50, lift=6)
    band.comp("pluck", GROOVES, "strum", random.randrange(12), guitar_hand, strum_s=0.01)
    loud = context.dynamics.periods[-1].level > entry
    last = {"pluck": guitar_hand(context.harmony.at(band.hold_s), ()), "bass": band.last_bass(29, 50)}
    return band.end(last, ("kick", "crash") if loud else ())
