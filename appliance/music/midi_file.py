"""Reads any MIDI file as tracks of notes; times in quarter notes from the start."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import ceil

from appliance.music.midi_events import TickTrack, read_events

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
    Notes without length are left out: they are slips of editors.

    Raises:
        ValueError: the bytes are not a MIDI file.
    """
    found = read_events(data)
    ticks = float(found.ticks_a_quarter)

    def track(own: TickTrack) -> MidiTrack:
        notes = [
            MidiNote(n.start / ticks, n.end / ticks, n.pitch, n.velocity, n.channel, n.program)
            for n in own.notes
            if n.end > n.start
        ]
        return MidiTrack(own.name, notes, [(tick / ticks, text) for tick, text in own.lyrics])

    return MidiSong(
        [track(own) for own in found.tracks],
        [(tick / ticks, 60e6 / tempo) for tick, tempo in found.tempi if tempo > 0],
        [(tick / ticks, meter) for tick, meter in found.meters],
        [(tick / ticks, key) for tick, key in found.keys],
    )


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
