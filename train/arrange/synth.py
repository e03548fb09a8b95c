"""An electronic band: wide pad, arpeggio, synth bass, four-on-the-floor or half-time drums."""

from __future__ import annotations

from appliance.music.score import Note
from train.arrange.band import Band, spread_chords, triads
from train.arrange.context import Context
from train.arrange.groove import GrooveBook
from train.arrange.kit import Kit

GROOVES = GrooveBook.of(
    duple={
        2: (
            "kick X.|X.\nsnare ..|X.\nopen .x|.x\nhat x.|x.\nbass .R|.R\narp 1234|3212",
            "kick X...|..x.\nsnare ....|X...\nopen ....|....\nhat xxxx|xxxx\nbass R.R.|R.8.\narp 1.3.|2.3.",
        ),
        3: (
            "kick X.|x.|x.\nsnare ..|X.|X.\nopen .x|.x|.x\nhat x.|x.|x.\nbass R.|.R|.R\narp 1234|3234|3212",
            "kick X...|....|..x.\nsnare ....|....|X...\nopen ....|....|....\nhat x.x.|x.x.|x.x.\n"
            "bass R---|----|8---\narp 1.2.|3.4.|3.2.",
        ),
        4: (
            "kick X.|X.|X.|X.\nsnare ..|X.|..|X.\nopen .x|.x|.x|.x\nhat x.|x.|x.|x.\n"
            "bass .R|.R|.R|.8\narp 1234|1234|1234|1234",
            "kick X...|...x|....|..x.\nsnare ....|....|X...|....\nopen ....|....|....|..x.\n"
            "hat x.x.|x.x.|x.x.|xxx.\nbass R---|----|R--8|----\narp 1.3.|2.3.|4.3.|2.3.",
            "kick X...|X...|X...|X..x\nsnare ....|X...|....|X...\nopen ..x.|..x.|..x.|..x.\n"
            "hat xxxx|xxxx|xxxx|xxxx\nbass R.RR|R.RR|R.RR|R.88\narp 4.32|1.23|4.32|1.23",
            "kick X...|...x|..x.|....\nsnare ....|....|X...|....\nopen ....|....|....|....\n"
            "hat x.xx|x.x.|x.xx|x.x.\nbass R---|--R-|----|5-8-\narp 1..2|..3.|4..3|..2.",
        ),
    },
    ternary={
        2: (
            "kick X..|X..\nsnare ...|X..\nopen ..x|..x\nhat x.x|x.x\nbass R.R|R.8\narp 123|432",
            "kick X..|..x\nsnare ...|X..\nopen ...|...\nhat xxx|xxx\nbass R--|--8\narp 1.3|2.4",
        ),
    },
)


def synth(context: Context) -> list[Note]:
    """The pad plays throughout; arpeggio, bass and drums come and go. The drums are a machine on the grid."""
    random = context.random
    band = Band(context, touch=random.uniform(70, 80))
    variant = random.randrange(12)
    pad = spread_chords(random.choice((48, 52)), 81)
    arp = triads(random.choice((60, 64)), random.choice((81, 84)))
    entry = random.uniform(-0.08, 0.08)
    band.held("pad", pad, lift=-14)
    layers = {"kick": 0.36 + entry, "open": 0.5 + entry, "hat": 0.46 + entry, "snare": 0.42 + entry}
    Kit(band, layers).play(GROOVES, variant, fills=0.5)
    band.bass(GROOVES, variant, 28, 47, min_level=0.3 + entry)
    figure, arp_entry = random.randrange(12), random.choice((0.0, 0.3, 0.45))
    band.arpeggio("pluck", GROOVES, "arp", figure, arp, min_level=arp_entry, lift=-10)
    return band.end(
        {"pad": band.last_chord(pad, "pad"), "bass": band.last_bass(28, 47)},
        ("kick", "crash") if context.dynamics.phrases[-1].level > 0.3 else (),
    )
