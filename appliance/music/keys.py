"""Keys: their names, the shift that brings one to C major or A minor, and a guess from what sounds.

Pitch classes are 0-11 with C = 0. A key's *signature* is what matters to the model: music in any key is
moved to the white keys before the network sees it and moved back afterwards.
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
"""Pitch class of each letter without accidental."""

_MAJOR_NAMES = ("C", "Db", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
_MINOR_NAMES = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "G#", "A", "Bb", "B")
_KEY_PATTERN = re.compile(r"([A-G])([#b]?)\s*(?:-?\s*(major|maj|minor|min|M|m))?", re.IGNORECASE)

MAJOR_PROFILE = (0.238, 0.006, 0.111, 0.006, 0.137, 0.094, 0.016, 0.214, 0.009, 0.080, 0.008, 0.081)
MINOR_PROFILE = (0.220, 0.006, 0.104, 0.123, 0.019, 0.103, 0.012, 0.214, 0.062, 0.022, 0.061, 0.052)
"""Share of each degree in common-practice music: Albrecht and Shanahan, *Music Perception* 31(1), 2013.

On the written notes of corpus songs they find more keys than Krumhansl's or Temperley's ratings do.
"""

_BASS_WEIGHT = 0.25


@dataclass(frozen=True, order=True, slots=True)
class Key:
    """A key: ``tonic`` is a pitch class 0-11, ``mode`` is ``"major"`` or ``"minor"``."""

    tonic: int
    mode: Mode

    def __post_init__(self) -> None:
        if self.tonic not in range(12) or self.mode not in ("major", "minor"):
            raise ValueError(f"no such key: tonic {self.tonic!r}, mode {self.mode!r}")

    @property
    def name(self) -> str:
        """Usual English name: the spelling with fewer accidentals, ``"Eb major"``, ``"G# minor"``."""
        names = _MAJOR_NAMES if self.mode == "major" else _MINOR_NAMES
        return f"{names[self.tonic]} {self.mode}"

    @property
    def fifths(self) -> int:
        """Sharps (positive) or flats (negative) of the signature as :attr:`name` spells it, -6 to 6."""
        relative_major = self.tonic if self.mode == "major" else (self.tonic + 3) % 12
        fifths = relative_major * 7 % 12
        tie_is_flat = fifths == 6 and self.mode == "minor"  # Eb minor, but F# major
        return fifths - 12 if fifths > 6 or tie_is_flat else fifths

    @staticmethod
    def parse(text: str) -> Key:
        """The key that ``text`` names: ``C``, ``Am``, ``F# minor``, ``Bb major``, ``e♭ min``.

        A lone letter is major. Raises :class:`UsageError` for anything else.
        """
        match = _KEY_PATTERN.fullmatch(text.strip().replace("♯", "#").replace("♭", "b"))
        if match is None:
            raise UsageError(f"key {text!r} is not a key; write it like 'C', 'Am', 'F# minor' or 'Bb major'.")
        letter, accidental, mode = match.group(1), match.group(2), match.group(3) or ""
        minor = mode == "m" or mode.lower().startswith("min")
        tonic = LETTERS[letter.upper()] + {"": 0, "#": 1, "b": -1, "B": -1}[accidental]
        return Key(tonic % 12, "minor" if minor else "major")


def signature_shift(key: Key) -> int:
    """Semitones, -5 to 6, that move music in ``key`` onto the scale of C major and A minor."""
    relative_major = key.tonic if key.mode == "major" else key.tonic + 3
    return (5 - relative_major) % 12 - 5 if relative_major % 12 != 6 else 6


def spell(pitch_class: int, key: Key | None = None) -> str:
    """Name of a pitch class as it is usually written in ``key`` (none: C major).

    Twelve neighbours on the line of fifths around the key, leaning to the sharp side, where leading
    notes are: ``G#`` in A minor, ``Ab`` in C minor. Never a double accidental, ``Cb``, ``E#`` or ``B#``.
    """
    fifths, lean = (key.fifths, key.mode == "minor") if key else (0, False)
    first = min(max(fifths - 4 + lean, -6), -1)
    position = first + (pitch_class * 7 - first) % 12
    return "FCGDAEB"[(position + 1) % 7] + ("b" if position < -1 else "#" if position > 5 else "")


def estimate_key(
    chroma: NDArray[np.floating], bass_chroma: NDArray[np.floating] | None = None
) -> tuple[Key, float]:
    """The likeliest key of music that spends ``chroma`` on each pitch class, and a confidence 0-1.

    ``chroma`` and ``bass_chroma`` are (12,): how long, or how strongly, each pitch class sounds at all
    and in the bass. The key is the one whose profile correlates best (Krumhansl and Schmuckler; see
    :data:`MAJOR_PROFILE`); the bass, which rests on tonic and dominant, adds a quarter of its own
    correlation. The confidence grows with the margin to the runner-up: 0 for a flat chroma, 1 from 0.3.
    """
    scores = _profile_correlations(chroma)
    if bass_chroma is not None:
        scores = scores + _BASS_WEIGHT * _profile_correlations(bass_chroma)
    best = int(np.argmax(scores))
    margin = float(scores[best] - np.max(np.delete(scores, best)))
    key = Key(best % 12, "major" if best < 12 else "minor")
    return key, min(1.0, margin / 0.3)


def _profile_correlations(chroma: NDArray[np.floating]) -> NDArray[np.float64]:
    """Pearson correlation of ``chroma`` (12,) with 12 major, then 12 minor profiles: (24,)."""
    x = np.asarray(chroma, dtype=np.float64) - np.mean(chroma)
    profiles = np.array([np.roll(p, k) for p in (MAJOR_PROFILE, MINOR_PROFILE) for k in range(12)])
    profiles -= profiles.mean(axis=1, keepdims=True)
    norm = float(np.linalg.norm(x))
    if norm < 1e-9:
        return np.zeros(24)
    correlations: NDArray[np.float64] = profiles @ x / (np.linalg.norm(profiles, axis=1) * norm)
    return correlations
