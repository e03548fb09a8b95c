"""Chord names in the spellings that musicians write, and the tones they stand for.

A name is a root, a quality and perhaps a bass: ``F#m7/E``. :mod:`appliance.music.chord_quality` reads
the qualities. ``H`` is the German name of B natural.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from appliance.errors import UsageError
from appliance.music.chord_quality import quality_of, tones_of
from appliance.music.keys import pitch_class

NO_CHORD = "N"

_NO_CHORD_NAMES = (NO_CHORD, "nc", "NC", "N.C", "N.C.", "n.c.", "-")
_SIGNS = str.maketrans("♯♭−–∆△ºØ∅", "#b--ΔΔ°øø")
"""Signs that look alike, and the one of them that is read."""

_LABEL = re.compile(r"([A-H][#b]?)(.*?)(?:/([A-H][#b]?))?")


@dataclass(frozen=True, slots=True)
class Chord:
    """A chord: the names of its root and bass (``"F#"``; no bass means the root), and its quality.

    ``quality`` is one that :func:`appliance.music.chord_quality.tones_of` knows.
    """

    root: str
    quality: str = ""
    bass: str = ""

    @property
    def label(self) -> str:
        """The chord's shorthand: ``Am7``, ``Bb/D``."""
        return self.root + self.quality + (f"/{self.bass}" if self.bass else "")

    @property
    def pitch_classes(self) -> frozenset[int]:
        """All pitch classes of the chord and of its bass."""
        tones = {(self.root_pitch_class + step) % 12 for step in tones_of(self.quality)}
        return frozenset(tones | {self.bass_pitch_class})

    @property
    def root_pitch_class(self) -> int:
        """Pitch class of the root."""
        return pitch_class(self.root)

    @property
    def bass_pitch_class(self) -> int:
        """Pitch class of the lowest note."""
        return pitch_class(self.bass or self.root)


def parse_chord(text: str) -> Chord | None:
    """Read a chord's name in any common spelling; None for ``N``, ``N.C.``, ``NC`` and ``-``.

    Examples: ``Cm Cmin C- Cmaj7 CM7 CΔ C7 Cdim C° Cø C+ Csus4 C6/9 C7(b9) D♭ C/E``. The root keeps its
    spelling, except that ``H`` becomes ``B``.

    Raises:
        UsageError: ``text`` is not the name of a chord.

    >>> parse_chord("Bbmin7/D")
    Chord(root='Bb', quality='m7', bass='D')
    >>> sorted(parse_chord("F").pitch_classes)
    [0, 5, 9]
    """
    if text in _NO_CHORD_NAMES:
        return None
    match = _LABEL.fullmatch(unified(text))
    quality = quality_of(match[2]) if match else None
    if match is None or quality is None:
        raise UsageError(f"{text!r} is not a chord that Backline knows; write it like 'C', 'F#m7' or 'Bb/D'.")
    root, bass = (name.replace("H", "B") for name in (match[1], match[3] or ""))
    return Chord(root, quality, "" if bass == root else bass)


def canonical(text: str) -> str:
    """The shorthand that Backline writes for a chord, or :data:`NO_CHORD`: ``C-`` becomes ``Cm``.

    Raises:
        UsageError: ``text`` is not the name of a chord.
    """
    chord = parse_chord(text)
    return chord.label if chord else NO_CHORD


def unified(text: str) -> str:
    """``text`` with ``#``, ``b``, ``-``, ``Δ``, ``°`` and ``ø`` for all the signs that look like them."""
    return text.translate(_SIGNS)
