"""Chords without their root, as pianists and guitarists of jazz play them over a bass.

Their tensions avoid semitones against the sung notes.
"""

from __future__ import annotations

from collections import defaultdict

from train.arrange.band import Voicer
from train.arrange.chord import Chord
from train.arrange.context import Context
from train.arrange.voice_leading import lead, seventh_tones


def rootless_chords(context: Context, low: int, high: int) -> Voicer:
    """A voicer for rootless chords between ``low`` and ``high``; it looks at what is sung over each chord."""
    held: dict[int, set[int]] = defaultdict(set)
    for note in context.song.voice:
        for index in range(context.harmony.index(note.start_s), context.harmony.index(note.end_s - 0.03) + 1):
            held[index].add(note.pitch % 12)

    def voice(chord: Chord, previous: tuple[int, ...]) -> tuple[int, ...]:
        index = context.harmony.index(chord.start_s)
        following = context.harmony.after(chord.start_s)
        tones = seventh_tones(chord, following, context.song.key.tonic, frozenset(held[index]))
        return lead(tones, previous, low, high, True)

    return voice
