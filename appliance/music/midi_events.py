"""Reads the bytes of a MIDI file: tracks of notes and marks, all times in ticks, exactly as in the file.

:mod:`appliance.music.midi_file` counts any file in quarters, :mod:`appliance.music.midi_reading` times the
file of a take in seconds.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass, field

import mido


@dataclass(frozen=True, order=True, slots=True)
class TickNote:
    """A note, ``start`` and ``end`` in ticks; it may have no length. ``program`` is the General MIDI
    instrument, 0-127."""

    start: int
    end: int
    pitch: int
    velocity: int
    channel: int
    program: int


@dataclass(slots=True)
class TickTrack:
    """A track with its notes, sorted, and its lyric events (tick, text)."""

    name: str = ""
    notes: list[TickNote] = field(default_factory=list)
    lyrics: list[tuple[int, str]] = field(default_factory=list)


@dataclass(slots=True)
class TickSong:
    """The tracks of a file, and its marks: (tick, value) in order of time.

    ``tempi`` are in microseconds a quarter; ``meters`` are time signatures; ``keys`` names such as ``"F#m"``.
    """

    ticks_a_quarter: int
    tracks: list[TickTrack] = field(default_factory=list)
    tempi: list[tuple[int, int]] = field(default_factory=list)
    meters: list[tuple[int, tuple[int, int]]] = field(default_factory=list)
    keys: list[tuple[int, str]] = field(default_factory=list)


def read_events(data: bytes) -> TickSong:
    """The song in the bytes of a MIDI file.

    A note that is struck again before its end ends there; one that is never released ends with its track.

    Raises:
        ValueError: the bytes are not a MIDI file, or one that counts frames of video.
    """
    try:
        file = mido.MidiFile(file=io.BytesIO(data), clip=True)
    except (OSError, EOFError, KeyError, IndexError, ValueError) as error:
        raise ValueError(f"not a MIDI file ({error})") from error
    if file.ticks_per_beat <= 0:
        raise ValueError("not a MIDI file in bars and beats (it counts frames of video)")
    song = TickSong(file.ticks_per_beat)
    for events in file.tracks:
        track = _Track()
        for event in events:
            track.now += event.time
            reader = _READERS.get(event.type)
            if reader is not None:
                reader(track, song, event)
        for key in list(track.open):
            track.release(*key)
        track.result.notes.sort()
        song.tracks.append(track.result)
    for marks in (song.tempi, song.meters, song.keys):
        marks.sort(key=lambda mark: mark[0])
    return song


class _Track:
    """A track while it is read; ``open`` holds (start, velocity) by (channel, pitch)."""

    def __init__(self) -> None:
        self.now = 0
        self.result = TickTrack()
        self.programs: dict[int, int] = {}
        self.open: dict[tuple[int, int], tuple[int, int]] = {}

    def release(self, channel: int, pitch: int) -> None:
        started = self.open.pop((channel, pitch), None)
        if started is not None:
            program = self.programs.get(channel, 0)
            self.result.notes.append(TickNote(started[0], self.now, pitch, started[1], channel, program))


def _note_on(track: _Track, song: TickSong, event: mido.Message) -> None:
    track.release(event.channel, event.note)
    if event.velocity:
        track.open[event.channel, event.note] = (track.now, event.velocity)


def _note_off(track: _Track, song: TickSong, event: mido.Message) -> None:
    track.release(event.channel, event.note)


def _program(track: _Track, song: TickSong, event: mido.Message) -> None:
    track.programs[event.channel] = event.program


def _name(track: _Track, song: TickSong, event: mido.Message) -> None:
    track.result.name = track.result.name or _utf8(event.name)


def _lyric(track: _Track, song: TickSong, event: mido.Message) -> None:
    track.result.lyrics.append((track.now, _utf8(event.text)))


def _tempo(track: _Track, song: TickSong, event: mido.Message) -> None:
    song.tempi.append((track.now, event.tempo))


def _meter(track: _Track, song: TickSong, event: mido.Message) -> None:
    song.meters.append((track.now, (event.numerator, event.denominator)))


def _key(track: _Track, song: TickSong, event: mido.Message) -> None:
    song.keys.append((track.now, event.key))


_READERS: dict[str, Callable[[_Track, TickSong, mido.Message], None]] = {
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
