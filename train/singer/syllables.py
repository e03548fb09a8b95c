"""Consonants around a vowel: their duration, voicing and level.

Without espeak-ng, consonants are guessed from the spelling. This suffices for pitch-track curves, where only
the place and length of unvoiced gaps matter.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Segment:
    """A part of a consonant: its duration, whether it is voiced, and its level relative to the vowel."""

    duration_s: float
    voiced: bool
    level_db: float


@dataclass(frozen=True, slots=True)
class Syllable:
    """Consonants before (``onset``) and after (``coda``) a vowel."""

    onset: tuple[Segment, ...] = ()
    coda: tuple[Segment, ...] = ()


CLOSURE = Segment(0.055, False, -60.0)
BURST = Segment(0.025, False, -14.0)
HISS = Segment(0.11, False, -12.0)
SOFT_HISS = Segment(0.09, False, -22.0)
VOICED_STOP = Segment(0.06, True, -16.0)
VOICED_HISS = Segment(0.07, True, -9.0)
NASAL = Segment(0.075, True, -5.0)
LIQUID = Segment(0.06, True, -4.0)

# Durations are typical of careful speech and singing (Klatt 1976, "Linguistic uses of segmental
# duration in English", table I), rounded; singers vary by VoiceSettings.consonant_ratio.
_VOICELESS_STOP = (CLOSURE, BURST)
_BY_SPELLING: dict[str, tuple[Segment, ...]] = {
    **dict.fromkeys(("p", "t", "k", "c", "q", "ck", "tt", "pp"), _VOICELESS_STOP),
    **dict.fromkeys(("tz", "ts", "tch", "x", "pf"), (CLOSURE, HISS)),
    **dict.fromkeys(("s", "ss", "sh", "sch", "ß", "ç", "sc"), (HISS,)),
    **dict.fromkeys(("f", "ff", "ph", "th", "ch", "h", "gh"), (SOFT_HISS,)),
    **dict.fromkeys(("b", "d", "g", "bb", "dd", "gg"), (VOICED_STOP,)),
    **dict.fromkeys(("v", "w", "z", "j"), (VOICED_HISS,)),
    **dict.fromkeys(("m", "n", "mm", "nn", "ng", "gn", "ñ"), (NASAL,)),
    **dict.fromkeys(("l", "r", "ll", "rr", "y", "rh"), (LIQUID,)),
}
_LONGEST = max(map(len, _BY_SPELLING))
_OVERRIDES: dict[str, dict[str, tuple[Segment, ...]]] = {
    "de": {"z": (CLOSURE, HISS), "v": (SOFT_HISS,), "j": (LIQUID,)},
    "fr": {"h": (), "ch": (HISS,), "qu": _VOICELESS_STOP},
    "it": {"h": (), "z": (CLOSURE, HISS), "ch": _VOICELESS_STOP, "gh": (VOICED_STOP,)},
    "es": {"h": (), "z": (SOFT_HISS,), "j": (SOFT_HISS,), "v": (VOICED_STOP,)},
    "en": {"j": (VOICED_STOP, VOICED_HISS), "wh": (VOICED_HISS,), "gh": ()},
}  # fmt: skip
_SILENT_CODA = {"fr": "tsdxpzeh", "en": "e"}
_VOWELS = "aeiouyæœøåAEIOUY"


def _letters(text: str) -> str:
    kept = unicodedata.normalize("NFKD", text.lower().replace("ß", "ss"))
    return re.sub(r"[^a-zæœø]", "", kept)


def _segments(letters: str, language: str) -> tuple[Segment, ...]:
    table = _BY_SPELLING | _OVERRIDES.get(language, {})
    out: list[Segment] = []
    i = 0
    while i < len(letters):
        for length in range(_LONGEST, 0, -1):
            if (found := table.get(letters[i : i + length])) is not None:
                out.extend(found)
                i += length
                break
        else:
            i += 1
    return tuple(out)


def guess(text: str, language: str = "?") -> Syllable:
    """Guess the consonants of a written syllable.

    Languages 'de', 'en', 'fr', 'it' and 'es' have rules of their own. The vowel is the first run of vowel
    letters; a syllable without vowels has only an onset.
    """
    letters = _letters(text)
    start = next(
        (i for i, c in enumerate(letters) if c in _VOWELS and not (c == "y" and i == 0)), len(letters)
    )
    end = next((i for i in range(start, len(letters)) if letters[i] not in _VOWELS), len(letters))
    coda = letters[end:].rstrip(_SILENT_CODA.get(language, ""))
    return Syllable(_segments(letters[:start], language), _segments(coda, language))


def guess_all(texts: Sequence[str], language: str = "?") -> tuple[Syllable, ...]:
    """:func:`guess` of each text; each distinct text is computed once."""
    known = {text: guess(text, language) for text in set(texts)}
    return tuple(known[text] for text in texts)
