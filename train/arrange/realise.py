"""A keyboard part for a song that has none: chords in rhythm over a bass, from the song's harmony."""

from __future__ import annotations

from dataclasses import replace

from train.arrange.band import Band, triads
from train.arrange.context import Context
from train.arrange.groove import GrooveBook
from train.corpus.song import Song

GROOVES = GrooveBook.of(
    duple={
        2: (
            "bass R-|--\nright X-|--",
            "bass R-|..\nright ..|X-",
            "bass R-|5-\nright X-|x-",
            "bass R-|--\nright .x|.x",
        ),
        3: (
            "bass R-|--|--\nright X-|--|--",
            "bass R-|..|..\nright ..|X-|x-",
            "bass R-|--|5-\nright X-|x-|x-",
            "bass R-|--|--\nright .x|.x|.x",
        ),
        4: (
            "bass R-|--|--|--\nright X-|--|--|--",
            "bass R-|..|5-|..\nright ..|X-|..|x-",
            "bass R-|--|R-|5-\nright X-|x-|X-|x-",
            "bass R-|--|5-|--\nright .x|.x|.x|.x",
        ),
    },
    ternary={
        2: (
            "bass R--|---\nright X--|---",
            "bass R--|5--\nright .xx|.xx",
            "bass R--|R--\nright X-x|X-x",
        ),
    },
)


def accompanied(song: Song) -> Song:
    """The song with a keyboard part; unchanged if it has one.

    A lead sheet has a tune and chords only. The same song always gets the same part.
    """
    if song.written:
        return song
    context = Context.of(song, "realised", 0)
    band = Band(context)
    variant = context.random.randrange(12)
    right = triads(52, 71)
    band.bass(GROOVES, variant, 36, 52)
    band.comp("keys", GROOVES, "right", variant, right)
    last = (*band.last_bass(36, 52), *band.last_chord(right, "keys"))
    notes = band.end({"keys": last})
    return replace(song, written=tuple(sorted(replace(n, group="keys", velocity=80) for n in notes)))
