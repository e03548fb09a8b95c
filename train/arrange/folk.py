"""A folk group: strummed or picked guitar, root-and-fifth bass, tambourine and foot stomps."""

from __future__ import annotations

from appliance.music.score import Note
from train.arrange.band import Band
from train.arrange.chord import Chord
from train.arrange.context import Context
from train.arrange.drummer import Drummer
from train.arrange.fretboard import nearest, shapes
from train.arrange.groove import GrooveBook
from train.arrange.guitar import pick
from train.arrange.kit import Kit

GROOVES = GrooveBook.of(
    duple={
        2: (
            "bass R-|5-\nstrum ..|Xx\ntambourine ..|X.\nkick X.|..",
            "bass R-|5.\nstrum X.|Xx\ntambourine .x|Xx\nkick X.|x.",
        ),
        3: (
            "bass R-|..|..\nstrum ..|X-|X-\ntambourine ..|x.|x.\nkick X.|..|..",
            "bass R-|--|5-\nstrum X-|Xx|Xx\ntambourine ..|X.|X.\nkick X.|..|..",
        ),
        4: (
            "bass R-|..|5-|..\nstrum ..|X-|..|X-\ntambourine ..|X.|..|X.\nkick X.|..|X.|..",
            "bass R-|--|5-|--\nstrum X-|Xx|-x|Xx\ntambourine ..|X.|..|X.\nkick X.|..|X.|..",
            "bass R---|..R.|5---|....\nstrum X---|X-xx|--xx|X-xx\n"
            "tambourine x.x.|X.x.|x.x.|X.x.\nkick X...|....|X.x.|....",
        ),
    },
    ternary={
        2: (
            "bass R--|5--\nstrum X-x|X-x\ntambourine ...|X..\nkick X..|x..",
            "bass R--|5-.\nstrum X--|X-x\ntambourine ..x|X.x\nkick X..|...",
        ),
    },
)


def folk(context: Context) -> list[Note]:
    """One guitar picks or strums; foot and tambourine join in fuller phrases."""
    random = context.random
    band = Band(context, touch=random.uniform(64, 74))
    variant = random.randrange(12)
    strummed = random.random() < 0.55
    band.bass(GROOVES, variant, 33, 50, min_level=0.3, lift=4)
    layers = {"tambourine": random.choice((0.45, 0.55)), "kick": 0.5}
    Kit(band, layers, Drummer("folk", random)).play(GROOVES, variant, mined=False)
    if strummed:
        band.comp("pluck", GROOVES, "strum", variant, guitar_hand, strum_s=0.012)
        band.end({"pluck": guitar_hand(context.harmony.at(band.hold_s), ())})
    else:
        band.notes += pick(context, random.randrange(60), random.randrange(60), touch=band.touch)
    return band.end({"bass": band.last_bass(33, 50)})


def guitar_hand(chord: Chord, previous: tuple[int, ...]) -> tuple[int, ...]:
    """The guitar shape whose top note is nearest to the last one; the bass player takes the low note."""
    options = shapes(chord.root, chord.quality, chord.bass)
    if not previous:
        shape = nearest(options, ())
    else:
        shape = min(options, key=lambda s: (abs(max(p for p in s if p) - previous[-1]), str(s)))
    pitches = tuple(p for p in shape if p is not None)
    return pitches if len(pitches) <= 4 else pitches[1:]
