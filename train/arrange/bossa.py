"""Bossa nova: a nylon-string guitar off the beat, root and fifth in the bass, cross-stick and brushes.

The guitar and the stick play the syncopations of samba at half its speed. The grid is eighths at quick tempi
and sixteenths at slow ones, so that the feel stays the same.
"""

from __future__ import annotations

from appliance.music.score import Note
from train.arrange.band import Band
from train.arrange.context import Context
from train.arrange.drummer import Drummer
from train.arrange.groove import GrooveBook
from train.arrange.kit import Kit
from train.arrange.rootless import rootless_chords

QUICK = GrooveBook.of(
    duple={
        2: ("stick X.|.x\nhat xx|xx\nkick x.|.x\ncomp X.|.x\nbass R-|-5",),
        3: (
            "stick X.|.x|..\nhat xx|xx|xx\nkick x.|.x|x.\ncomp X.|.x|x.\nbass R-|-5|5-",
            "stick X.|..|x.\nhat xx|xx|xx\nkick x.|..|.x\ncomp x.|.X|.x\nbass R-|--|5-",
        ),
        4: (
            "stick X.|.x|..|X.\nhat xx|xx|xx|xx\nkick x.|.x|x.|.x\ncomp X.|.x|.x|-.\nbass R-|-5|5-|-R",
            "stick X.|.x|..|x.\nhat xx|xx|xx|xx\nkick x.|.x|x.|.x\ncomp x.|.X|..|X.\nbass R-|-5|5-|-5",
            "stick X.|.x|.X|..\nhat xx|xx|xx|xx\nkick x.|.x|x.|.x\ncomp .x|.x|X-|.x\nbass R-|-R|5-|-5",
        ),
    },
    ternary={
        2: (
            "stick X..|..x\nhat xxx|xxx\nkick x..|x..\ncomp X..|x.x\nbass R--|5--",
            "stick X..|x..\nhat xxx|xxx\nkick x..|..x\ncomp x.X|..x\nbass R--|5-R",
        ),
    },
)

SLOW = GrooveBook.of(
    duple={
        2: (
            "stick X..x|..x.\nhat xxxx|xxxx\nkick x..x|x..x\ncomp X..x|..x.\nbass R--5|5--R",
            "stick X..x|..x.\nhat xxxx|xxxx\nkick x..x|x..x\ncomp x.x.|.x..\nbass R--5|5--5",
        ),
        3: (
            "stick X..x|..x.|..X.\nhat xxxx|xxxx|xxxx\nkick x..x|x..x|x...\n"
            "comp X..x|..x.|x.x.\nbass R--5|5--R|5---",
        ),
        4: (
            "stick X..x|..x.|..X.|.x..\nhat xxxx|xxxx|xxxx|xxxx\nkick x..x|x..x|x..x|x..x\n"
            "comp x.x.|.x..|x..x|..x.\nbass R--5|5--R|R--5|5--R",
            "stick X..x|..x.|..X.|.x..\nhat xxxx|xxxx|xxxx|xxxx\nkick x..x|x..x|x..x|x..x\n"
            "comp X..x|..x.|..x.|x...\nbass R--5|5--5|R--5|5--5",
        ),
    },
    ternary={2: ("stick X..|..x\nhat xxx|xxx\nkick x..|x..\ncomp X..|x.x\nbass R--|5--",)},
)

SLOW_PULSE_S = 0.62
"""From this length on a pulse holds four steps."""


def bossa(context: Context) -> list[Note]:
    """The guitar plays throughout; stick and hi-hat join early, the kick drum in fuller periods."""
    random = context.random
    band = Band(context, touch=random.uniform(58, 66))
    variant = random.randrange(12)
    book = SLOW if context.grid.usual_pulse_s >= SLOW_PULSE_S else QUICK
    chords = rootless_chords(context, 50, 70)
    layers = {"stick": random.choice((0.3, 0.42)), "hat": 0.3, "kick": 0.5}
    Kit(band, layers, Drummer("bossa", random)).play(book, variant, fills=0.45, mined=False)
    band.bass(book, variant, 31, 50, lift=2)
    band.comp("pluck", book, "comp", variant, chords, lift=-2, strum_s=0.004)
    return band.end(
        {"pluck": band.last_chord(chords, "pluck"), "bass": band.last_bass(31, 50)},
        ("stick",) if context.dynamics.phrases[-1].level > 0.3 else (),
    )
