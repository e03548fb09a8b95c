"""Reads a MIDI file as tracks of notes; times in quarter notes from the start."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass, field
from math import ceil

import mido

DRUM_CHANNEL = 9
"""Channel 10 of General MIDI, counted from 0."""


@dataclass(frozen=True, order=True, slots=True)
class MidiNote:
    """A note; ``start`` and ``end`` in quarters, ``program`` the General MIDI instrument, 0-127."""

    start: float
    end: float
    pitch: int
    velocity: int
    channel: int
    program: int


@dataclass(slots=True)
class MidiTrack:
    """A track with its notes in order of time and its lyric events (quarters, text)."""

    name: str = ""
    notes: list[MidiNote] = field(default_factory=list)
    lyrics: list[tuple[float, str]] = field(default_factory=list)


@dataclass(slots=True)
class MidiSong:
    """The tracks of a file, and its marks: (quarters, value) in order of time.

    ``tempo`` is in quarters a minute; ``meters`` are time signatures; ``keys`` are names such as ``"F#m"``.
    """

    tracks: list[MidiTrack] = field(default_factory=list)
    tempo: list[tuple[float, float]] = field(default_factory=list)
    meters: list[tuple[float, tuple[int, int]]] = field(default_factory=list)
    keys: list[tuple[float, str]] = field(default_factory=list)

    @property
    def end(self) -> float:
        """The end of the last note in quarters; 0 without notes."""
        return max((note.end for track in self.tracks for note in track.notes), default=0.0)


def read_midi(data: bytes) -> MidiSong:
    """The song in the bytes of a MIDI file.

    A note that is struck again before its end ends there; one that is never released ends with its track.

    Raises:
        ValueError: the bytes are not a MIDI file.
    """
    try:
        file = mido.MidiFile(file=io.BytesIO(data), clip=True)
    except (OSError, EOFError, KeyError, IndexError, ValueError) as error:
        raise ValueError(f"not a MIDI file ({error})") from error
    if file.ticks_per_beat <= 0:
        raise ValueError("not a MIDI file in bars and beats (it counts frames of video)")
    song = MidiSong()
    for events in file.tracks:
        track = _Track(float(file.ticks_per_beat))
        for event in events:
            track.now += event.time
            reader = _READERS.get(event.type)
            if reader is not None:
                reader(track, song, event)
        for key in list(track.open):
            track.release(*key)
        track.result.notes.sort()
        song.tracks.append(track.result)
    for marks in (song.tempo, song.meters, song.keys):
        marks.sort(key=lambda mark: mark[0])
    return song


class _Track:
    """A track while it is read; ``open`` holds (start in ticks, velocity) by (channel, pitch)."""

    def __init__(self, ticks: float) -> None:
        self.ticks = ticks
        self.now = 0
        self.result = MidiTrack()
        self.programs: dict[int, int] = {}
        self.open: dict[tuple[int, int], tuple[int, int]] = {}

    @property
    def quarters(self) -> float:
        return self.now / self.ticks

    def release(self, channel: int, pitch: int) -> None:
        started = self.open.pop((channel, pitch), None)
        if started is None or self.now <= started[0]:
            return
        program = self.programs.get(channel, 0)
        start = started[0] / self.ticks
        self.result.notes.append(MidiNote(start, self.quarters, pitch, started[1], channel, program))


def _note_on(track: _Track, song: MidiSong, event: mido.Message) -> None:
    track.release(event.channel, event.note)
    if event.velocity:
        track.open[event.channel, event.note] = (track.now, event.velocity)


def _note_off(track: _Track, song: MidiSong, event: mido.Message) -> None:
    track.release(event.channel, event.note)


def _program(track: _Track, song: MidiSong, event: mido.Message) -> None:
    track.programs[event.channel] = event.program


def _name(track: _Track, song: MidiSong, event: mido.Message) -> None:
    track.result.name = track.result.name or _utf8(event.name)


def _lyric(track: _Track, song: MidiSong, event: mido.Message) -> None:
    track.result.lyrics.append((track.quarters, _utf8(event.text)))


def _tempo(track: _Track, song: MidiSong, event: mido.Message) -> None:
    song.tempo.append((track.quarters, 60e6 / event.tempo))


def _meter(track: _Track, song: MidiSong, event: mido.Message) -> None:
    song.meters.append((track.quarters, (event.numerator, event.denominator)))


def _key(track: _Track, song: MidiSong, event: mido.Message) -> None:
    song.keys.append((track.quarters, event.key))


_READERS: dict[str, Callable[[_Track, MidiSong, mido.Message], None]] = {
    "note_on": _note_on,
    "note_off": _note_off,
    "program_change": _program,
    "track_name": _name,
    "lyrics": _lyric,
    "set_tempo": _tempo,
    "time_signature": _meter,
    "key_signature": _key,
}


def _utf8(text: str) -> str:
    """Text as its bytes say; mido reads every text as Latin-1, LilyPond writes UTF-8."""
    try:
        return text.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return text


def bars_of(song: MidiSong, pickup: float = 0.0) -> tuple[list[float], list[tuple[int, int]]]:
    """Bar starts in quarters with the end of the last bar, and the time signature of each bar.

    The first bar is ``pickup`` quarters long if that is positive. A new time signature begins a bar. The last
    bar ends with the beat on which the last note ends.
    """
    marks = song.meters or [(0.0, (4, 4))]
    end = song.end
    starts = [0.0]
    meters: list[tuple[int, int]] = []
    while starts[-1] < end - 1e-6 or len(starts) < 2:
        here = starts[-1]
        meter = next((m for at, m in reversed(marks) if at <= here + 1e-6), marks[0][1])
        length = 4.0 * meter[0] / meter[1]
        following = here + (pickup if pickup > 0 and not meters else length)
        change = next((at for at, _ in marks if here + 1e-6 < at < following - 1e-6), following)
        starts.append(change)
        meters.append(meter)
    beat = 4.0 / meters[-1][1]
    starts[-1] = min(starts[-1], starts[-2] + beat * max(1, ceil((end - starts[-2]) / beat - 1e-6)))
    return starts, meters
