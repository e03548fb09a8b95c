"""A waltz for piano and strings: bass on the first beat, chords on the others, a pad in fuller phrases.

It suits songs in three. Songs in four get the same gait, a bass note and chords after it.
"""

from __future__ import annotations

from appliance.music.score import Note
from train.arrange.band import Band, spread_chords, triads
from train.arrange.context import Context
from train.arrange.groove import GrooveBook

GROOVES = GrooveBook.of(
    duple={
        2: ("bass V-|..\ncomp ..|X-", "bass V-|--\ncomp ..|X.", "bass V-|..\ncomp .x|X."),
        3: (
            "bass V-|..|..\ncomp ..|X-|x-",
            "bass V-|--|--\ncomp ..|X.|x.",
            "bass V-|--|..\ncomp ..|X-|--",
            "bass V-|..|..\ncomp ..|X.|xx",
        ),
        4: (
            "bass V-|..|V-|..\ncomp ..|X-|..|x-",
            "bass V-|--|--|..\ncomp ..|X.|x.|x.",
            "bass V-|..|V-|..\ncomp ..|X.|..|xx",
        ),
    },
    ternary={2: ("bass V..|V..\ncomp .X-|.x-", "bass V--|V--\ncomp .Xx|.xx")},
)


def waltz(context: Context) -> list[Note]:
    """Bass and afterbeats throughout, as long as a dancer's step; the strings swell with the phrases."""
    random = context.random
    band = Band(context, touch=random.uniform(60, 70))
    variant, fuller = random.randrange(12), random.randrange(12)
    keys, pad = triads(random.choice((55, 57, 60)), random.choice((76, 79))), spread_chords(52, 81)
    band.bass(GROOVES, variant, 29, 48, lift=4)
    band.comp("keys", GROOVES, "comp", fuller, keys, lift=-3)
    band.held("pad", pad, min_level=random.choice((0.3, 0.42, 0.5)), lift=-14)
    return band.end(
        {
            "keys": band.last_chord(keys, "keys"),
            "pad": band.last_chord(pad, "pad"),
            "bass": band.last_bass(29, 48),
        }
    )
