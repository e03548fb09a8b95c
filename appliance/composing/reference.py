"""``--like``: what a MIDI file plays, as the attributes that the dials turn. Its notes go no further.

A track with lyrics, or called after a singer or a melody, is the reference's tune. All other tracks are its
band, grouped by their General MIDI instruments.
"""

from __future__ import annotations

import math
import re
from pathlib import Path

import numpy as np

from appliance.composing.plan_chart import PLAN_RATE_HZ, chart_from_plan
from appliance.errors import UsageError
from appliance.music.attributes import Measured, measure, value
from appliance.music.bar_lines import BarLines
from appliance.music.dials import DIALS
from appliance.music.midi_file import DRUM_CHANNEL, MidiNote, MidiSong, MidiTrack, bars_of, read_midi
from appliance.music.score import BeatGrid, Note
from appliance.music.sounding import chroma_and_bass, coverage

FEWEST_NOTES = 16
"""From fewer notes of the upper parts nothing can be said."""

_LARGEST_BYTES = 16 << 20
_USUAL_QUARTERS_A_MINUTE = 120.0
_TUNE = re.compile(r"voice|vocal|vox|sing|melody|lead voc|soprano|tune", re.IGNORECASE)

_GROUPS = ((24, "keys"), (32, "pluck"), (40, "bass"), (104, "pad"), (112, "pluck"))
"""First General MIDI program above each family, and the group of the family; the rest are percussion and
effects, which are left out."""


def read_reference(path: Path) -> dict[str, float]:
    """The attributes of a MIDI file by dial. What it does not show, as doubling without a tune, is left out.

    Raises:
        UsageError: the file cannot be read, is not MIDI, or has too few notes.
    """
    try:
        if path.stat().st_size > _LARGEST_BYTES:
            raise UsageError(f"{path}: too long for a MIDI file; give one of at most 16 MiB.")
        song = read_midi(path.read_bytes())
    except OSError as error:
        raise UsageError(f"{path}: the reference cannot be read ({error.strerror}).") from error
    except ValueError as error:
        raise UsageError(f"{path}: {error}; give a reference as .mid.") from error
    seconds = _Clock(song)
    band: list[Note] = []
    tune: list[MidiNote] = []
    for track in song.tracks:
        if _is_tune(track):
            tune += track.notes
        else:
            band += [note for own in track.notes if (note := _note(own, seconds)) is not None]
    if sum(note.group != "bass" for note in band) < FEWEST_NOTES:
        raise UsageError(f"{path}: too few notes to say how they are played; give at least {FEWEST_NOTES}.")
    duration_s = seconds.of(song.end)
    sung = [(seconds.of(n.start), seconds.of(n.end), n.pitch) for n in sorted(tune)]
    return _attributes(band, np.array(sung, np.float64).reshape(-1, 3), _grid(song, seconds), duration_s)


def _attributes(band: list[Note], sung: np.ndarray, grid: BeatGrid, duration_s: float) -> dict[str, float]:
    frames = math.ceil(duration_s * PLAN_RATE_HZ)
    pitch = np.array([note.pitch for note in band])
    start = PLAN_RATE_HZ * np.array([note.start_s for note in band])
    end = PLAN_RATE_HZ * np.array([note.end_s for note in band])
    chart = chart_from_plan(chroma_and_bass(coverage(pitch, start, end, frames)), grid, duration_s)
    sums = measure(sorted(band), Measured(BarLines.of(grid, duration_s), chart, sung))
    found = {dial: value(dial, sums[dial]) for dial in DIALS}
    return {dial: round(attribute, 4) for dial, attribute in found.items() if math.isfinite(attribute)}


def _is_tune(track: MidiTrack) -> bool:
    return bool(track.lyrics) or _TUNE.search(track.name) is not None


def _note(note: MidiNote, seconds: _Clock) -> Note | None:
    """A note of the band; None for drums and effects."""
    group = next((name for first, name in _GROUPS if note.program < first), None)
    if note.channel == DRUM_CHANNEL or group is None:
        return None
    return Note(seconds.of(note.start), seconds.of(note.end), note.pitch, note.velocity, group)


class _Clock:
    """Turns quarters from the start of a file into seconds."""

    def __init__(self, song: MidiSong) -> None:
        marks = [(at, tempo) for at, tempo in song.tempo if tempo > 0]
        if not marks or marks[0][0] > 0:
            marks.insert(0, (0.0, _USUAL_QUARTERS_A_MINUTE))
        self._quarters = np.array([at for at, _ in marks])
        self._lengths_s = np.array([60.0 / tempo for _, tempo in marks])
        passed_s = np.diff(self._quarters) * self._lengths_s[:-1]
        self._seconds = np.concatenate([[0.0], np.cumsum(passed_s)])

    def of(self, quarters: float) -> float:
        k = int(np.searchsorted(self._quarters, quarters, side="right")) - 1
        return float(self._seconds[k] + (quarters - self._quarters[k]) * self._lengths_s[k])


def _grid(song: MidiSong, seconds: _Clock) -> BeatGrid:
    """The beats of the file's time signatures; those of 6/8, 9/8 and 12/8 have three eighths."""
    starts, meters = bars_of(song)
    beats: list[float] = []
    downbeats: list[int] = []
    for start, end, meter in zip(starts, starts[1:], meters, strict=False):
        beat = 1.5 if _is_compound(meter) else 4.0 / meter[1]
        downbeats.append(len(beats))
        beats += [start + k * beat for k in range(max(1, round((end - start) / beat)))]
    beats.append(starts[-1])
    count, compound = meters[0][0], _is_compound(meters[0])
    beats_s = tuple(seconds.of(beat) for beat in beats)
    return BeatGrid(beats_s, tuple(downbeats), 1.0, count // 3 if compound else count, compound)


def _is_compound(meter: tuple[int, int]) -> bool:
    """Whether a time signature, such as (6, 8), has beats of three eighths."""
    count, unit = meter
    return unit == 8 and count % 3 == 0 and count > 3
