"""Afro-Cuban and Brazilian: a montuno in octaves, a bass that avoids the first beat, songo or baião drums."""

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
            "kick X..x|..x.\nstick ..x.|x...\nhat x.x.|x.x.\nbass R..5|..8.\nmontuno 1.3.|.34.",
            "kick X...|..x.\nstick X..x|..x.\nhat x.xx|x.xx\nbass R--5|--8.\nmontuno 1.32|.3.4",
        ),
        3: (
            "kick X.|.x|x.\nstick X.|.x|..\nhat xx|xx|xx\nbass R-|.5|8-\nmontuno 13|.3|43",
            "kick X.|..|.x\nstick x.|x.|.x\nhat xx|xx|xx\nbass R-|-5|-8\nmontuno 1.|34|.3",
        ),
        4: (
            "kick X.|.x|x.|.x\nstick X.|.x|..|X.\nhat xx|xx|xx|xx\nbass R-|.5|-.|8-\nmontuno 13|.3|43|.3",
            "kick X.|.x|X.|.x\nstick ..|X.|x.|.x\nhat xx|xx|xx|xx\nbass R-|-5|--|8.\nmontuno 1.|34|.3|.4",
            "kick X..x|..x.|X..x|..x.\nstick x..x|..x.|..x.|x...\nhat x.x.|x.x.|x.x.|x.x.\n"
            "bass R--5|--8.|R--5|--8.\nmontuno 1.3.|.34.|.3.4|.3.2",
        ),
    },
    ternary={
        2: (
            "kick X..|..x\nstick X.x|.x.\nhat xxx|xxx\nbass R..|5.8\nmontuno 1.3|.43",
            "kick X..|x..\nstick x.x|.xx\nhat xxx|xxx\nbass R-5|-8.\nmontuno 132|.34",
        ),
    },
)


def latin(context: Context) -> list[Note]:
    """Both hands of the piano play the montuno; the drums join early."""
    random = context.random
    band = Band(context, touch=random.uniform(66, 74))
    variant, figure = random.randrange(12), random.randrange(12)
    low = triads(52, 69)
    entry = random.choice((0.3, 0.4))
    layers = dict.fromkeys(("kick", "snare", "stick", "hat", "open", "ride"), entry)
    Kit(band, layers, Drummer("latin", random)).play(GROOVES, variant, fills=0.4)
    band.bass(GROOVES, variant, 29, 48, lift=6)
    before = len(band.notes)
    band.arpeggio("keys", GROOVES, "montuno", figure, low, lift=1)
    band.notes += [
        Note(n.start_s, n.end_s, n.pitch + 12, min(n.velocity + 4, 124), n.group) for n in band.notes[before:]
    ]
    last = band.last_chord(low, "keys")
    loud = context.dynamics.periods[-1].level > entry
    drums = ("kick", "crash") if loud else ()
    return band.end({"keys": (*last, last[-1] + 12), "bass": band.last_bass(29, 48)}, drums)
