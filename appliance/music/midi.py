"""Writes a score as a MIDI file with the song's tempo and bar lines.

Tick 0 is the first sample of the vocal, so the file and the recordings start together in any sequencer. The
tempo map follows the beats. Bars follow the downbeats, with a new time signature wherever the number of beats
changes. MIDI has no pickup bar. The time before the first downbeat therefore becomes one leading bar, as long
as needed, followed by whole bars. The tempo of the leading bar is adjusted so that the first downbeat falls
exactly on a bar line.

Source: Standard MIDI Files 1.0 (MMA RP-001), type 1.
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
"""At 40 beats per minute a tick is 1.6 ms, so rounding moves a note by at most 0.8 ms."""

_UNKNOWN_BEAT_US = 500_000
"""120 beats per minute: what sequencers assume for a file without a tempo."""

_LONGEST_BEAT_US = (1 << 24) - 1
_TOLERANCE_TICKS = 0.25
"""A tempo is kept while the beats it predicts are this close to the true ones."""

_DRUM_CHANNEL = 9
_PITCHED_CHANNELS = tuple(c for c in range(16) if c != _DRUM_CHANNEL)
_SPLITS = 8
"""The leading bar is a multiple of an eighth of a quarter."""


class Instrument(Protocol):
    """The instrument of a group: the track's ``name`` and the General MIDI ``bank`` and ``program``."""

    @property
    def name(self) -> str: ...
    @property
    def bank(self) -> int: ...
    @property
    def program(self) -> int: ...


@dataclass(frozen=True)
class TempoMap:
    """Tempo and meter changes as a MIDI file stores them.

    ``tempi`` are (tick, microseconds per beat), ``meters`` are (tick, numerator, denominator). Both begin at
    tick 0.
    """

    tempi: tuple[tuple[int, int], ...]
    meters: tuple[tuple[int, int, int], ...]

    @staticmethod
    def of(grid: BeatGrid) -> TempoMap:
        """The tempo map of ``grid``; for an empty grid, 120 beats per minute in its meter.

        Raises:
            ValueError: the beats do not ascend from 0 s, or lie more than 16.7 s apart.

        >>> grid = BeatGrid((0.0, 0.5, 1.0, 1.5), downbeats=(0, 3), confidence=1.0, meter=3)
        >>> TempoMap.of(grid)
        TempoMap(tempi=((0, 500000),), meters=((0, 3, 4),))
        >>> TempoMap.of(grid).ticks([0.0, 0.25, 1.0])
        [0, 480, 1920]
        """
        if len(grid.beats_s) < 2:
            return TempoMap(((0, _UNKNOWN_BEAT_US),), ((0, *grid.signature),))
        gaps_s = np.diff(grid.beats_s)
        if grid.beats_s[0] < 0 or gaps_s.min() <= 0 or gaps_s.max() * 1e6 > _LONGEST_BEAT_US:
            raise ValueError("beats must ascend from 0 s on, no further than 16.7 s apart")
        first_bar = grid.downbeats[0] if grid.downbeats else 0
        beat_s = float(np.median(gaps_s))
        beat_ticks = _beat_ticks(grid)
        lead_ticks = _lead_ticks(grid.beats_s[0] / beat_s, first_bar, beat_ticks)
        bar_tick = lead_ticks + first_bar * beat_ticks
        return TempoMap(_tempi(grid.beats_s, lead_ticks, beat_ticks), _meters(grid, bar_tick, beat_ticks))

    def ticks(self, times_s: Iterable[float]) -> list[int]:
        """The nearest tick of each time in ``times_s``."""
        starts_us = [0.0]
        for (tick, tempo), (following, _) in pairwise(self.tempi):
            starts_us.append(starts_us[-1] + (following - tick) * tempo / TICKS_PER_BEAT)
        times_us = np.asarray(list(times_s), np.float64) * 1e6
        which = np.maximum(np.searchsorted(starts_us, times_us, side="right") - 1, 0)
        ticks, tempi = np.asarray(self.tempi, np.float64)[which].T
        exact = ticks + (times_us - np.asarray(starts_us)[which]) * TICKS_PER_BEAT / tempi
        return [int(t) for t in np.rint(np.maximum(exact, 0))]

    def seconds(self, ticks: Iterable[int]) -> list[float]:
        """The time of each of ``ticks``, so that :meth:`ticks` gives them back."""
        firsts, tempi = np.asarray(self.tempi, np.float64).T
        starts_us = np.cumsum(np.concatenate([[0.0], np.diff(firsts) * tempi[:-1] / TICKS_PER_BEAT]))
        at = np.asarray(list(ticks), np.float64)
        which = np.searchsorted(firsts, at, side="right") - 1
        times_us = starts_us[which] + (at - firsts[which]) * tempi[which] / TICKS_PER_BEAT
        return [float(time) for time in times_us / 1e6]


def write_midi(
    path: Path,
    score: Score,
    grid: BeatGrid | TempoMap,
    instruments: Mapping[str, Instrument],
    tuning_cents: float = 0.0,
) -> None:
    """Write ``score`` to ``path``: the tempo map, of ``grid`` or given, then one track per group that plays.

    ``instruments`` maps each of the score's groups to its instrument; drums play on channel 10. Notes of one
    pitch must not overlap in MIDI: a later one ends the earlier one. The same arguments give the same bytes.
    ``tuning_cents`` is the offset from A = 440 Hz: unless it is 0, RPN 1 and 2 tune pitched channels
    (MIDI 1.0 Detailed Specification, registered parameters) and a text event says so.

    Raises:
        OutputError: the file cannot be written.
        ValueError: ``grid`` has no tempo map; see :meth:`TempoMap.of`.
    """
    tempo_map = TempoMap.of(grid) if isinstance(grid, BeatGrid) else grid
    file = mido.MidiFile(type=1, ticks_per_beat=TICKS_PER_BEAT, charset="utf-8")
    end_tick = tempo_map.ticks([score.duration_s])[0]
    file.tracks.append(_conductor(tempo_map, end_tick, tuning_cents))
    channels = iter(_PITCHED_CHANNELS)
    for group in score.groups():
        channel = _DRUM_CHANNEL if group == DRUM_GROUP else next(channels)
        file.tracks.append(
            _track(score.only(group).notes, tempo_map, instruments[group], channel, tuning_cents)
        )
    with writing(path):
        file.save(path)


def _beat_ticks(grid: BeatGrid) -> int:
    """Ticks of a beat: MIDI counts in quarters, a beat may be a dotted quarter or an eighth."""
    if grid.compound:
        return TICKS_PER_BEAT * 3 // 2
    return TICKS_PER_BEAT // 2 if grid.signature[1] == 8 else TICKS_PER_BEAT


def _lead_ticks(lead_beats: float, first_bar: int, beat_ticks: int) -> int:
    """Ticks before the first beat, which comes ``lead_beats`` beats (at the song's tempo) after the start.

    An adjusted tempo makes any number of ticks fit that time. Whole beats look best in a sequencer. With
    fewer than two of them the tempo would change too much, so the lead is rounded to 32nds.
    """
    if lead_beats * beat_ticks < 1:
        return 0
    if lead_beats + first_bar >= 2 and lead_beats >= 0.5:
        return round(lead_beats) * beat_ticks
    part = TICKS_PER_BEAT // _SPLITS
    return max(1, round(lead_beats * beat_ticks / part)) * part


def _tempi(beats_s: tuple[float, ...], lead_ticks: int, beat_ticks: int) -> tuple[tuple[int, int], ...]:
    """Tempo changes. Each is computed from the file's true position, so that rounding errors never add up."""
    anchors = [(0, 0.0)] if lead_ticks else []
    anchors += [(lead_ticks + i * beat_ticks, 1e6 * time) for i, time in enumerate(beats_s)]
    if not lead_ticks:
        anchors[0] = (0, 0.0)
    tempi: list[tuple[int, int]] = []
    now_us = 0.0
    for (tick, true_us), (next_tick, next_us) in pairwise(anchors):
        beats = (next_tick - tick) / TICKS_PER_BEAT
        tolerance_us = _TOLERANCE_TICKS * (next_us - true_us) / (next_tick - tick)
        # Candidates: the current tempo, this beat's own, and one that also corrects earlier rounding.
        choices = [tempi[-1][1]] if tempi else []
        choices += [round((next_us - start_us) / beats) for start_us in (true_us, now_us)]
        fitting = (t for t in choices if abs(now_us + beats * t - next_us) <= tolerance_us)
        tempo = min(max(next(fitting, choices[-1]), 1), _LONGEST_BEAT_US)
        if not tempi or tempo != tempi[-1][1]:
            tempi.append((tick, tempo))
        now_us += beats * tempo
    return tuple(tempi)


def _meters(grid: BeatGrid, bar_tick: int, beat_ticks: int) -> tuple[tuple[int, int, int], ...]:
    """Time signatures: those before the first downbeat at ``bar_tick``, then one at each change of meter."""
    bars = [b - a for a, b in pairwise(grid.downbeats)] or [grid.meter]
    full_bar = bars[0] * beat_ticks
    leading = bar_tick % full_bar
    parts, unit = 3 if grid.compound else 1, grid.signature[1]
    meters: list[tuple[int, int, int]] = []
    if leading:
        meters.append((0, *_signature(leading)))
    tick = leading
    meter = 0
    for beats in [bars[0]] * (bar_tick // full_bar) + bars:
        if beats != meter:
            meters.append((tick, beats * parts, unit))
            meter = beats
        tick += beats * beat_ticks
    return tuple(meters)


def _signature(ticks: int) -> tuple[int, int]:
    """Time signature of a bar of ``ticks``, with a quarter as unit if possible, else a shorter note."""
    parts = ticks * _SPLITS // TICKS_PER_BEAT
    common = gcd(parts, _SPLITS)
    return parts // common, 4 * _SPLITS // common


def _conductor(tempo_map: TempoMap, end_tick: int, tuning_cents: float) -> mido.MidiTrack:
    meters = [
        (tick, 0, mido.MetaMessage("time_signature", numerator=beats, denominator=unit))
        for tick, beats, unit in tempo_map.meters
    ]
    tempi = [(tick, 1, mido.MetaMessage("set_tempo", tempo=tempo)) for tick, tempo in tempo_map.tempi]
    # Events after the end would make the file longer than the song.
    events = [event for event in (*meters, *tempi) if event[0] == 0 or event[0] < end_tick]
    if tuning_cents:
        text = f"A = {440.0 * 2.0 ** (tuning_cents / 1200.0):.2f} Hz ({tuning_cents:+.1f} cents)"
        events.insert(0, (0, 0, mido.MetaMessage("text", text=text)))
    return _with_deltas([*events, (end_tick, 2, mido.MetaMessage("end_of_track"))])


def _track(
    notes: Iterable[Note], tempo_map: TempoMap, instrument: Instrument, channel: int, tuning_cents: float
) -> mido.MidiTrack:
    events: list[tuple[int, int, mido.Message]] = [
        (0, 0, mido.MetaMessage("track_name", name=instrument.name))
    ]
    if channel != _DRUM_CHANNEL:
        events.append(
            (0, 1, mido.Message("control_change", channel=channel, control=0, value=instrument.bank))
        )
        events += [(0, 1, message) for message in _tuned(channel, tuning_cents)]
    events.append((0, 2, mido.Message("program_change", channel=channel, program=instrument.program)))
    for start, end, note in _without_overlaps(list(notes), tempo_map):
        on = mido.Message("note_on", channel=channel, note=note.pitch, velocity=note.velocity)
        off = mido.Message("note_off", channel=channel, note=note.pitch, velocity=64)
        # At the same tick, note-off comes before note-on.
        events += [(start, 4, on), (end, 3, off)]
    last = max(event[0] for event in events)
    return _with_deltas([*events, (last, 5, mido.MetaMessage("end_of_track"))])


def _tuned(channel: int, cents: float) -> list[mido.Message]:
    """RPN 2 (coarse tuning) for whole semitones, RPN 1 (fine tuning, 14 bits) for the rest, null RPN."""
    semitones = round(cents / 100.0)
    fine = min(round(8192 + 8192 * (cents / 100.0 - semitones)), 16383)
    controls: list[tuple[int, int]] = []
    if semitones:
        controls += [(101, 0), (100, 2), (6, 64 + semitones)]
    if fine != 8192:
        controls += [(101, 0), (100, 1), (6, fine >> 7), (38, fine & 127)]
    if controls:
        controls += [(101, 127), (100, 127)]
    return [mido.Message("control_change", channel=channel, control=c, value=v) for c, v in controls]


def _without_overlaps(notes: list[Note], tempo_map: TempoMap) -> Iterable[tuple[int, int, Note]]:
    """Start and end ticks of ``notes``; each note ends before the next of its pitch."""
    starts = tempo_map.ticks(note.start_s for note in notes)
    ends = tempo_map.ticks(note.end_s for note in notes)
    sounding: dict[tuple[int, int], tuple[int, Note]] = {}
    for start, end, note in zip(starts, ends, notes, strict=True):
        at = (note.pitch, start)
        # Of two that begin together, keep the longer one.
        if at not in sounding or sounding[at][0] < end:
            sounding[at] = (end, note)
    following: dict[int, int] = {}
    separate: list[tuple[int, int, Note]] = []
    for (pitch, start), (end, note) in sorted(sounding.items(), key=lambda item: -item[0][1]):
        end = min(max(end, start + 1), following.get(pitch, end + 1))
        following[pitch] = start
        separate.append((start, end, note))
    return sorted(separate, key=lambda s: (s[0], s[2].pitch))


def _with_deltas(events: list[tuple[int, int, mido.Message]]) -> mido.MidiTrack:
    """A track of messages, sorted by (tick, order), each with the ticks since the previous one."""
    track = mido.MidiTrack()
    now = 0
    for tick, _, message in sorted(events, key=lambda event: event[:2]):
        track.append(message.copy(time=tick - now))
        now = tick
    return track
