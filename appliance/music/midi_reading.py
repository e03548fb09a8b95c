"""Reads a MIDI file that :mod:`appliance.music.midi` wrote: its tempo map and its notes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from appliance.errors import InputError
from appliance.music.midi import TICKS_PER_BEAT, TempoMap
from appliance.music.midi_events import TickNote, read_events
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
        found = read_events(path.read_bytes())
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read as a MIDI file ({error}).") from error
    tracks = found.tracks[1:]
    if found.ticks_a_quarter != TICKS_PER_BEAT or len(tracks) != len(groups):
        raise InputError(f"{path} is not the MIDI file of this take; put the original back.")
    tempo_map = TempoMap(tuple(found.tempi), tuple((tick, *meter) for tick, meter in found.meters))
    notes = [
        note
        for track, group in zip(tracks, groups, strict=True)
        for note in _timed(track.notes, group, tempo_map)
    ]
    return TakeMidi(Score.of(notes, duration_s), tempo_map)


def _timed(notes: Sequence[TickNote], group: str, tempo_map: TempoMap) -> list[Note]:
    starts = tempo_map.seconds(note.start for note in notes)
    ends = tempo_map.seconds(note.end for note in notes)
    return [
        Note(start_s, end_s, note.pitch, note.velocity, group)
        for note, start_s, end_s in zip(notes, starts, ends, strict=True)
    ]
