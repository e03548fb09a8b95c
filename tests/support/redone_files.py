"""What a redo left as it was: the bytes of sound files and the notes of MIDI files, before and after."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import mido
import numpy as np
import soundfile

RATE_HZ = 44_100
FRAME_BYTES = 6
"""Two channels of 24 bits."""


def same_outside(before: Path, after: Path, first: int, stop: int, samples: int) -> bool:
    """Whether the files have the same bytes but for the frames ``first`` to ``stop``."""
    old, new = before.read_bytes(), after.read_bytes()
    header = len(old) - samples * FRAME_BYTES
    assert len(old) == len(new) and 40 <= header < 200
    head, tail = header + first * FRAME_BYTES, header + stop * FRAME_BYTES
    return old[:head] == new[:head] and old[tail:] == new[tail:]


def midi_notes(path: Path) -> dict[str, list[tuple[int, int, int, int]]]:
    """Track to its notes (start tick, end tick, pitch, velocity); tracks are numbered by name."""
    found: dict[str, list[tuple[int, int, int, int]]] = {}
    for track in mido.MidiFile(path).tracks[1:]:
        tick, struck, notes = 0, {}, []
        for message in track:
            tick += message.time
            if message.type == "note_on":
                struck[message.note] = (tick, message.velocity)
            elif message.type == "note_off":
                start, velocity = struck.pop(message.note)
                notes.append((start, tick, message.note, velocity))
        name = track.name
        while name in found:
            name += "+"
        found[name] = sorted(notes)
    return found


def conductor(path: Path) -> list[str]:
    """The messages of the first track: tempi, time signatures, text, end."""
    return [str(message) for message in mido.MidiFile(path).tracks[0]]


def ticks_s(path: Path, ticks: list[int]) -> list[float]:
    """The seconds of ``ticks``, by the tempi of the file."""
    file = mido.MidiFile(path)
    tempi, at = [], 0
    for message in file.tracks[0]:
        at += message.time
        if message.type == "set_tempo":
            tempi.append((at, message.tempo))
    found = []
    for tick in ticks:
        seconds = 0.0
        for k, (start, tempo) in enumerate(tempi):
            stop = tempi[k + 1][0] if k + 1 < len(tempi) else tick
            if start < tick:
                seconds += mido.tick2second(min(stop, tick) - start, file.ticks_per_beat, tempo)
        found.append(seconds)
    return found


def sample_span(facts: dict[str, Any]) -> tuple[int, int]:
    """First sample and end of what a receipt says was redone."""
    span = facts["redo"]["span_s"]
    if span is None:
        return 0, facts["samples"]
    return round(span[0] * RATE_HZ), min(round(span[1] * RATE_HZ), facts["samples"])


def sound(path: Path) -> np.ndarray:
    """(n, 2) float64."""
    return np.asarray(soundfile.read(path, always_2d=True)[0])
