"""Chord symbols as numbers: root, quality, bass.

Qualities are the names of :data:`appliance.music.chord_chart.QUALITIES`, so that a chord of a lead sheet, of
a user's chart and of the planner is the same thing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from appliance.errors import UsageError
from appliance.music.chord_chart import QUALITIES, parse_chord


@dataclass(frozen=True, slots=True)
class WrittenChord:
    """A chord: pitch classes of ``root`` and ``bass`` (0 = C), and a quality of the chart's QUALITIES."""

    root: int
    quality: str
    bass: int

    @property
    def pitch_classes(self) -> tuple[int, ...]:
        """Pitch classes of the chord, root first, without the bass."""
        return tuple((self.root + step) % 12 for step in QUALITIES[self.quality])


@dataclass(frozen=True, slots=True)
class SongChord:
    """A chord of a song from ``beat`` on: beats counted from the song's first beat, with fractions.

    ``chord`` is None where the score asks for no chord. It holds until the next one.
    """

    beat: float
    chord: WrittenChord | None


_EXTENSIONS = (
    (re.compile(r"^(7|9|13|m7|m9|maj7|maj9)(?:\(?(?:add)?(?:11|13|b13|#11|#9|6)\)?)+$"), r"\1"),
    (re.compile(r"^(?:7)?(?:#5|\+)(?:b9|#9|9)?$"), "aug7"),
    (re.compile(r"^7?b5(?:b9|#9)?$"), "7"),
    (re.compile(r"^(m7|maj7)[b#]5$"), r"\1"),
    (re.compile(r"^m11$"), "m9"),
    (re.compile(r"^11$"), "9"),
    (re.compile(r"^(?:69|6/9|6add9)$"), "6"),
    (re.compile(r"^m69$"), "m6"),
    (re.compile(r"^7(?:b9)?(?:#5|b13)$"), "aug7"),
    (re.compile(r"^7?(?:sus4|sus)?b9.*$"), "7b9"),
    (re.compile(r"^(?:7#9|7#11|7alt|7b5)$"), "7"),
    (re.compile(r"^(?:9sus4|9sus|13sus4|13sus)$"), "7sus4"),
    (re.compile(r"^maj13$|^maj7#11$"), "maj9"),
)
"""Spellings beyond the chart's vocabulary, and the nearest quality in it."""


def parse_symbol(text: str) -> WrittenChord | None:
    """The chord that a symbol names; None for "no chord" (``N.C.``).

    Extensions that no chart has are reduced to the nearest quality: C7#9 and C7b5 become C7, C69 becomes C6.

    Raises:
        ValueError: ``text`` is not a chord symbol.

    >>> parse_symbol("Bbm7b5/Db")
    WrittenChord(root=10, quality='m7b5', bass=1)
    """
    try:
        chord = parse_chord(text)
    except UsageError:
        match = re.fullmatch(r"([A-G][#b]?)(.*?)(/[A-G][#b]?)?", text)
        if match is None:
            raise ValueError(f"{text!r} is not a chord symbol") from None
        for pattern, nearest in _EXTENSIONS:
            if pattern.match(match.group(2)):
                quality = pattern.sub(nearest, match.group(2))
                return parse_symbol(match.group(1) + quality + (match.group(3) or ""))
        raise ValueError(f"{text!r} is not a chord symbol") from None
    if chord is None:
        return None
    root = pitch_class(chord.root)
    return WrittenChord(root, chord.quality, pitch_class(chord.bass) if chord.bass else root)


def pitch_class(name: str) -> int:
    """Pitch class of a note name such as ``Bb``; 0 = C."""
    steps = dict(zip("CDEFGAB", (0, 2, 4, 5, 7, 9, 11), strict=True))
    return (steps[name[0]] + name.count("#") - name[1:].count("b")) % 12


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
            len(classes ^ {(root + step) % 12 for step in steps}),
            root != bass,
            len(steps),
            order,
            root,
            quality,
        )
        for order, (quality, steps) in enumerate(QUALITIES.items())
        for root in range(12)
        if root in classes
    )
    return WrittenChord(best[-2], best[-1], bass)
