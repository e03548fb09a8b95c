"""Reads human drumming (Groove MIDI) as strokes in bars: place, timing and velocity as they were played.

A stroke lies near one of twelve steps a bar. Where it really is, is kept as an offset: the timing of the
drummer is what there is to learn. The files have a constant tempo and begin on a bar line.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from appliance.music.midi_file import read_midi
from train.corpus.ledger import LedgerError, LedgerRow, verified_bytes

STEPS_PER_BAR = 12

_TITLE = re.compile(r"([^/ ]+)\S* (beat|fill), (\d+(?:\.\d+)?) bpm, (\d+)-(\d+)")

DRUM_OF_KEY: Mapping[int, int] = {
    36: 36, 35: 36,                      # kick
    38: 38, 40: 38,                      # snare: head, rim shot
    37: 37,                              # cross-stick
    42: 42, 22: 42, 44: 42,              # closed hi-hat: bow, edge; pedal
    46: 46, 26: 46,                      # open hi-hat: bow, edge
    43: 45, 58: 45, 45: 45, 47: 45, 41: 45,   # low toms: head, rim
    48: 50, 50: 50,                      # high tom: head, rim
    49: 49, 55: 49, 57: 49, 52: 49,      # crash
    51: 51, 53: 51, 59: 51,              # ride: bow, bell, edge
    54: 54, 39: 54,                      # tambourine
}  # fmt: skip
"""Drum of a score (:data:`appliance.music.score.DRUM_KEYS`) for each key of a Roland TD-11."""


@dataclass(frozen=True, order=True, slots=True)
class Stroke:
    """One stroke: ``step`` of the bar (0-11), ``offset`` from it in steps (-0.5 to 0.5), drum, velocity."""

    step: int
    offset: float
    drum: int
    velocity: int


@dataclass(frozen=True, slots=True)
class DrumBar:
    """One bar as it was played."""

    strokes: tuple[Stroke, ...]


@dataclass(frozen=True, slots=True)
class DrumTake:
    """A recording of one drummer; ``style`` as in ``info.csv``, e.g. ``"funk"`` or ``"jazz-swing"``."""

    id: str
    split: str
    style: str
    bpm: float
    """Beats a minute, of the meter's unit."""
    is_fill: bool
    meter: tuple[int, int]
    bars: tuple[DrumBar, ...]


def read_take(corpus: Path, row: LedgerRow) -> DrumTake:
    """The take of a ledger row with role 'drums'; its title has style, tempo and meter.

    Raises:
        LedgerError: the licence is not allowed, the file is missing or altered, or the title says less.
        ValueError: the file is not MIDI, or has no strokes.
    """
    data = verified_bytes(corpus, row)
    said = _TITLE.fullmatch(row.title)
    if said is None:
        raise LedgerError(f"{row.file}: its title must be like 'funk/groove1 beat, 138 bpm, 4-4'")
    style, kind, bpm, *meter = said.groups()
    count, unit = map(int, meter)
    bar_quarters = 4.0 * count / unit
    strokes: dict[int, list[Stroke]] = {}
    for track in read_midi(data).tracks:
        for note in track.notes:
            if note.pitch not in DRUM_OF_KEY:
                continue
            place = note.start / bar_quarters * STEPS_PER_BAR
            step = int(place + 0.5)
            bar, inside = divmod(step, STEPS_PER_BAR)
            offset = round(place - step, 4)
            strokes.setdefault(bar, []).append(Stroke(inside, offset, DRUM_OF_KEY[note.pitch], note.velocity))
    if not strokes:
        raise ValueError(f"{row.file}: no drum strokes; leave it out of the ledger")
    bars = tuple(DrumBar(tuple(sorted(strokes.get(bar, ())))) for bar in range(max(strokes) + 1))
    return DrumTake(row.id, row.split, style, float(bpm), kind == "fill", (count, unit), bars)
