"""Reference songs for ``--like``: small MIDI files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import mido

TICKS = 480


def midi(
    path: Path,
    tracks: Sequence[tuple[str, int, Sequence[tuple[float, float, int]]]],
    bpm: float = 120.0,
    meter: tuple[int, int] = (4, 4),
) -> Path:
    """Write tracks of (name, program, notes: start and length in quarters, pitch); program -1 is drums."""
    file = mido.MidiFile(ticks_per_beat=TICKS)
    head = mido.MidiTrack()
    head.append(mido.MetaMessage("set_tempo", tempo=round(60e6 / bpm)))
    head.append(mido.MetaMessage("time_signature", numerator=meter[0], denominator=meter[1]))
    file.tracks.append(head)
    for channel, (name, program, notes) in enumerate(tracks):
        track = mido.MidiTrack()
        track.append(mido.MetaMessage("track_name", name=name))
        channel = 9 if program < 0 else channel
        track.append(mido.Message("program_change", channel=channel, program=max(program, 0)))
        events = [(round(TICKS * a), "note_on", p) for a, _, p in notes]
        events += [(round(TICKS * (a + b)), "note_off", p) for a, b, p in notes]
        now = 0
        for at, kind, pitch in sorted(events, key=lambda e: (e[0], e[1] == "note_on")):
            track.append(mido.Message(kind, channel=channel, note=pitch, velocity=64, time=at - now))
            now = at
        file.tracks.append(track)
    file.save(path)
    return path


def chords(count: int = 16, pitches: Sequence[int] = (60, 64, 67)) -> list[tuple[float, float, int]]:
    """Half notes, each as long as a quarter."""
    return [(2.0 * k, 1.0, pitch) for k in range(count) for pitch in pitches]
