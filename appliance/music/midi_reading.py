"""Reads a MIDI file that :mod:`appliance.music.midi` wrote: its tempo map and its notes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import mido

from appliance.errors import InputError
from appliance.music.midi import TICKS_PER_BEAT, TempoMap
from appliance.music.score import Note, Score


@dataclass(frozen=True, slots=True)
class TakeMidi:
    """The notes of a MIDI file, each at the time of its tick, and the tempo map by which they are timed."""

    score: Score
    tempo_map: TempoMap


def read_take_midi(path: Path, groups: Sequence[str], duration_s: float) -> TakeMidi:
    """Read the song in ``path``, whose tracks after the first are those of ``groups``, in this order.

    Raises:
        InputError: the file cannot be read, or was not written by Backline for these groups.
    """
    try:
        file = mido.MidiFile(path)
    except (OSError, EOFError, ValueError, KeyError, IndexError) as error:
        raise InputError(f"{path} cannot be read as a MIDI file ({error}).") from error
    tracks = file.tracks[1:]
    if file.ticks_per_beat != TICKS_PER_BEAT or len(tracks) != len(groups):
        raise InputError(f"{path} is not the MIDI file of this take; put the original back.")
    tempo_map = _tempo_map(file.tracks[0])
    notes = [
        note for track, group in zip(tracks, groups, strict=True) for note in _notes(track, group, tempo_map)
    ]
    return TakeMidi(Score.of(notes, duration_s), tempo_map)


def _tempo_map(conductor: mido.MidiTrack) -> TempoMap:
    tempi, meters, tick = [], [], 0
    for message in conductor:
        tick += message.time
        if message.type == "set_tempo":
            tempi.append((tick, message.tempo))
        elif message.type == "time_signature":
            meters.append((tick, message.numerator, message.denominator))
    return TempoMap(tuple(tempi), tuple(meters))


def _notes(track: mido.MidiTrack, group: str, tempo_map: TempoMap) -> list[Note]:
    struck: dict[int, tuple[int, int]] = {}
    found: list[tuple[int, int, int, int]] = []
    tick = 0
    for message in track:
        tick += message.time
        if message.type == "note_on" and message.velocity:
            struck[message.note] = (tick, message.velocity)
        elif message.type in ("note_on", "note_off") and message.note in struck:
            start, velocity = struck.pop(message.note)
            found.append((start, tick, message.note, velocity))
    starts = tempo_map.seconds(start for start, *_ in found)
    ends = tempo_map.seconds(end for _, end, *_ in found)
    return [
        Note(start_s, end_s, pitch, velocity, group)
        for (_, _, pitch, velocity), start_s, end_s in zip(found, starts, ends, strict=True)
    ]
