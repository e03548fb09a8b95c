"""Makes a song of a score in quarter notes: clock, beats, key, one line for the voice.

Readers of all formats end here, so that beats, overlaps and keys are treated alike.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from appliance.music.keys import Key
from appliance.music.score import LOWEST_PITCH, PITCHES, Note
from train.corpus.chord_symbols import SongChord, WrittenChord
from train.corpus.ledger import LedgerRow
from train.corpus.song import Song, SungNote

DEFAULT_BPM = 90.0
"""Tempo of scores without one (9 % of the Lieder)."""

VELOCITY = 80
"""Velocity of every written note: scores are read without dynamics."""


@dataclass(frozen=True, slots=True)
class TimedNote:
    """A note of a score with repeats expanded and ties joined; ``start`` and ``end`` in quarters.

    ``syllable`` and ``syllabic`` are as in :class:`train.corpus.song.SungNote`.
    """

    start: float
    end: float
    pitch: int
    syllable: str = ""
    syllabic: str = ""


@dataclass(frozen=True, slots=True)
class TimedChord:
    """A written chord symbol from ``start`` on, in quarters; None is "no chord"."""

    start: float
    chord: WrittenChord | None


@dataclass(slots=True)
class PlayedScore:
    """A score as it is played, in quarters from its start.

    ``bars`` are the starts of all bars and, last, the end of the last one; ``meters`` has one time signature
    a bar. ``tempo`` holds (quarters, quarters a minute); empty: :data:`DEFAULT_BPM`. ``fifths`` and ``mode``
    are of the first key signature; an empty mode is found from the last bass note.
    """

    bars: Sequence[float]
    meters: Sequence[tuple[int, int]]
    voice: list[TimedNote] = field(default_factory=list)
    written: list[TimedNote] = field(default_factory=list)
    tempo: Sequence[tuple[float, float]] = ()
    fifths: int = 0
    mode: str = ""
    chords: Sequence[TimedChord] = ()
    other_chords: Sequence[TimedChord] = ()
    swung: bool = False


def song_of(row: LedgerRow, score: PlayedScore) -> Song:
    """The song of a ledger row, from its score.

    Raises:
        ValueError: the score has no sung notes.
    """
    if not score.voice:
        raise ValueError(
            f"{row.file}: part {row.voice_part} has no notes; correct its voice_part in the ledger"
        )
    clock = Clock(score.tempo)
    voice = [
        SungNote(clock.seconds(n.start), clock.seconds(n.end), n.pitch, n.syllable, n.syllabic)
        for n in score.voice
    ]
    written = [
        Note(clock.seconds(n.start), clock.seconds(n.end), n.pitch, VELOCITY, "keys")
        for n in score.written
        if LOWEST_PITCH <= n.pitch < LOWEST_PITCH + PITCHES
    ]
    beats, downbeats = _beats(score.bars, score.meters)
    return Song(
        id=row.id,
        title=row.title,
        split=row.split,
        language=row.language,
        duration_s=clock.seconds(score.bars[-1]),
        voice=_one_at_a_time(voice),
        written=_without_doubles(written),
        beats_s=tuple(clock.seconds(b) for b in beats),
        downbeats=tuple(downbeats),
        bars_s=tuple(clock.seconds(b) for b in score.bars),
        meters=tuple(score.meters),
        key=_key(score, written or [Note(n.start_s, n.end_s, n.pitch, VELOCITY, "keys") for n in voice]),
        tempo=tuple((clock.seconds(q), bpm) for q, bpm in clock.tempo),
        sha256=row.sha256,
        role=row.role,
        chords=_on_beats(score.chords, beats),
        other_chords=_on_beats(score.other_chords, beats),
        swung=score.swung,
    )


class Clock:
    """Converts quarters to seconds along a tempo map of (quarters, bpm)."""

    def __init__(self, marks: Iterable[tuple[float, float]]) -> None:
        tempo = sorted(marks)
        first = tempo[0][1] if tempo else DEFAULT_BPM
        self.tempo = [(0.0, first), *((q, bpm) for q, bpm in tempo if q > 1e-6)]
        self._from = [q for q, _ in self.tempo]
        self._at = [0.0]
        for (q, bpm), (following, _) in pairwise(self.tempo):
            self._at.append(self._at[-1] + (following - q) * 60.0 / bpm)

    def seconds(self, quarters: float) -> float:
        k = max(0, bisect_right(self._from, quarters + 1e-9) - 1)
        return self._at[k] + (quarters - self._from[k]) * 60.0 / self.tempo[k][1]


def _one_at_a_time(voice: list[SungNote]) -> tuple[SungNote, ...]:
    """Make a monophonic line: of simultaneous notes keep the highest, and end each note at the next."""
    highest: dict[float, SungNote] = {}
    for note in sorted(voice, key=lambda n: (n.start_s, n.pitch)):
        highest[round(note.start_s, 4)] = note
    line = sorted(highest.values(), key=lambda n: n.start_s)
    ends = [*(n.start_s for n in line[1:]), float("inf")]
    return tuple(
        SungNote(n.start_s, min(n.end_s, end), n.pitch, n.syllable, n.syllabic)
        for n, end in zip(line, ends, strict=True)
        if min(n.end_s, end) - n.start_s > 0.01
    )


def _without_doubles(notes: list[Note]) -> tuple[Note, ...]:
    """Remove overlaps of notes of the same pitch, which two voices may share."""
    last: dict[int, int] = {}
    line: list[Note] = []
    for note in sorted(notes):
        index = last.get(note.pitch)
        if index is not None and line[index].end_s > note.start_s + 1e-6:
            before = line[index]
            if note.start_s - before.start_s < 0.02:
                longer = max(before.end_s, note.end_s)
                line[index] = Note(before.start_s, longer, note.pitch, note.velocity, note.group)
                continue
            line[index] = Note(before.start_s, note.start_s, note.pitch, before.velocity, note.group)
        last[note.pitch] = len(line)
        line.append(note)
    return tuple(n for n in line if n.end_s - n.start_s > 0.005)


def beat_quarters(time: tuple[int, int]) -> float:
    """Length of one beat in quarters; in compound time (6/8, 9/8, 12/8) a beat is a dotted note."""
    beats, unit = time
    compound = unit >= 8 and beats % 3 == 0 and beats > 3
    return (3 if compound else 1) * 4.0 / unit


def _beats(starts: Sequence[float], meters: Sequence[tuple[int, int]]) -> tuple[list[float], list[int]]:
    """Beats in quarters, and the indices of downbeats.

    A short first bar is a pickup without a downbeat. A short bar that completes the short bar before it (a
    repeat in mid-bar) continues that bar.
    """
    beats: list[float] = []
    downbeats: list[int] = []
    missing = 0.0
    for bar, (start, end, time) in enumerate(zip(starts, starts[1:], meters, strict=False)):
        whole, step = 4.0 * time[0] / time[1], beat_quarters(time)
        length = end - start
        short = length < whole - 1e-6
        continues = bar > 0 and missing > 1e-6 and abs(length - missing) < 1e-6
        pickup = bar == 0 and short
        first = start + (length % step if pickup or continues else 0.0)
        if not pickup and not continues:
            downbeats.append(len(beats))
        missing = 0.0 if continues or pickup or not short else whole - length
        k = 0
        while first + k * step < end - 1e-6:
            beats.append(first + k * step)
            k += 1
    return beats, downbeats


def _on_beats(chords: Iterable[TimedChord], beats: Sequence[float]) -> tuple[SongChord, ...]:
    """Chords with their place counted in beats, from ``beats`` in quarters."""
    placed = []
    for timed in sorted(chords, key=lambda c: c.start):
        k = min(max(bisect_right(beats, timed.start + 1e-6) - 1, 0), max(len(beats) - 2, 0))
        step = beats[k + 1] - beats[k] if len(beats) > 1 else 1.0
        placed.append(SongChord(round(k + (timed.start - beats[k]) / step, 6), timed.chord))
    return tuple(placed)


def _key(score: PlayedScore, notes: Sequence[Note]) -> Key:
    """The key of the first signature. Without a stated mode, a final bass note on its minor tonic means
    minor."""
    major = (7 * score.fifths) % 12
    minor = (major + 9) % 12
    if score.mode in ("major", "minor"):
        return Key(major if score.mode == "major" else minor, score.mode)
    end = max((n.end_s for n in notes), default=0.0)
    bass = min((n for n in notes if n.end_s > end - 0.5), key=lambda n: n.pitch, default=None)
    return Key(minor, "minor") if bass is not None and bass.pitch % 12 == minor else Key(major, "major")
