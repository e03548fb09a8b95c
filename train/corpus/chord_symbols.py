"""Chord symbols as numbers: root, quality, bass.

Qualities have the names that charts use (:mod:`appliance.music.chord_quality`), so that a chord of a lead
sheet, of a user's chart and of the planner is the same thing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from appliance.errors import UsageError
from appliance.music.chord_names import parse_chord
from appliance.music.chord_quality import tones_of

WRITTEN_QUALITIES = (
    "", "m", "dim", "aug", "7", "maj7", "m7", "m7b5", "sus4", "sus2", "5", "6", "m6", "dim7", "mmaj7", "aug7",
    "7sus4", "add9", "madd9", "9", "m9", "maj9", "7b9", "13",
)  # fmt: skip
"""The qualities of written chords; caches and models count them in this order. Others become the nearest."""


@dataclass(frozen=True, slots=True)
class WrittenChord:
    """A chord: pitch classes of ``root`` and ``bass`` (0 = C), and a name of :data:`WRITTEN_QUALITIES`."""

    root: int
    quality: str
    bass: int

    @property
    def pitch_classes(self) -> tuple[int, ...]:
        """Pitch classes of the chord, root first, without the bass."""
        return tuple((self.root + step) % 12 for step in tones_of(self.quality))


@dataclass(frozen=True, slots=True)
class SongChord:
    """A chord of a song from ``beat`` on: beats counted from the song's first beat, with fractions.

    ``chord`` is None where the score asks for no chord. It holds until the next one.
    """

    beat: float
    chord: WrittenChord | None


def parse_symbol(text: str) -> WrittenChord | None:
    """The chord that a symbol names; None for "no chord" (``N.C.``).

    Raises:
        ValueError: ``text`` is not a chord symbol.

    >>> parse_symbol("Bbm7b5/Db"), parse_symbol("C7#9")
    (WrittenChord(root=10, quality='m7b5', bass=1), WrittenChord(root=0, quality='7', bass=0))
    """
    try:
        chord = parse_chord(text)
    except UsageError:
        raise ValueError(f"{text!r} is not a chord symbol") from None
    if chord is None:
        return None
    return WrittenChord(chord.root_pitch_class, nearest_quality(chord.quality), chord.bass_pitch_class)


def nearest_quality(quality: str) -> str:
    """The written quality with the most tones in common with ``quality``, and the same third if one has.

    >>> nearest_quality("69"), nearest_quality("7b5"), nearest_quality("m11"), nearest_quality("13sus4")
    ('6', '7', 'm9', '7sus4')
    """
    if quality in WRITTEN_QUALITIES:
        return quality
    tones = tones_of(quality)

    def distance(name: str) -> int:
        other = tones_of(name)
        return len({*tones} ^ {*other}) + 2 * (tones[1:2] != other[1:2])

    return min(WRITTEN_QUALITIES, key=distance)


def chord_of_pitches(pitches: Iterable[int]) -> WrittenChord:
    """The chord that simultaneous pitches form, the lowest as its bass.

    Of all roots and qualities with exactly these pitch classes the one whose root is the bass is taken, then
    the one with the fewest tones; if none has exactly them, the one that shares most of them.

    Raises:
        ValueError: there are no pitches.
    """
    sounding = sorted(pitches)
    if not sounding:
        raise ValueError("a chord needs pitches")
    classes, bass = {p % 12 for p in sounding}, sounding[0] % 12
    best = min(
        (
            len(classes ^ {(root + step) % 12 for step in tones_of(quality)}),
            root != bass,
            len(tones_of(quality)),
            order,
            root,
            quality,
        )
        for order, quality in enumerate(WRITTEN_QUALITIES)
        for root in range(12)
        if root in classes
    )
    return WrittenChord(best[-2], best[-1], bass)
