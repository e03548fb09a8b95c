"""Reads a MIDI file of the appliance as notes in seconds."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import mido

_DRUM_CHANNEL = 9
_DEFAULT_TEMPO_US = 500_000


@dataclass(frozen=True, order=True, slots=True)
class MidiNote:
    """A note with times in seconds, MIDI pitch, velocity (1-127) and channel."""

    start_s: float
    end_s: float
    pitch: int
    velocity: int
    channel: int

    @property
    def drum(self) -> bool:
        """Whether the note is on the drum channel."""
        return self.channel == _DRUM_CHANNEL


def read_midi(path: Path) -> tuple[tuple[MidiNote, ...], float]:
    """The notes of a MIDI file in time order, and its length in seconds."""
    file = mido.MidiFile(path)
    now_s, tempo_us = 0.0, _DEFAULT_TEMPO_US
    sounding: dict[tuple[int, int], tuple[float, int]] = {}
    notes = []
    for message in mido.merge_tracks(file.tracks):
        now_s += mido.tick2second(message.time, file.ticks_per_beat, tempo_us)
        if message.type == "set_tempo":
            tempo_us = message.tempo
        elif message.type in ("note_on", "note_off"):
            key = (message.channel, message.note)
            if key in sounding:
                start_s, velocity = sounding.pop(key)
                notes.append(MidiNote(start_s, now_s, message.note, velocity, message.channel))
            if message.type == "note_on" and message.velocity > 0:
                sounding[key] = now_s, message.velocity
    return tuple(sorted(notes)), now_s
