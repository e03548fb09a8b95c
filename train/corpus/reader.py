"""Reads the song of a ledger row: all parts on one bar grid, repeats expanded, times in seconds."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from appliance.music.keys import Key
from appliance.music.score import LOWEST_PITCH, PITCHES, Note
from train.corpus.ledger import LedgerRow, verified_bytes
from train.corpus.musicxml import Measure, WrittenNote, read_parts
from train.corpus.repeats import gather_marks, playing_order
from train.corpus.song import Song, SungNote

DEFAULT_BPM = 90.0
"""Tempo of scores without one (9 % of the Lieder)."""


def read_song(corpus: Path, row: LedgerRow) -> Song:
    """The song of a ledger row.

    Raises:
        LedgerError: the licence is not allowed, or the file is missing or altered.
        ValueError: the file is not a score, or has no sung notes.
    """
    parts = read_parts(verified_bytes(corpus, row))
    sung_part, sung_voice = row.part_and_voice
    lengths = [_bar_length(bar) for bar in _columns(list(parts.values()))]
    order = playing_order(gather_marks(list(parts.values())))
    starts = [0.0]
    for bar, _ in order:
        starts.append(starts[-1] + lengths[bar])
    clock = _Clock(_tempo_map(list(parts.values()), order, starts, lengths))

    voice: list[SungNote] = []
    written: list[Note] = []
    for part_id, part in parts.items():
        is_sung = part_id == sung_part
        for note in _played(part, order, starts):
            start_s, end_s = clock.seconds(note.start), clock.seconds(note.end)
            if is_sung and sung_voice in (None, note.voice):
                voice.append(SungNote(start_s, end_s, note.pitch, *note.lyric))
            elif LOWEST_PITCH <= note.pitch < LOWEST_PITCH + PITCHES:
                written.append(Note(start_s, end_s, note.pitch, 80, "keys"))
    if not voice:
        raise ValueError(
            f"{row.file}: part {row.voice_part} has no notes; correct its voice_part in the ledger"
        )
    leader = next(iter(parts.values()))
    meters = tuple(leader[min(bar, len(leader) - 1)].time for bar, _ in order)
    beats, downbeats = _beats(starts, meters)
    return Song(
        id=row.id,
        title=row.title,
        split=row.split,
        language=row.language,
        duration_s=clock.seconds(starts[-1]),
        voice=_one_at_a_time(voice),
        written=_without_doubles(written),
        beats_s=tuple(clock.seconds(b) for b in beats),
        downbeats=tuple(downbeats),
        bars_s=tuple(clock.seconds(b) for b in starts),
        meters=meters,
        key=_key(list(parts.values()), written),
        tempo=tuple((clock.seconds(q), bpm) for q, bpm in clock.tempo),
        sha256=row.sha256,
    )


@dataclass(slots=True)
class _PlayedNote:
    """A note after expanding repeats and joining ties, in quarters from the song's start."""

    start: float
    end: float
    pitch: int
    voice: str
    lyric: tuple[str, str]


class _Clock:
    """Converts quarters to seconds along a tempo map of (quarters, bpm)."""

    def __init__(self, tempo: list[tuple[float, float]]) -> None:
        self.tempo = tempo
        self._from = [q for q, _ in tempo]
        self._at = [0.0]
        for (q, bpm), (following, _) in pairwise(tempo):
            self._at.append(self._at[-1] + (following - q) * 60.0 / bpm)

    def seconds(self, quarters: float) -> float:
        k = max(0, bisect_right(self._from, quarters + 1e-9) - 1)
        return self._at[k] + (quarters - self._from[k]) * 60.0 / self.tempo[k][1]


def _columns(parts: Sequence[Sequence[Measure]]) -> Iterator[list[Measure]]:
    for bar in range(max(map(len, parts))):
        yield [part[bar] for part in parts if bar < len(part)]


def _bar_length(column: Sequence[Measure]) -> float:
    filled = max(m.filled for m in column)
    resting = max(m.rest_bar for m in column)
    beats, unit = column[0].time
    return filled or resting or 4.0 * beats / unit


def _tempo_map(
    parts: Sequence[Sequence[Measure]],
    order: Sequence[tuple[int, int]],
    starts: Sequence[float],
    lengths: Sequence[float],
) -> list[tuple[float, float]]:
    marks: dict[float, float] = {}
    for (bar, _), start in zip(order, starts, strict=False):
        for part in parts:
            if bar < len(part):
                for offset, bpm in part[bar].tempo:
                    marks.setdefault(start + min(offset, lengths[bar]), bpm)
    tempo = sorted(marks.items())
    first = tempo[0][1] if tempo else DEFAULT_BPM
    return [(0.0, first), *((q, bpm) for q, bpm in tempo if q > 1e-6)]


def _played(
    part: Sequence[Measure], order: Sequence[tuple[int, int]], starts: Sequence[float]
) -> list[_PlayedNote]:
    played: list[_PlayedNote] = []
    held: dict[tuple[int, str], _PlayedNote] = {}
    for (bar, turn), start in zip(order, starts, strict=False):
        if bar >= len(part):
            continue
        for note in sorted(part[bar].notes, key=lambda n: n.onset):
            at = (note.pitch, note.voice)
            end = start + note.onset + note.length
            before = held.pop(at, None)
            if note.tied_from and before is None:
                before = _held_elsewhere(held, note.pitch, start + note.onset)
            if note.tied_from and before is not None:
                before.end = end
            else:
                before = _PlayedNote(start + note.onset, end, note.pitch, note.voice, _lyric(note, turn))
                played.append(before)
            if note.ties_on:
                held[at] = before
    return played


def _held_elsewhere(
    held: dict[tuple[int, str], _PlayedNote], pitch: int, time: float
) -> _PlayedNote | None:
    """The held note of ``pitch`` that ends at ``time`` in another voice, taken out of ``held``.

    A tie may lead from one voice to another (3 % of the ties of the Lieder do).
    """
    for at, note in held.items():
        if at[0] == pitch and abs(note.end - time) < 1e-6:
            return held.pop(at)
    return None


def _lyric(note: WrittenNote, turn: int) -> tuple[str, str]:
    lyrics = note.lyrics
    return lyrics.get(turn) or lyrics.get(1) or next(iter(lyrics.values()), ("", ""))


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


def _key(parts: Sequence[Sequence[Measure]], written: Sequence[Note]) -> Key:
    """The key of the first signature. Without a stated mode, a final bass note on its minor tonic means
    minor."""
    signatures = ((m.fifths, m.mode) for part in parts for m in part[:2] if m.fifths is not None)
    fifths, mode = next(signatures, (0, ""))
    major = (7 * fifths) % 12
    minor = (major + 9) % 12
    if mode in ("major", "minor"):
        return Key(major if mode == "major" else minor, mode)
    end = max((n.end_s for n in written), default=0.0)
    bass = min((n for n in written if n.end_s > end - 0.5), key=lambda n: n.pitch, default=None)
    return Key(minor, "minor") if bass is not None and bass.pitch % 12 == minor else Key(major, "major")
