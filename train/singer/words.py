"""Spoken words, and the syllable of them that each note sings."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from train.singer.schedule import is_held
from train.singer.speech import SPEECH_RATE_HZ, Phoneme, speak
from train.singer.syllables import Segment, Syllable
from train.singer.world import HOP_S, analyse

if TYPE_CHECKING:
    from train.corpus.song import SungNote

VOWELS = frozenset("aeiouyæɑɒɔəɚɛɜɝɪʊʌøœɐɨʉɵɤɯʏɞᵻɘ")
VOICELESS = frozenset("ptkfsʃθhxçqʔχħcɸ")
OPEN_VOWEL = "ah"
"""Sung if the score has no words."""

_QUIETEST_DB = -60.0


@dataclass(frozen=True, slots=True)
class Spoken:
    """A spoken word as F frames of WORLD: ``voiced`` (F,), log power ``envelope`` and ``aperiodicity`` (F,
    257)."""

    voiced: NDArray[np.bool_]
    envelope: NDArray[np.float32]
    aperiodicity: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class SpokenSyllable:
    """Frames of a syllable in ``word``.

    Consonants start at ``start``, the vowel lasts from ``vowel_start`` to ``vowel_end``, consonants follow
    until ``end``. ``vowel_db`` is the vowel's mean power. ``consonants`` are their durations and levels.
    """

    word: Spoken
    start: int
    vowel_start: int
    vowel_end: int
    end: int
    vowel_db: float
    consonants: Syllable


def spoken_syllables(notes: Sequence[SungNote], language: str, variant: str) -> tuple[SpokenSyllable, ...]:
    """The syllable that each note of a melody sings; a held note repeats the previous one.

    Raises:
        MachineError: espeak-ng or the voice is not installed.
    """
    out: list[SpokenSyllable] = []
    i = 0
    while i < len(notes):
        word = [i]
        while notes[word[-1]].syllabic in ("begin", "middle"):
            following = next(
                (k for k in range(word[-1] + 1, len(notes)) if not is_held(notes, k)), len(notes)
            )
            if following == len(notes) or notes[following].syllabic not in ("middle", "end"):
                break
            word.append(following)
        texts = tuple(_plain(notes[k].syllable) or OPEN_VOWEL for k in word)
        for syllable, start in zip(_speak_word(texts, language, variant), word, strict=True):
            out.append(syllable)
            k = start + 1
            while k < len(notes) and is_held(notes, k):
                out.append(syllable)
                k += 1
        i = len(out)
    return tuple(out)


def _plain(syllable: str) -> str:
    """Keep letters and apostrophes in lower case, because espeak-ng spells capitals and reads punctuation."""
    return (
        re.sub(r"[\W\d_]+", "", syllable.lower().replace("’", "'").replace("'", "ʼ"))
        .replace("ʼ", "'")
        .strip("'")
    )


@lru_cache(maxsize=1024)
def _speak_word(texts: tuple[str, ...], language: str, variant: str) -> tuple[SpokenSyllable, ...]:
    """The syllables of a word written as ``texts``; if the spoken word has another number, one by one."""
    utterance = speak("".join(texts), language, variant)
    nuclei = _nuclei(utterance.phonemes)
    if len(texts) > 1 and len(nuclei) != len(texts):
        return tuple(_speak_word((text,), language, variant)[0] for text in texts)
    if not nuclei:
        return _speak_word((OPEN_VOWEL,), language, variant)
    voiced, envelope, aperiodicity = analyse(utterance.samples)
    for phoneme in utterance.phonemes:
        # Within the narrow pitch range of the monotone, the tracker finds pitch in hiss too.
        if _is_voiceless(phoneme):
            voiced[_frame(phoneme.start, len(voiced)) : _frame(phoneme.end, len(voiced))] = False
    word = Spoken(voiced, envelope, aperiodicity)
    power = np.exp(envelope.astype(np.float64)).mean(axis=1)
    phonemes = utterance.phonemes
    bounds = _syllable_bounds(phonemes, nuclei)[: len(texts)]
    return tuple(
        _syllable(word, power, phonemes[a:b], nucleus - a)
        for (a, b), nucleus in zip(bounds, nuclei, strict=False)
    )


def _nuclei(phonemes: Sequence[Phoneme]) -> list[int]:
    return [i for i, p in enumerate(phonemes) if any(c in VOWELS for c in p.name)]


def _syllable_bounds(phonemes: Sequence[Phoneme], nuclei: Sequence[int]) -> list[tuple[int, int]]:
    """First phoneme and one past the last of every syllable.

    A single consonant between vowels belongs to the following syllable; of several, all but the first do.
    """
    bounds = []
    start = 0
    for this, following in zip(nuclei, [*nuclei[1:], None], strict=True):
        if following is None:
            end = len(phonemes)
        else:
            between = following - this - 1
            end = this + 1 + (1 if between > 1 else 0)
        bounds.append((start, end))
        start = end
    return bounds


def _is_voiceless(phoneme: Phoneme) -> bool:
    return bool(phoneme.name) and all(c in VOICELESS for c in phoneme.name if c.isalpha())


def _frame(sample: int, count: int) -> int:
    return min(round(sample / (HOP_S * SPEECH_RATE_HZ)), count - 1)


def _syllable(
    word: Spoken, power: NDArray[np.float64], phonemes: Sequence[Phoneme], nucleus: int
) -> SpokenSyllable:
    count = len(power)
    first, last = _frame(phonemes[nucleus].start, count), _frame(phonemes[nucleus].end, count)
    # Use voicing to find the vowel, because espeak-ng's marks are a few frames off.
    lit = np.flatnonzero(word.voiced[first : last + 1])
    if len(lit):
        first, last = first + int(lit[0]), first + int(lit[-1])
    last = max(last, first + 1)
    vowel_power = max(float(power[first:last].mean()), 1e-9)

    def segments(part: Sequence[Phoneme], low: int, high: int) -> tuple[Segment, ...]:
        found = []
        for phoneme in part:
            a, b = max(_frame(phoneme.start, count), low), min(_frame(phoneme.end, count), high)
            if phoneme.name and b > a:
                level_db = 10.0 * np.log10(max(float(power[a:b].mean()), 1e-12) / vowel_power)
                loud_db = float(np.clip(level_db, _QUIETEST_DB, 0.0))
                found.append(Segment((b - a) * HOP_S, bool(word.voiced[a:b].mean() > 0.5), loud_db))
        return tuple(found)

    onset = segments(phonemes[:nucleus], 0, first)
    coda = segments(phonemes[nucleus + 1 :], last, count - 1)
    start = first - round(sum(s.duration_s for s in onset) / HOP_S)
    end = last + round(sum(s.duration_s for s in coda) / HOP_S)
    return SpokenSyllable(
        word, start, first, last, end, 10.0 * float(np.log10(vowel_power)), Syllable(onset, coda)
    )
