"""The score as a MIDI file that a producer can edit: bar lines where the song has them.

Tick 0 is the first sample of the vocal, so the file and the recordings start together in any sequencer.
The tempo map follows the beats; the bars follow the downbeats, with a time signature wherever the count
of beats changes. What lies before the first downbeat becomes whole bars at the song's tempo behind one
leading bar of whatever length is left, whose tempo is bent so that the first downbeat falls on its bar
line exactly: a MIDI file has no pickup of its own.

Source of the format: Standard MIDI Files 1.0 (MMA RP-001), type 1.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from math import gcd
from pathlib import Path
from typing import Protocol

import mido
import numpy as np

from appliance.files.write_errors import writing
from appliance.music.score import DRUM_GROUP, BeatGrid, Note, Score

TICKS_PER_BEAT = 960
"""At 40 beats a minute a tick is 1.6 ms, so no note is further than 0.8 ms from its place."""

_UNKNOWN_BEAT_US = 500_000
"""120 beats a minute: what sequencers assume of a file without a tempo."""

_LONGEST_BEAT_US = (1 << 24) - 1
_TOLERANCE_TICKS = 0.25
"""A tempo stands as long as the beats it predicts are this close to the true ones."""

_DRUM_CHANNEL = 9
_PITCHED_CHANNELS = tuple(c for c in range(16) if c != _DRUM_CHANNEL)
_SPLITS = 8
"""A leading bar is a multiple of a beat's eighth."""


class Instrument(Protocol):
    """What plays a group: a track's ``name`` and the General MIDI ``bank`` and ``program``."""

    @property
    def name(self) -> str: ...
    @property
    def bank(self) -> int: ...
    @property
    def program(self) -> int: ...


@dataclass(frozen=True)
class TempoMap:
    """Beats and bars as MIDI has them.

    ``tempi`` are (tick, microseconds a beat), ``meters`` (tick, numerator, denominator), both from tick
    0 on.
    """

    tempi: tuple[tuple[int, int], ...]
    meters: tuple[tuple[int, int, int], ...]

    @staticmethod
    def of(grid: BeatGrid) -> TempoMap:
        """The map of ``grid``; 120 beats a minute in its meter if the grid is empty.

        Raises ValueError for beats that do not ascend or lie more than 16.7 seconds apart.
        """
        if len(grid.beats_s) < 2:
            return TempoMap(((0, _UNKNOWN_BEAT_US),), ((0, grid.meter, 4),))
        gaps_s = np.diff(grid.beats_s)
        if grid.beats_s[0] < 0 or gaps_s.min() <= 0 or gaps_s.max() * 1e6 > _LONGEST_BEAT_US:
            raise ValueError("beats must ascend from 0 s on, no further than 16.7 s apart")
        first_bar = grid.downbeats[0] if grid.downbeats else 0
        beat_s = float(np.median(gaps_s))
        lead_ticks = _lead_ticks(grid.beats_s[0] / beat_s, first_bar)
        bar_tick = lead_ticks + first_bar * TICKS_PER_BEAT
        return TempoMap(_tempi(grid.beats_s, lead_ticks), _meters(grid, bar_tick))

    def ticks(self, times_s: Iterable[float]) -> list[int]:
        """The ticks nearest to ``times_s``."""
        starts_us = [0.0]
        for (tick, tempo), (following, _) in pairwise(self.tempi):
            starts_us.append(starts_us[-1] + (following - tick) * tempo / TICKS_PER_BEAT)
        times_us = np.asarray(list(times_s), np.float64) * 1e6
        which = np.maximum(np.searchsorted(starts_us, times_us, side="right") - 1, 0)
        ticks, tempi = np.asarray(self.tempi, np.float64)[which].T
        exact = ticks + (times_us - np.asarray(starts_us)[which]) * TICKS_PER_BEAT / tempi
        return [int(t) for t in np.rint(np.maximum(exact, 0))]


def write_midi(path: Path, score: Score, grid: BeatGrid, instruments: Mapping[str, Instrument]) -> None:
    """Writes ``score`` to ``path``: the tempo map, then one track for each group that plays.

    ``instruments`` gives each of the score's groups its sound; drums play on channel 10. Two notes of
    one pitch do not overlap in MIDI: the later one ends the earlier one. The same arguments give the
    same bytes. Raises OutputError when the file cannot be written.
    """
    tempo_map = TempoMap.of(grid)
    file = mido.MidiFile(type=1, ticks_per_beat=TICKS_PER_BEAT, charset="utf-8")
    end_tick = tempo_map.ticks([score.duration_s])[0]
    file.tracks.append(_conductor(tempo_map, end_tick))
    channels = iter(_PITCHED_CHANNELS)
    for group in score.groups():
        channel = _DRUM_CHANNEL if group == DRUM_GROUP else next(channels)
        file.tracks.append(_track(score.only(group).notes, tempo_map, instruments[group], channel))
    with writing(path):
        file.save(path)


def _lead_ticks(lead_beats: float, first_bar: int) -> int:
    """Ticks before the first beat, which lies ``lead_beats`` of the song's tempo behind the start.

    A bent tempo makes any whole number of ticks fit the time. Whole beats look best in a sequencer; but
    less than two of them would bend the tempo too far, so then it is eighths of a beat.
    """
    if lead_beats * TICKS_PER_BEAT < 1:
        return 0
    if lead_beats + first_bar >= 2 and lead_beats >= 0.5:
        return round(lead_beats) * TICKS_PER_BEAT
    return max(1, round(lead_beats * _SPLITS)) * TICKS_PER_BEAT // _SPLITS


def _tempi(beats_s: tuple[float, ...], lead_ticks: int) -> tuple[tuple[int, int], ...]:
    """Tempo changes; each beat is aimed at from where the file really is, so that no error adds up."""
    anchors = [(0, 0.0)] if lead_ticks else []
    anchors += [(lead_ticks + i * TICKS_PER_BEAT, 1e6 * time) for i, time in enumerate(beats_s)]
    if not lead_ticks:
        anchors[0] = (0, 0.0)
    tempi: list[tuple[int, int]] = []
    now_us = 0.0
    for (tick, true_us), (next_tick, next_us) in pairwise(anchors):
        beats = (next_tick - tick) / TICKS_PER_BEAT
        tolerance_us = _TOLERANCE_TICKS * (next_us - true_us) / (next_tick - tick)
        # The tempo that stands, else the beat's own; one that also makes up for rounding as a last resort.
        choices = [tempi[-1][1]] if tempi else []
        choices += [round((next_us - start_us) / beats) for start_us in (true_us, now_us)]
        fitting = (t for t in choices if abs(now_us + beats * t - next_us) <= tolerance_us)
        tempo = min(max(next(fitting, choices[-1]), 1), _LONGEST_BEAT_US)
        if not tempi or tempo != tempi[-1][1]:
            tempi.append((tick, tempo))
        now_us += beats * tempo
    return tuple(tempi)


def _meters(grid: BeatGrid, bar_tick: int) -> tuple[tuple[int, int, int], ...]:
    """Time signatures: those of what lies before ``bar_tick``, then one wherever the meter changes."""
    bars = [b - a for a, b in pairwise(grid.downbeats)] or [grid.meter]
    full_bar = bars[0] * TICKS_PER_BEAT
    leading = bar_tick % full_bar
    meters: list[tuple[int, int, int]] = []
    if leading:
        meters.append((0, *_signature(leading)))
    tick = leading
    meter = 0
    for beats in [bars[0]] * (bar_tick // full_bar) + bars:
        if beats != meter:
            meters.append((tick, beats, 4))
            meter = beats
        tick += beats * TICKS_PER_BEAT
    return tuple(meters)


def _signature(ticks: int) -> tuple[int, int]:
    """The time signature of a bar of ``ticks``, in quarters if it can be, at most in thirty-seconds."""
    parts = ticks * _SPLITS // TICKS_PER_BEAT
    common = gcd(parts, _SPLITS)
    return parts // common, 4 * _SPLITS // common


def _conductor(tempo_map: TempoMap, end_tick: int) -> mido.MidiTrack:
    meters = [
        (tick, 0, mido.MetaMessage("time_signature", numerator=beats, denominator=unit))
        for tick, beats, unit in tempo_map.meters
    ]
    tempi = [(tick, 1, mido.MetaMessage("set_tempo", tempo=tempo)) for tick, tempo in tempo_map.tempi]
    # Beats behind the end would make the file longer than the song.
    events = [event for event in (*meters, *tempi) if event[0] == 0 or event[0] < end_tick]
    return _timed([*events, (end_tick, 2, mido.MetaMessage("end_of_track"))])


def _track(
    notes: Iterable[Note], tempo_map: TempoMap, instrument: Instrument, channel: int
) -> mido.MidiTrack:
    events: list[tuple[int, int, mido.Message]] = [
        (0, 0, mido.MetaMessage("track_name", name=instrument.name))
    ]
    if channel != _DRUM_CHANNEL:
        events.append(
            (0, 1, mido.Message("control_change", channel=channel, control=0, value=instrument.bank))
        )
    events.append((0, 2, mido.Message("program_change", channel=channel, program=instrument.program)))
    for start, end, note in _separate(list(notes), tempo_map):
        on = mido.Message("note_on", channel=channel, note=note.pitch, velocity=note.velocity)
        off = mido.Message("note_off", channel=channel, note=note.pitch, velocity=64)
        # At the same tick what ends comes before what begins.
        events += [(start, 4, on), (end, 3, off)]
    last = max(event[0] for event in events)
    return _timed([*events, (last, 5, mido.MetaMessage("end_of_track"))])


def _separate(notes: list[Note], tempo_map: TempoMap) -> Iterable[tuple[int, int, Note]]:
    """Start and end ticks of notes, so that each ends before its pitch begins again."""
    starts = tempo_map.ticks(note.start_s for note in notes)
    ends = tempo_map.ticks(note.end_s for note in notes)
    sounding: dict[tuple[int, int], tuple[int, Note]] = {}
    for start, end, note in zip(starts, ends, notes, strict=True):
        at = (note.pitch, start)
        # Of two that begin together the longer one stays.
        if at not in sounding or sounding[at][0] < end:
            sounding[at] = (end, note)
    following: dict[int, int] = {}
    separate: list[tuple[int, int, Note]] = []
    for (pitch, start), (end, note) in sorted(sounding.items(), key=lambda item: -item[0][1]):
        end = min(max(end, start + 1), following.get(pitch, end + 1))
        following[pitch] = start
        separate.append((start, end, note))
    return sorted(separate, key=lambda s: (s[0], s[2].pitch))


def _timed(events: list[tuple[int, int, mido.Message]]) -> mido.MidiTrack:
    """A track of messages at (tick, order), each with the ticks since the one before."""
    track = mido.MidiTrack()
    now = 0
    for tick, _, message in sorted(events, key=lambda event: event[:2]):
        track.append(message.copy(time=tick - now))
        now = tick
    return track
