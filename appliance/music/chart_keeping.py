"""Corrects notes that contradict a chord chart which the user gave.

The denoiser treats a chart as a hint. :func:`follow_chart` makes its notes keep to the chart:

1. A note ends before a chord that it does not belong to.
2. A note that is foreign to its chord moves to the nearest chord tone, unless it is a passing note: short,
   after the chord change, and followed by a chord tone one step away.
3. At a chord change the lowest note is the chord's bass.
4. The root and the third sound in every chord, because they define it. The fifth may be missing.
5. A chord without notes is played once as a block chord. Under N.C. the pitched groups are silent.

The rhythm stays that of the denoiser: notes change pitch, become shorter, or are added at existing onsets.
Drums, and time that the chart does not cover, stay as they are.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import pairwise

from appliance.music.beat_grid import one_at_a_time
from appliance.music.chord_chart import Chart
from appliance.music.chord_filling import EARLY_S, SoundingChord, defining_notes, sounding, tones_around
from appliance.music.score import DRUM_GROUP, Note, Score

PASSING_S = 0.3
"""Longest passing note: an eighth note at 100 bpm. Listeners hear longer ones as harmony."""

STEP_SEMITONES = 2
BAR_S = 2.0
"""Approximate length of a bar."""


def follow_chart(score: Score, chart: Chart) -> Score:
    """Correct the pitched notes of ``score`` so that they keep to ``chart``; the rules are above.

    Score and chart are in the same transposition.
    """
    chords = sounding(chart, score.duration_s)
    drums = [n for n in score.notes if n.group == DRUM_GROUP]
    notes = [n for n in score.notes if n.group != DRUM_GROUP]
    groups = score.only(*{n.group for n in notes}).groups()
    notes = [kept for note in notes if (kept := _end_before_foreign_chord(note, chords)) is not None]
    notes = _move_foreign(notes, chords)
    notes = _set_bass(notes, chords)
    notes = one_at_a_time(notes, score.duration_s)
    notes += defining_notes(notes, chords, groups)
    return Score.of([*one_at_a_time(notes, score.duration_s), *drums], score.duration_s)


def _chord_at(chords: Sequence[SoundingChord], time_s: float) -> SoundingChord | None:
    """The chord that a note starting at ``time_s`` belongs to."""
    for moment_s in (time_s + EARLY_S, time_s):
        k = bisect_right(chords, moment_s, key=lambda c: c.start_s) - 1
        if k >= 0 and moment_s < chords[k].end_s:
            return chords[k]
    return None


def _end_before_foreign_chord(note: Note, chords: Sequence[SoundingChord]) -> Note | None:
    """End ``note`` before the first later chord that it is foreign to; None if it starts under N.C."""
    own = _chord_at(chords, note.start_s)
    if own is not None and not own.tones:
        return None
    first = bisect_right(chords, note.start_s + EARLY_S, key=lambda c: c.start_s)
    for chord in chords[first:]:
        if chord.start_s >= note.end_s:
            break
        if note.pitch % 12 not in chord.tones:
            return replace(note, end_s=chord.start_s)
    return note


def _move_foreign(notes: list[Note], chords: Sequence[SoundingChord]) -> list[Note]:
    """Move each foreign note to the nearest chord tone that is free in its group; drop it if none is."""
    following = _next_pitches(notes)
    sounding: dict[tuple[str, int], float] = {}  # until when a pitch of a group sounds
    result = []
    for k, note in enumerate(notes):
        chord = _chord_at(chords, note.start_s)
        if chord is not None and _is_foreign(note, chord, following[k]):
            # The bass moves to the chord's bass: on the third or fifth it would change the inversion.
            tones = frozenset({chord.bass}) if note.group == "bass" else chord.tones
            free = [
                pitch
                for pitch in tones_around(note.pitch, tones)
                if sounding.get((note.group, pitch), 0.0) <= note.start_s
            ]
            if not free:
                continue
            note = replace(note, pitch=free[0])
        sounding[note.group, note.pitch] = max(sounding.get((note.group, note.pitch), 0.0), note.end_s)
        result.append(note)
    return [kept for note in result if (kept := _end_before_foreign_chord(note, chords)) is not None]


def _next_pitches(notes: Sequence[Note]) -> list[list[int]]:
    """For each note, the pitches at the next onset of its group."""
    result: list[list[int]] = [[] for _ in notes]
    for group in {n.group for n in notes}:
        own = [k for k, n in enumerate(notes) if n.group == group]
        onsets = sorted({notes[k].start_s for k in own})
        after = dict(pairwise(onsets))
        by_onset: dict[float, list[int]] = {}
        for k in own:
            by_onset.setdefault(notes[k].start_s, []).append(notes[k].pitch)
        for k in own:
            result[k] = by_onset.get(after.get(notes[k].start_s, -1.0), [])
    return result


def _is_foreign(note: Note, chord: SoundingChord, following: Iterable[int]) -> bool:
    """Whether a note is neither a chord tone nor a passing note; ``following`` are the next pitches."""
    if note.pitch % 12 in chord.tones:
        return False
    off = note.start_s - chord.start_s > EARLY_S
    short = note.end_s - note.start_s <= PASSING_S
    steps = (0 < abs(p - note.pitch) <= STEP_SEMITONES and p % 12 in chord.tones for p in following)
    return not (off and short and any(steps))


def _set_bass(notes: list[Note], chords: Sequence[SoundingChord]) -> list[Note]:
    """Give the lowest starting note the chord's bass, at each change and after each bar of a long chord."""
    notes = list(notes)
    has_bass = any(n.group == "bass" for n in notes)
    for chord in (part for whole in chords for part in _bars_of(whole)):
        if not chord.tones:
            continue
        # A bass line may enter late. Without a bass group, the lowest note of the chord must be its bass.
        reach = 0.5 * (chord.end_s - chord.start_s) if has_bass else 1.5 * EARLY_S
        starting = [
            k
            for k, n in enumerate(notes)
            if -EARLY_S <= n.start_s - chord.start_s < reach and (n.group == "bass" or not has_bass)
        ]
        if not starting:
            continue
        k = min(starting, key=lambda k: (notes[k].start_s if has_bass else 0.0, notes[k].pitch))
        pitch = tones_around(notes[k].pitch, frozenset({chord.bass}))[0]
        lowest = [n.pitch for n in notes if n.start_s <= chord.start_s + EARLY_S < n.end_s and n != notes[k]]
        if pitch - 12 >= 28 and any(p < pitch for p in lowest):
            pitch -= 12  # below all notes that still sound
        notes[k] = replace(notes[k], pitch=pitch)
    return sorted(notes)


def _bars_of(chord: SoundingChord) -> list[SoundingChord]:
    """Divide a chord into parts of about a bar: a bass line returns to its note that often."""
    count = max(1, round((chord.end_s - chord.start_s) / BAR_S))
    length_s = (chord.end_s - chord.start_s) / count
    starts = [chord.start_s + k * length_s for k in range(count)]
    return [replace(chord, start_s=start, end_s=start + length_s) for start in starts]
