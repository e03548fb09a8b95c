"""Musical keys: names, transposition to C major or A minor, and estimation from pitch classes.

Pitch classes are 0-11 with C = 0. The networks know one key signature only: music is transposed to
C major or A minor before they see it, and their notes are transposed back.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from appliance.errors import UsageError

Mode = Literal["major", "minor"]

LETTERS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
"""Pitch class of each note letter without an accidental."""

_MAJOR_NAMES = ("C", "Db", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
_MINOR_NAMES = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "G#", "A", "Bb", "B")
_KEY_PATTERN = re.compile(r"([A-G])([#b]?)\s*(?:-?\s*(major|maj|minor|min|M|m))?", re.IGNORECASE)

MAJOR_PROFILE = (0.238, 0.006, 0.111, 0.006, 0.137, 0.094, 0.016, 0.214, 0.009, 0.080, 0.008, 0.081)
MINOR_PROFILE = (0.220, 0.006, 0.104, 0.123, 0.019, 0.103, 0.012, 0.214, 0.062, 0.022, 0.061, 0.052)
"""Key profiles, the share of each pitch class above the tonic: Albrecht and Shanahan, *Music Perception*
31(1), 2013. On the scores of the corpus they find more keys than those of Krumhansl or Temperley."""

_BASS_WEIGHT = 0.25


@dataclass(frozen=True, order=True, slots=True)
class Key:
    """A musical key: ``tonic`` is a pitch class 0-11, ``mode`` is ``"major"`` or ``"minor"``.

    Raises:
        ValueError: tonic or mode is neither.
    """

    tonic: int
    mode: Mode

    def __post_init__(self) -> None:
        if self.tonic not in range(12) or self.mode not in ("major", "minor"):
            raise ValueError(f"no such key: tonic {self.tonic!r}, mode {self.mode!r}")

    @property
    def name(self) -> str:
        """English name, in the spelling with fewer accidentals: ``"Eb major"``, ``"G# minor"``."""
        names = _MAJOR_NAMES if self.mode == "major" else _MINOR_NAMES
        return f"{names[self.tonic]} {self.mode}"

    @property
    def fifths(self) -> int:
        """Sharps (positive) or flats (negative) in the key signature of :attr:`name`, -6 to 6."""
        relative_major = self.tonic if self.mode == "major" else (self.tonic + 3) % 12
        fifths = relative_major * 7 % 12
        tie_is_flat = fifths == 6 and self.mode == "minor"  # Eb minor, but F# major
        return fifths - 12 if fifths > 6 or tie_is_flat else fifths

    def transposed(self, semitones: int) -> Key:
        """The key ``semitones`` higher.

        >>> Key.parse("C").transposed(-2).name
        'Bb major'
        """
        return Key((self.tonic + semitones) % 12, self.mode)

    @staticmethod
    def parse(text: str) -> Key:
        """Read the name of a key: ``C``, ``Am``, ``F# minor``, ``Bb major``, ``e♭ min``.

        A letter alone is a major key.

        Raises:
            UsageError: ``text`` is not the name of a key.

        >>> Key.parse("E♭ min")
        Key(tonic=3, mode='minor')
        >>> Key.parse("G").fifths
        1
        """
        match = _KEY_PATTERN.fullmatch(text.strip().replace("♯", "#").replace("♭", "b"))
        if match is None:
            raise UsageError(f"{text!r} is not a key; write it like 'C', 'Am', 'F# minor' or 'Bb major'.")
        letter, accidental, mode = match.group(1), match.group(2), match.group(3) or ""
        minor = mode == "m" or mode.lower().startswith("min")
        tonic = pitch_class(letter.upper() + accidental.lower())
        return Key(tonic, "minor" if minor else "major")


def pitch_class(name: str) -> int:
    """Pitch class of a note name: a letter from A to G and any number of ``#`` or ``b``; 0 = C.

    >>> pitch_class("Bb"), pitch_class("F##")
    (10, 7)
    """
    return (LETTERS[name[0]] + name.count("#") - name.count("b")) % 12


def signature_shift(key: Key) -> int:
    """Semitones, -5 to 6, that transpose music in ``key`` to C major or A minor.

    >>> signature_shift(Key.parse("D")), signature_shift(Key.parse("C minor"))
    (-2, -3)
    """
    relative_major = key.tonic if key.mode == "major" else key.tonic + 3
    return (5 - relative_major) % 12 - 5 if relative_major % 12 != 6 else 6


def spell(pitch_class: int, key: Key | None = None) -> str:
    """Name of a pitch class as it is usually written in ``key`` (default: C major).

    Names come from twelve neighbours of the key on the line of fifths, more of them on the sharp side, where
    leading notes are. Double accidentals, ``Cb``, ``E#`` and ``B#`` are not used.

    >>> spell(8, Key.parse("A minor")), spell(8, Key.parse("C minor"))
    ('G#', 'Ab')
    """
    fifths, lean = (key.fifths, key.mode == "minor") if key else (0, False)
    first = min(max(fifths - 4 + lean, -6), -1)
    position = first + (pitch_class * 7 - first) % 12
    return "FCGDAEB"[(position + 1) % 7] + ("b" if position < -1 else "#" if position > 5 else "")


def estimate_key(
    chroma: NDArray[np.floating], bass_chroma: NDArray[np.floating] | None = None
) -> tuple[Key, float]:
    """Estimate the key from the weight of each pitch class; returns it with a confidence 0-1.

    ``chroma`` and ``bass_chroma``, both (12,), say how long or how strongly each pitch class sounds, in all
    voices and in the bass. The result is the key whose key profile (:data:`MAJOR_PROFILE`) correlates best
    (Krumhansl and Schmuckler, in Krumhansl, *Cognitive Foundations of Musical Pitch*, 1990). The correlation
    of the bass, which favours tonic and dominant, counts a quarter. The confidence is the margin to the
    second best key, divided by 0.3 and at most 1.

    >>> estimate_key(np.array([3, 0, 1, 0, 2, 1, 0, 2, 0, 1, 0, 1]))[0].name
    'C major'
    """
    scores = _profile_correlations(chroma)
    if bass_chroma is not None:
        scores = scores + _BASS_WEIGHT * _profile_correlations(bass_chroma)
    best = int(np.argmax(scores))
    margin = float(scores[best] - np.max(np.delete(scores, best)))
    key = Key(best % 12, "major" if best < 12 else "minor")
    return key, min(1.0, margin / 0.3)


def _profile_correlations(chroma: NDArray[np.floating]) -> NDArray[np.float64]:
    """Pearson correlation of ``chroma`` (12,) with 12 major, then 12 minor key profiles: (24,)."""
    x = np.asarray(chroma, dtype=np.float64) - np.mean(chroma)
    profiles = np.array([np.roll(p, k) for p in (MAJOR_PROFILE, MINOR_PROFILE) for k in range(12)])
    profiles -= profiles.mean(axis=1, keepdims=True)
    norm = float(np.linalg.norm(x))
    if norm < 1e-9:
        return np.zeros(24)
    correlations: NDArray[np.float64] = profiles @ x / (np.linalg.norm(profiles, axis=1) * norm)
    return correlations
