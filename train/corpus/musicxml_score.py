"""Reads a MusicXML score as it is played: repeats expanded, ties joined, times in quarters."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from train.corpus.assembly import PlayedScore, TimedNote
from train.corpus.ledger import LedgerRow, verified_bytes
from train.corpus.musicxml import Measure, WrittenNote, read_parts
from train.corpus.repeats import gather_marks, playing_order


def read_musicxml(corpus: Path, row: LedgerRow) -> PlayedScore:
    """The score of an ``.mxl`` archive.

    Raises:
        LedgerError: the licence is not allowed, or the file is missing or altered.
        ValueError: the archive holds no score.
    """
    try:
        parts = read_parts(verified_bytes(corpus, row))
    except ValueError as error:
        raise ValueError(f"{row.file}: {error}; leave it out of the ledger") from error
    sung_part, sung_voice = row.part_and_voice
    every = list(parts.values())
    lengths = [_bar_length(bar) for bar in _columns(every)]
    order = playing_order(gather_marks(every))
    starts = [0.0]
    for bar, _ in order:
        starts.append(starts[-1] + lengths[bar])
    leader = every[0]
    fifths, mode = _signature(every)
    score = PlayedScore(
        bars=starts,
        meters=tuple(leader[min(bar, len(leader) - 1)].time for bar, _ in order),
        tempo=_tempo_marks(every, order, starts, lengths),
        fifths=fifths,
        mode=mode,
    )
    for part_id, part in parts.items():
        for note in _played(part, order, starts):
            is_sung = part_id == sung_part and sung_voice in (None, note.voice)
            timed = TimedNote(note.start, note.end, note.pitch, *(note.lyric if is_sung else ()))
            (score.voice if is_sung else score.written).append(timed)
    return score


@dataclass(slots=True)
class _PlayedNote:
    """A note after expanding repeats and joining ties, in quarters from the song's start."""

    start: float
    end: float
    pitch: int
    voice: str
    lyric: tuple[str, str]


def _columns(parts: Sequence[Sequence[Measure]]) -> Iterator[list[Measure]]:
    for bar in range(max(map(len, parts))):
        yield [part[bar] for part in parts if bar < len(part)]


def _bar_length(column: Sequence[Measure]) -> float:
    filled = max(m.filled for m in column)
    resting = max(m.rest_bar for m in column)
    beats, unit = column[0].time
    return filled or resting or 4.0 * beats / unit


def _tempo_marks(
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
    return sorted(marks.items())


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


def _held_elsewhere(held: dict[tuple[int, str], _PlayedNote], pitch: int, time: float) -> _PlayedNote | None:
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


def _signature(parts: Sequence[Sequence[Measure]]) -> tuple[int, str]:
    """Fifths and mode of the first key signature."""
    signatures = ((m.fifths, m.mode) for part in parts for m in part[:2] if m.fifths is not None)
    return next(signatures, (0, ""))
