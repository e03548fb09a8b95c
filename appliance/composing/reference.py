"""``--like`` with a MIDI file: what its band plays, as a manner. Its notes go no further.

A track with lyrics, or called after a singer or a melody, is the reference's tune. All other tracks are its
band, grouped by their General MIDI instruments.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from appliance.composing.manner import Manner
from appliance.composing.manner_reading import manner_of
from appliance.errors import UsageError
from appliance.music.midi_file import DRUM_CHANNEL, MidiNote, MidiSong, MidiTrack, bars_of, read_midi
from appliance.music.score import DRUM_GROUP, DRUM_KEYS, BeatGrid, Note

MIDI_ENDINGS = (".mid", ".midi")

LONGEST_MIDI_S = 3_600.0
"""A longer file is no song: a few bytes of MIDI can claim centuries."""

_MAGIC = b"MThd"
_LARGEST_BYTES = 16 << 20
_MOST_BARS = 10_000
_USUAL_QUARTERS_A_MINUTE = 120.0
_TUNE = re.compile(r"voice|vocal|vox|sing|melody|lead voc|soprano|tune", re.IGNORECASE)

_GROUPS = ((24, "keys"), (32, "pluck"), (40, "bass"), (104, "pad"), (112, "pluck"))
"""First General MIDI program above each family, and the group of the family; the rest are percussion and
effects, which are left out."""


def is_midi(path: Path) -> bool:
    """Whether a reference is read as MIDI, by its ending or its first bytes; anything else is a recording."""
    if path.suffix.lower() in MIDI_ENDINGS:
        return True
    try:
        with path.open("rb") as file:
            return file.read(len(_MAGIC)) == _MAGIC
    except OSError:
        return False


def read_midi_reference(path: Path, name: str = "") -> Manner:
    """The manner of a MIDI file, which errors call ``name`` (default: its path).

    Raises:
        UsageError: the file cannot be read, is not MIDI, is too long, or has too few notes.
    """
    name = name or str(path)
    try:
        if path.stat().st_size > _LARGEST_BYTES:
            raise UsageError(f"{name}: too long for a MIDI file; give one of at most 16 MiB.")
        song = read_midi(path.read_bytes())
    except OSError as error:
        raise UsageError(f"{name}: the reference cannot be read ({error.strerror}).") from error
    except ValueError as error:
        raise UsageError(f"{name}: {error}; give a reference as .mid, or a recording.") from error
    seconds = _Clock(song)
    duration_s = seconds.of(song.end)
    _check_length(song, duration_s, name)
    band: list[Note] = []
    tune: list[MidiNote] = []
    for track in song.tracks:
        if _is_tune(track):
            tune += track.notes
        else:
            band += [note for own in track.notes if (note := _note(own, seconds)) is not None]
    sung = [(seconds.of(n.start), seconds.of(n.end), n.pitch) for n in sorted(tune)]
    rows = np.array(sung, np.float64).reshape(-1, 3)
    return manner_of(sorted(band), rows, _grid(song, seconds), duration_s, name)


def _check_length(song: MidiSong, duration_s: float, name: str) -> None:
    shortest = min((4.0 * count / unit for _, (count, unit) in song.meters), default=4.0)
    if duration_s > LONGEST_MIDI_S or shortest <= 0 or song.end / shortest > _MOST_BARS:
        raise UsageError(f"{name}: it lasts longer than any song; give a reference of at most an hour.")
    if duration_s < 1.0:
        raise UsageError(f"{name}: it lasts less than a second; give a reference of some bars.")


def _is_tune(track: MidiTrack) -> bool:
    return bool(track.lyrics) or _TUNE.search(track.name) is not None


def _note(note: MidiNote, seconds: _Clock) -> Note | None:
    """A note of the band; None for effects."""
    group = next((name for first, name in _GROUPS if note.program < first), None)
    pitch = note.pitch
    if note.channel == DRUM_CHANNEL:
        group, pitch = DRUM_GROUP, DRUM_KEYS[0]  # that something is struck counts, not what
    if group is None:
        return None
    return Note(seconds.of(note.start), seconds.of(note.end), pitch, note.velocity, group)


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
