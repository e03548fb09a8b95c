"""Funk: a bass in sixteenths around the first beat, a guitar that scratches, short chords of the keys."""

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
            "kick X..x|..x.\nsnare ....|X..o\nhat x.x.|x.x.\n"
            "bass R..R|.8.5\nscratch x.ox|.xo.\nstab ..X.|..x.",
            "kick X.x.|..x.\nsnare ....|X...\nhat xxxx|xxxx\n"
            "bass R-.8|..5.\nscratch .xox|.x.x\nstab X...|.x..",
        ),
        3: (
            "kick X..x|..x.|....\nsnare ....|X..o|..X.\nhat x.x.|x.x.|x.x.\n"
            "bass R..R|.8..|5.A.\nscratch x.ox|.xo.|x.x.\nstab ..X.|..x.|....",
            "kick X.x.|....|..x.\nsnare ....|X...|X..o\nhat xxxx|xxxx|xxxx\n"
            "bass R-..|8.5.|R..A\nscratch .xox|.x.x|.xo.\nstab X...|..x.|..x.",
        ),
        4: (
            "kick X..x|..x.|..x.|....\nsnare ....|X..o|....|X...\nhat x.x.|x.x.|x.x.|x.x.\n"
            "bass R..R|..8.|R.5.|..A.\nscratch x.ox|.xo.|x.ox|.xo.\nstab ..X.|....|..X.|.x..",
            "kick X.x.|....|.x.x|....\nsnare ....|X..o|.o..|X...\nhat xxxx|xxxx|xxxx|xxxx\n"
            "bass R-.R|.8..|R-.5|.8.A\nscratch .xox|.xox|.xox|.x.x\nstab X...|...x|....|..x.",
            "kick X...|..x.|x...|..x.\nsnare ....|X...|...o|X...\nhat x.x.|x.x.|x.x.|x.xx\n"
            "bass R.R.|..8.|..R.|5.A.\nscratch ..xo|..xo|..xo|..xo\nstab ...X|....|...X|....",
        ),
    },
    ternary={
        2: (
            "kick X..|..x\nsnare ...|X..\nhat xxx|xxx\nbass R.R|8.5\nscratch x.x|.xx\nstab ..X|...",
            "kick X.x|...\nsnare ...|X..\nhat x.x|x.x\nbass R-.|8.A\nscratch .xx|.x.\nstab X..|..x",
        ),
    },
)


def funk(context: Context) -> list[Note]:
    """Bass and drums carry the song; keys and guitar answer them."""
    random = context.random
    band = Band(context, touch=random.uniform(70, 80))
    variant = random.randrange(12)
    guitar, keys = triads(random.choice((60, 62)), 79), triads(53, 72)
    entry = random.choice((0.25, 0.38))
    layers = dict.fromkeys(("kick", "snare", "hat", "open", "ride"), entry)
    Kit(band, layers, Drummer("funk", random)).play(GROOVES, variant, fills=0.4)
    band.bass(GROOVES, variant, 28, 47, lift=6)
    band.comp("pluck", GROOVES, "scratch", random.randrange(12), guitar, lift=-10)
    band.comp("keys", GROOVES, "stab", random.randrange(12), keys, lift=-2)
    last = {"pluck": band.last_chord(guitar, "pluck"), "keys": band.last_chord(keys, "keys")}
    loud = context.dynamics.periods[-1].level > entry
    return band.end({**last, "bass": band.last_bass(28, 47)}, ("kick", "crash") if loud else ())
