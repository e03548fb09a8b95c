"""Cuts a song to the excerpt that is judged, to save computing time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import soundfile

from appliance.errors import InputError
from appliance.music.score import Note, Score
from train.corpus.timeline import Sounding

LENGTH_S = 60.0
LEAD_IN_S = 5.0
"""An excerpt starts at the last bar line that is at least this long before the first sung note."""


@dataclass(frozen=True, order=True, slots=True)
class Sung:
    """A sung note with its MIDI pitch."""

    start_s: float
    end_s: float
    pitch: int


@dataclass(frozen=True, slots=True)
class Piece:
    """A vocal file with its sung and written notes; times are in seconds from the file's start.

    ``bars_s`` are the starts of the bars and the end of the last one; the first may be negative.
    """

    id: str
    vocal: Path
    duration_s: float
    sung: tuple[Sung, ...]
    written: Score
    bars_s: tuple[float, ...]


class SongLike(Protocol):
    """The attributes of a corpus song that are needed here."""

    @property
    def id(self) -> str: ...
    @property
    def duration_s(self) -> float: ...
    @property
    def voice(self) -> Sequence[Sounding]: ...
    @property
    def written(self) -> Sequence[Note]: ...
    @property
    def bars_s(self) -> Sequence[float]: ...


def excerpt_span(song: SongLike, length_s: float = LENGTH_S) -> tuple[float, float]:
    """Start and end of the excerpt in seconds: ``length_s`` from a bar line before the first sung note.

    Raises:
        InputError: the song has no sung notes.
    """
    if not song.voice:
        raise InputError(f"{song.id} has no sung notes; remove it from the list.")
    earliest = max(0.0, min(note.start_s for note in song.voice) - LEAD_IN_S)
    start = max((bar for bar in song.bars_s if bar <= earliest), default=0.0)
    return start, min(song.duration_s, start + length_s)


def cut_piece(song: SongLike, vocal: Path, folder: Path, length_s: float = LENGTH_S) -> Piece:
    """The excerpt of a song as a :class:`Piece`; its vocal is written to ``folder/ID.wav`` (24 bit).

    ``vocal`` is a recording of the whole song; a shorter one shortens the excerpt. Notes are clipped to the
    excerpt.

    Raises:
        InputError: the song has no sung notes, or ``vocal`` ends before the excerpt.
    """
    start, end = excerpt_span(song, length_s)
    with soundfile.SoundFile(vocal) as source:
        end = min(end, source.frames / source.samplerate)
        if end - start < 1.0:
            raise InputError(f"{vocal}: ends before the excerpt of {song.id} begins; sing the whole song.")
        first = round(start * source.samplerate)
        source.seek(first)
        samples = source.read(round(end * source.samplerate) - first, dtype="float32")
        folder.mkdir(parents=True, exist_ok=True)
        piece_vocal = folder / f"{song.id}.wav"
        soundfile.write(piece_vocal, samples, source.samplerate, subtype="PCM_24")
    sung = tuple(Sung(*times, n.pitch) for n in song.voice if (times := _clipped(n, start, end)))
    written = (
        Note(*times, n.pitch, n.velocity, n.group) for n in song.written if (times := _clipped(n, start, end))
    )
    bars = tuple(bar - start for bar in song.bars_s)
    return Piece(song.id, piece_vocal, end - start, sung, Score.of(written, end - start), bars)


def _clipped(note: Sounding, start_s: float, end_s: float) -> tuple[float, float] | None:
    """Start and end of a note clipped to the excerpt, from the excerpt's start; None if nothing is left."""
    kept = max(note.start_s, start_s) - start_s, min(note.end_s, end_s) - start_s
    return kept if kept[1] > kept[0] else None
