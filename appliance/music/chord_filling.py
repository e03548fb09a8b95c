"""Adds notes until the chords of a chart are heard.

:func:`defining_notes` adds roots and thirds, which define a chord, and plays a chord without notes as a block
chord. :func:`sound_sevenths` adds the sevenths that a chart names, because without them its chords are heard
as triads. Notes are added at onsets of the band, so its rhythm stays.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from appliance.music.beat_grid import one_at_a_time
from appliance.music.chord_chart import Chart
from appliance.music.chord_names import parse_chord
from appliance.music.chord_quality import tones_of
from appliance.music.score import DRUM_GROUP, GROUPS, LOWEST_PITCH, PITCHES, Note, Score

EARLY_S = 0.08
"""A note that starts this little before a chord change belongs to the new chord: it anticipates it."""

LEAST_CHORD_S = 0.4
"""No notes are added to shorter chords."""

DEFINED_SHARE = 0.5
"""Share of a chord's time during which its root and its third must sound."""

SEVENTH_SHARE = 0.7
"""The same for its seventh: it must be more than a passing note."""

SEVENTHS = (10, 11)
"""Semitones of a minor and a major seventh."""

USUAL_BASS, USUAL_MIDDLE, USUAL_VELOCITY = 43, 62, 64
"""G2, D4 and a medium velocity, for songs whose own notes do not tell."""


@dataclass(frozen=True, slots=True)
class SoundingChord:
    """A chord of the chart as pitch classes; N.C. has no ``tones``."""

    start_s: float
    end_s: float
    tones: frozenset[int]
    bass: int
    defining: tuple[int, ...]
    """Root and third; in a suspended chord, the tone that replaces the third."""
    sevenths: tuple[int, ...] = ()
    """The seventh, if it has one."""


def sounding(chart: Chart, duration_s: float) -> list[SoundingChord]:
    """The chords of ``chart`` in a song of ``duration_s``."""
    return [_sounding(span.start_s, min(span.end_s, duration_s), span.label) for span in chart]


def _sounding(start_s: float, end_s: float, label: str) -> SoundingChord:
    chord = parse_chord(label)
    if chord is None:
        return SoundingChord(start_s, end_s, frozenset(), 0, ())
    root = chord.root_pitch_class
    tones = tones_of(chord.quality)
    defining = (root, (root + tones[1]) % 12)
    sevenths = tuple((root + tone) % 12 for tone in tones if tone in SEVENTHS)
    return SoundingChord(start_s, end_s, chord.pitch_classes, chord.bass_pitch_class, defining, sevenths)


def tones_around(pitch: int, tones: frozenset[int]) -> list[int]:
    """Chord tones within an octave around ``pitch``, nearest first (of two, the lower), MIDI 21-108."""
    lowest = min(max(LOWEST_PITCH, pitch - 6), LOWEST_PITCH + PITCHES - 13)
    near = range(lowest, lowest + 13)
    return sorted((p for p in near if p % 12 in tones), key=lambda p: (abs(p - pitch), p))


def sound_sevenths(score: Score, chart: Chart) -> Score:
    """``score`` with notes added until each seventh of ``chart`` sounds for :data:`SEVENTH_SHARE` of its
    chord.

    Score and chart are in the same transposition. A chord in which nothing sounds is left silent.
    """
    drums = [n for n in score.notes if n.group == DRUM_GROUP]
    notes = [n for n in score.notes if n.group != DRUM_GROUP]
    if not notes:
        return score
    group, middle = _upper_part(notes)
    added: list[Note] = []
    for chord, inside in _heard(notes, sounding(chart, score.duration_s)):
        if inside:
            added += _sounded(inside, chord, chord.sevenths, SEVENTH_SHARE, group, middle)
    if not added:
        return score
    return Score.of([*one_at_a_time([*notes, *added], score.duration_s), *drums], score.duration_s)


def defining_notes(
    notes: Sequence[Note], chords: Sequence[SoundingChord], groups: Sequence[str]
) -> list[Note]:
    """Notes to add: missing roots and thirds, and whole chords where no note sounds.

    ``groups`` are those that play in the song; they are known even if none of their ``notes`` is left.
    """
    if not groups:
        return []
    group, middle = _upper_part(notes, groups)
    bass_group = "bass" if any(n.group == "bass" for n in notes) else group
    velocities = sorted(n.velocity for n in notes)
    velocity = velocities[len(velocities) // 2] if velocities else USUAL_VELOCITY
    added: list[Note] = []
    for chord, inside in _heard(notes, chords):
        if inside:
            added += _sounded(inside, chord, chord.defining, DEFINED_SHARE, group, middle)
        else:
            added += _block_chord(chord, group, bass_group, middle, velocity)
    return added


def _upper_part(notes: Sequence[Note], groups: Sequence[str] = ()) -> tuple[str, int]:
    """The group that gets added notes, and the pitch around which they lie."""
    playing = {*groups, *(n.group for n in notes)}
    group = next(g for g in GROUPS if g in playing)
    upper = sorted(n.pitch for n in notes if n.group == group)
    return group, min(max(upper[len(upper) // 2], 55), 72) if upper else USUAL_MIDDLE


def _heard(
    notes: Sequence[Note], chords: Sequence[SoundingChord]
) -> Iterator[tuple[SoundingChord, list[Note]]]:
    """Each chord that is long enough to get notes, with the notes that sound in it."""
    for chord in chords:
        if chord.tones and chord.end_s - chord.start_s >= LEAST_CHORD_S:
            yield chord, [n for n in notes if n.start_s < chord.end_s and n.end_s > chord.start_s]


def _sounded(
    inside: Sequence[Note],
    chord: SoundingChord,
    tones: Sequence[int],
    share: float,
    group: str,
    middle: int,
) -> list[Note]:
    """Notes that make each of ``tones`` sound for ``share`` of the chord."""
    strokes = _onsets(inside, chord, group)
    added: list[Note] = []
    for tone in tones:
        pitch = tones_around(middle, frozenset({tone}))[0]
        added += _fill_in(inside, chord, pitch, share, group, strokes)
    return added


def _onsets(inside: Sequence[Note], chord: SoundingChord, group: str) -> dict[float, tuple[float, int]]:
    """Onsets of ``group`` in the chord: start -> (end, velocity); without any, the chord's own start."""
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


def _fill_in(
    inside: Sequence[Note],
    chord: SoundingChord,
    pitch: int,
    share: float,
    group: str,
    strokes: dict[float, tuple[float, int]],
) -> list[Note]:
    """Notes added at ``strokes`` until the tone of ``pitch`` sounds for ``share`` of the chord."""
    own = [(n.start_s, n.end_s) for n in inside if n.pitch % 12 == pitch % 12]
    wanted_s = share * (chord.end_s - chord.start_s)
    sounds_s = _covered_s(own, chord)
    added: list[Note] = []
    for start_s, (end_s, velocity) in strokes.items():
        if sounds_s >= wanted_s:
            break
        if any(a <= start_s + EARLY_S < b for a, b in own) or end_s - start_s < EARLY_S:
            continue
        added.append(Note(start_s, end_s, pitch, velocity, group))
        own.append((start_s, end_s))
        sounds_s = _covered_s(own, chord)
    return added


def _covered_s(spans: Iterable[tuple[float, float]], chord: SoundingChord) -> float:
    """Seconds of the chord that the union of ``spans`` covers."""
    total, until = 0.0, chord.start_s
    for start_s, end_s in sorted(spans):
        start_s, end_s = max(start_s, until), min(end_s, chord.end_s)
        total += max(0.0, end_s - start_s)
        until = max(until, end_s)
    return total


def _block_chord(chord: SoundingChord, group: str, bass_group: str, middle: int, velocity: int) -> list[Note]:
    """A block chord over the whole span: its bass, and its tones around ``middle``."""
    low = tones_around(USUAL_BASS, frozenset({chord.bass}))[0]
    high = [tones_around(middle, frozenset({tone}))[0] for tone in sorted(chord.tones)]
    notes = [Note(chord.start_s, chord.end_s, low, velocity, bass_group)]
    return notes + [Note(chord.start_s, chord.end_s, p, velocity, group) for p in high if p > low]
