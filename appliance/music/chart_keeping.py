"""The band keeps to a chord chart: what a session player does with a sheet that says otherwise.

The denoiser hears a chart as advice. Where a chart was *given* its notes are put right afterwards, in the
order in which a listener would notice:

1. nothing rings on into a chord that it does not belong to;
2. a note that is foreign to its chord moves to the nearest chord tone, unless it passes: short, off the
   change, and on its way by step to a chord tone;
3. at a change the bass has the chord's bass;
4. root and third sound in every chord, because they say which chord it is. The fifth may be left out;
5. a chord that nobody plays is played, once, plainly; and N.C. is tacet.

Rhythm stays the model's own: notes are moved in pitch and shortened, and added at onsets there are.
Drums are left alone, and so is time that the chart does not cover.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from appliance.music.beat_grid import one_at_a_time
from appliance.music.chord_chart import QUALITIES, Chart, parse_chord
from appliance.music.keys import LETTERS
from appliance.music.score import DRUM_GROUP, GROUPS, LOWEST_PITCH, PITCHES, Note, Score

EARLY_S = 0.08
"""A note this much before a change belongs to the new chord: it is played ahead, not left over."""

PASSING_S = 0.3
"""Longer foreign notes are heard as harmony: an eighth note at 100 bpm."""

STEP_SEMITONES = 2
LEAST_CHORD_S = 0.4
"""Shorter chords pass by; nothing is added to them."""

BAR_S = 2.0
"""About a bar."""

HEARD_SHARE = 0.5
"""Of a chord's time that its root and its third shall sound."""

USUAL_BASS, USUAL_MIDDLE, USUAL_VELOCITY = 43, 62, 64
"""G2, D4 and a medium touch: where nothing in the song says better."""


@dataclass(frozen=True, slots=True)
class _Chord:
    """A chord of the chart as pitch classes; no ``tones`` for N.C."""

    start_s: float
    end_s: float
    tones: frozenset[int]
    bass: int
    needed: tuple[int, ...]
    """Root and third (of a suspended chord what stands for it), root first."""


def follow_chart(score: Score, chart: Chart) -> Score:
    """``score`` with its pitched notes put right by ``chart``, in the same key; see the module."""
    chords = [_chord(span.start_s, min(span.end_s, score.duration_s), span.label) for span in chart]
    drums = [n for n in score.notes if n.group == DRUM_GROUP]
    notes = [n for n in score.notes if n.group != DRUM_GROUP]
    groups = score.only(*{n.group for n in notes}).groups()
    notes = [kept for note in notes if (kept := _ended(note, chords)) is not None]
    notes = _led(notes, chords)
    notes = _based(notes, chords)
    notes = one_at_a_time(notes, score.duration_s)
    notes += _missing(notes, chords, groups)
    return Score.of([*one_at_a_time(notes, score.duration_s), *drums], score.duration_s)


def _chord(start_s: float, end_s: float, label: str) -> _Chord:
    chord = parse_chord(label)
    if chord is None:
        return _Chord(start_s, end_s, frozenset(), 0, ())
    root = (LETTERS[chord.root[0]] + chord.root.count("#") - chord.root.count("b")) % 12
    steps = QUALITIES[chord.quality]
    third = next((s for s in (4, 3) if s in steps), steps[1])
    return _Chord(start_s, end_s, chord.pitch_classes, chord.bass_pitch_class, (root, (root + third) % 12))


def _at(chords: Sequence[_Chord], time_s: float) -> _Chord | None:
    """The chord that a note starting at ``time_s`` belongs to."""
    for moment_s in (time_s + EARLY_S, time_s):
        k = bisect_right(chords, moment_s, key=lambda c: c.start_s) - 1
        if k >= 0 and moment_s < chords[k].end_s:
            return chords[k]
    return None


def _ended(note: Note, chords: Sequence[_Chord]) -> Note | None:
    """``note`` until the first change to a chord that it is foreign to; None for one inside N.C."""
    own = _at(chords, note.start_s)
    if own is not None and not own.tones:
        return None
    first = bisect_right(chords, note.start_s + EARLY_S, key=lambda c: c.start_s)
    for chord in chords[first:]:
        if chord.start_s >= note.end_s:
            break
        if note.pitch % 12 not in chord.tones:
            return replace(note, end_s=chord.start_s)
    return note


def _led(notes: list[Note], chords: Sequence[_Chord]) -> list[Note]:
    """Foreign notes led to the nearest chord tone that is free in their group, or left out."""
    following = _following(notes)
    sounding: dict[tuple[str, int], float] = {}  # until when a key of a group is held
    result = []
    for k, note in enumerate(notes):
        chord = _at(chords, note.start_s)
        if chord is not None and _foreign(note, chord, following[k]):
            # A bass that has to move goes home: on a fifth or third it would make another chord of it.
            tones = frozenset({chord.bass}) if note.group == "bass" else chord.tones
            free = [
                pitch
                for pitch in _tones_around(note.pitch, tones)
                if sounding.get((note.group, pitch), 0.0) <= note.start_s
            ]
            if not free:
                continue
            note = replace(note, pitch=free[0])
        sounding[note.group, note.pitch] = max(sounding.get((note.group, note.pitch), 0.0), note.end_s)
        result.append(note)
    return [kept for note in result if (kept := _ended(note, chords)) is not None]


def _following(notes: Sequence[Note]) -> list[list[int]]:
    """For each note the pitches of its group's next onset."""
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


def _foreign(note: Note, chord: _Chord, following: Iterable[int]) -> bool:
    """Whether a note is no chord tone and does not pass either: short, off the change, on by step."""
    if note.pitch % 12 in chord.tones:
        return False
    off = note.start_s - chord.start_s > EARLY_S
    short = note.end_s - note.start_s <= PASSING_S
    steps = (0 < abs(p - note.pitch) <= STEP_SEMITONES and p % 12 in chord.tones for p in following)
    return not (off and short and any(steps))


def _tones_around(pitch: int, tones: frozenset[int]) -> list[int]:
    """Chord tones in the octave around ``pitch``, nearest first, of two the lower; inside the compass."""
    lowest = min(max(LOWEST_PITCH, pitch - 6), LOWEST_PITCH + PITCHES - 13)
    near = range(lowest, lowest + 13)
    return sorted((p for p in near if p % 12 in tones), key=lambda p: (abs(p - pitch), p))


def _based(notes: list[Note], chords: Sequence[_Chord]) -> list[Note]:
    """At every change, and again in long chords, the lowest note that starts has the chord's bass."""
    notes = list(notes)
    has_bass = any(n.group == "bass" for n in notes)
    for chord in (part for whole in chords for part in _parts(whole)):
        if not chord.tones:
            continue
        # A bass line may come in late; a chord that is struck without its bass is another chord.
        reach = 0.5 * (chord.end_s - chord.start_s) if has_bass else 1.5 * EARLY_S
        starting = [
            k
            for k, n in enumerate(notes)
            if -EARLY_S <= n.start_s - chord.start_s < reach and (n.group == "bass" or not has_bass)
        ]
        if not starting:
            continue
        k = min(starting, key=lambda k: (notes[k].start_s if has_bass else 0.0, notes[k].pitch))
        pitch = _tones_around(notes[k].pitch, frozenset({chord.bass}))[0]
        lowest = [n.pitch for n in notes if n.start_s <= chord.start_s + EARLY_S < n.end_s and n != notes[k]]
        if pitch - 12 >= 28 and any(p < pitch for p in lowest):
            pitch -= 12  # below what is held, or it would not be the bass
        notes[k] = replace(notes[k], pitch=pitch)
    return sorted(notes)


def _parts(chord: _Chord) -> list[_Chord]:
    """A chord in parts of about a bar: after that long a bass comes back to its note."""
    count = max(1, round((chord.end_s - chord.start_s) / BAR_S))
    length_s = (chord.end_s - chord.start_s) / count
    starts = [chord.start_s + k * length_s for k in range(count)]
    return [replace(chord, start_s=start, end_s=start + length_s) for start in starts]


def _missing(notes: Sequence[Note], chords: Sequence[_Chord], groups: Sequence[str]) -> list[Note]:
    """Notes to add: roots and thirds that do not sound, and chords that nobody plays."""
    if not groups:
        return []
    group = next(g for g in GROUPS if g in groups)
    upper = sorted(n.pitch for n in notes if n.group == group)
    middle = min(max(upper[len(upper) // 2], 55), 72) if upper else USUAL_MIDDLE
    low = sorted(n.pitch for n in notes if n.group == "bass")
    velocities = sorted(n.velocity for n in notes)
    velocity = velocities[len(velocities) // 2] if velocities else USUAL_VELOCITY
    added: list[Note] = []
    for chord in chords:
        length_s = chord.end_s - chord.start_s
        if not chord.tones or length_s < LEAST_CHORD_S:
            continue
        inside = [n for n in notes if n.start_s < chord.end_s and n.end_s > chord.start_s]
        if not inside:
            added += _plain(chord, group, "bass" if low else group, middle, velocity)
            continue
        onsets = _onsets(inside, chord, group)
        for pitch_class in chord.needed:
            pitch = _tones_around(middle, frozenset({pitch_class}))[0]
            added += _covered(inside, chord, pitch_class, pitch, group, onsets)
    return added


def _onsets(inside: Sequence[Note], chord: _Chord, group: str) -> dict[float, tuple[float, int]]:
    """Start of each stroke of a group in the chord -> its end and touch; the chord's start if none."""
    strokes: dict[float, tuple[float, int]] = {}
    for note in inside:
        if note.group == group and note.start_s >= chord.start_s - EARLY_S:
            end_s, velocity = strokes.get(note.start_s, (0.0, 0))
            longest = min(max(end_s, note.end_s), chord.end_s)
            strokes[note.start_s] = longest, max(velocity, note.velocity)
    if not strokes:
        velocity = max(note.velocity for note in inside)
        strokes[chord.start_s] = chord.end_s, velocity
    return dict(sorted(strokes.items()))


def _covered(
    inside: Sequence[Note],
    chord: _Chord,
    pitch_class: int,
    pitch: int,
    group: str,
    strokes: dict[float, tuple[float, int]],
) -> list[Note]:
    """Notes that join the strokes until ``pitch_class`` sounds for its share of the chord."""
    own = [(n.start_s, n.end_s) for n in inside if n.pitch % 12 == pitch_class]
    wanted_s = HEARD_SHARE * (chord.end_s - chord.start_s)
    sounds_s = _length(own, chord)
    added: list[Note] = []
    for start_s, (end_s, velocity) in strokes.items():
        if sounds_s >= wanted_s:
            break
        if any(a <= start_s + EARLY_S < b for a, b in own) or end_s - start_s < EARLY_S:
            continue
        added.append(Note(start_s, end_s, pitch, velocity, group))
        own.append((start_s, end_s))
        sounds_s = _length(own, chord)
    return added


def _length(spans: Iterable[tuple[float, float]], chord: _Chord) -> float:
    """Seconds of the chord that ``spans`` cover together."""
    total, until = 0.0, chord.start_s
    for start_s, end_s in sorted(spans):
        start_s, end_s = max(start_s, until), min(end_s, chord.end_s)
        total += max(0.0, end_s - start_s)
        until = max(until, end_s)
    return total


def _plain(chord: _Chord, group: str, bass_group: str, middle: int, velocity: int) -> list[Note]:
    """The chord held once: its bass below, its tones around the middle."""
    low = _tones_around(USUAL_BASS, frozenset({chord.bass}))[0]
    high = [_tones_around(middle, frozenset({tone}))[0] for tone in sorted(chord.tones)]
    notes = [Note(chord.start_s, chord.end_s, low, velocity, bass_group)]
    return notes + [Note(chord.start_s, chord.end_s, p, velocity, group) for p in high if p > low]
