"""The chords of what is played, read as those of the written part are, and what they have in common.

Both are read by :func:`train.arrange.chords.read_chords` on the beats, in the key and with the sung notes of
the written song. So a difference lies in what is played, not in how it was read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from appliance.music.score import Note
from train.arrange import read_chords
from train.arrange.chord import Chord
from train.corpus.song import Song
from train.corpus.timeline import Sounding

SEVENTHS = frozenset({"7", "maj7", "m7", "hdim"})
"""The arrangers' qualities with a seventh."""


def chords_played(song: Song, notes: Sequence[Sounding], start_s: float, end_s: float) -> list[Chord]:
    """The chords of ``notes``, played to ``song`` between two times; ``notes`` count from ``start_s`` on.

    They are read as if the notes were the written part, and clipped to the two times. Empty if nothing is
    played.
    """
    if not notes:
        return []
    written = [Note(n.start_s + start_s, n.end_s + start_s, n.pitch, 80, "keys") for n in notes]
    return clipped(replace(song, written=tuple(sorted(written)), chords=()), start_s, end_s)


def clipped(song: Song, start_s: float, end_s: float) -> list[Chord]:
    """The written chords of ``song`` between two times."""
    return [part for chord in read_chords(song) if (part := chord.within(start_s, end_s)) is not None]


def share_of_sevenths(chords: Sequence[Chord]) -> float:
    """Share of the chords that have a seventh; NaN without chords. Another bass makes another chord."""
    return sum(c.quality in SEVENTHS for c in chords) / len(chords) if chords else float("nan")


def ends_on_tonic(chords: Sequence[Chord], song: Song) -> bool:
    """Whether the root of the last chord is the tonic of the song's key."""
    return bool(chords) and chords[-1].root == song.key.tonic
