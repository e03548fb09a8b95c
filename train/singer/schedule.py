"""Places every vowel and consonant in time.

Singers put the *vowel* on the beat. Consonants come before it and shorten the previous note (Sundberg, "The
Science of the Singing Voice", 1987); so does a breath.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from train.singer.syllables import Segment, Syllable
from train.singer.voices import VoiceSettings

if TYPE_CHECKING:
    from train.corpus.song import SungNote

REST_S = 0.08
"""A gap at least this long between two written notes separates phrases."""

SHORTEST_VOWEL_S = 0.03


@dataclass(frozen=True, slots=True)
class PlacedNote:
    """A note as sung: its vowel sounds from ``start_s`` to ``end_s`` at MIDI ``pitch`` (in the sung octave).

    ``onset`` are the consonants that end at ``start_s``, ``coda`` those that start at ``end_s``. ``held``
    says that the note continues the previous note's vowel. ``phrase`` counts phrases. ``written`` is the
    note's index in the result of :func:`melody`.
    """

    start_s: float
    end_s: float
    pitch: int
    onset: tuple[Segment, ...]
    coda: tuple[Segment, ...]
    held: bool
    phrase: int
    written: int

    @property
    def first_s(self) -> float:
        """Start of the first consonant."""
        return self.start_s - _length(self.onset)

    @property
    def last_s(self) -> float:
        """End of the last consonant."""
        return self.end_s + _length(self.coda)


def _length(segments: Sequence[Segment]) -> float:
    return sum(s.duration_s for s in segments)


def _scaled(segments: Sequence[Segment], ratio: float) -> tuple[Segment, ...]:
    return tuple(Segment(s.duration_s * ratio, s.voiced, s.level_db) for s in segments)


def melody(notes: Sequence[SungNote]) -> tuple[SungNote, ...]:
    """The notes in time order: only the highest of simultaneous ones, without very short ones."""
    ordered = sorted(notes, key=lambda n: (n.start_s, -n.pitch))
    kept: list[SungNote] = []
    for note in ordered:
        if note.end_s - note.start_s < SHORTEST_VOWEL_S or (
            kept and note.start_s - kept[-1].start_s < SHORTEST_VOWEL_S
        ):
            continue
        kept.append(note)
    return tuple(kept)


def octave_shift(pitches: Sequence[int], tessitura_midi: float) -> int:
    """Shift in semitones, a multiple of 12, that brings the median pitch nearest to the singer's range."""
    return 12 * round((tessitura_midi - float(np.median(pitches))) / 12.0)


def is_held(notes: Sequence[SungNote], i: int) -> bool:
    """Whether note ``i`` continues the previous vowel: it has no syllable, and no rest precedes it."""
    return i > 0 and not notes[i].syllable.strip() and notes[i].start_s - notes[i - 1].end_s < REST_S


def place(
    notes: Sequence[SungNote],
    syllables: Sequence[Syllable],
    duration_s: float,
    voice: VoiceSettings,
    rng: np.random.Generator,
) -> tuple[PlacedNote, ...]:
    """Place a melody in time.

    ``notes`` is the result of :func:`melody`; ``syllables`` has one entry per note (ignored for held notes).
    Nothing sounds before 0 s or after ``duration_s``.
    """
    if not notes:
        return ()
    count = len(notes)
    shift = octave_shift([n.pitch for n in notes], voice.tessitura_midi)
    starts = _onsets(notes, duration_s, voice, rng)
    legato = rng.uniform(size=count) < voice.legato
    held = [is_held(notes, i) for i in range(count)]
    onsets = [() if held[i] else _scaled(syllables[i].onset, voice.consonant_ratio) for i in range(count)]
    # A syllable's coda belongs to the last note that holds its vowel.
    codas: list[tuple[Segment, ...]] = [()] * count
    carried: tuple[Segment, ...] = ()
    for i in range(count):
        carried = carried if held[i] else _scaled(syllables[i].coda, voice.consonant_ratio)
        if i + 1 == count or not held[i + 1]:
            codas[i] = carried

    onsets[0] = _fit(onsets[0], starts[0])
    placed: list[PlacedNote] = []
    phrase, sung_since_breath_s = 0, 0.0
    for i, note in enumerate(notes):
        last = i + 1 == count
        next_s = duration_s if last else starts[i + 1]
        rest = last or notes[i + 1].start_s - note.end_s >= REST_S
        sung_since_breath_s += note.end_s - note.start_s
        breath = (
            not rest
            and not held[i + 1]
            and sung_since_breath_s > voice.breath_every_s
            and next_s - starts[i] > 0.5
        )
        available = next_s - starts[i]
        if not last and not held[i + 1]:
            onsets[i + 1] = _fit(onsets[i + 1], 0.35 * available)
            available -= _length(onsets[i + 1])
        wanted = available
        if rest:
            wanted = min(available, note.end_s - note.start_s + float(rng.normal(0.0, 0.03)))
        elif breath:
            wanted = available - min(float(rng.uniform(0.15, 0.3)), 0.4 * available)
        elif not held[i + 1] and not legato[i]:
            wanted = available * voice.articulation
        wanted = min(max(wanted, SHORTEST_VOWEL_S), available)
        codas[i] = _fit(codas[i], 0.3 * wanted)
        end_s = starts[i] + wanted - _length(codas[i])
        placed.append(
            PlacedNote(starts[i], end_s, note.pitch + shift, onsets[i], codas[i], held[i], phrase, i)
        )
        if rest or breath:
            phrase, sung_since_breath_s = phrase + 1, 0.0
    return tuple(placed)


def _onsets(
    notes: Sequence[SungNote], duration_s: float, voice: VoiceSettings, rng: np.random.Generator
) -> list[float]:
    errors = rng.normal(0.0, voice.timing_error_s, len(notes)) + voice.lag_s
    starts: list[float] = []
    for i, note in enumerate(notes):
        # At most a third of the shorter neighbour early or late, so that the order of notes is kept.
        before = note.start_s - (notes[i - 1].start_s if i else 0.0)
        after = (notes[i + 1].start_s if i + 1 < len(notes) else duration_s) - note.start_s
        limit = max(0.0, min(before, after) / 3.0)
        starts.append(note.start_s + float(np.clip(errors[i], -limit, limit)))
    return starts


def _fit(segments: tuple[Segment, ...], available_s: float) -> tuple[Segment, ...]:
    length = _length(segments)
    if length <= available_s or not length:
        return segments
    return _scaled(segments, max(available_s, 0.0) / length)
