"""A drummer: grooves, fills, timing and velocities of people, from ``drummers.json``.

The file is mined from the Groove MIDI Dataset (CC BY 4.0) by :mod:`train.arrange.drum_mining`. Offsets are
kept as parts of a beat, so that they scale with the tempo as swing does.
"""

from __future__ import annotations

import json
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random
from statistics import fmean
from typing import Any

DRUMMERS_FILE = Path(__file__).with_name("drummers.json")

SWUNG_BEAT = 3
"""Steps a beat of a groove that swings."""


@dataclass(frozen=True, slots=True)
class Stroke:
    """One stroke at ``beat`` of the bar, where it was played, on a ``drum`` (a key of a score)."""

    beat: float
    drum: int
    velocity: int
    step: float
    """Where the grid has it, in beats."""


@dataclass(frozen=True)
class PlayedGroove:
    """A groove in 4/4 and bars in which a drummer played it: all with the same strokes."""

    take: str
    per_beat: int
    bars: tuple[tuple[Stroke, ...], ...]

    @property
    def mean_velocity(self) -> float:
        """Mean over all strokes."""
        return fmean(stroke.velocity for bar in self.bars for stroke in bar)


class Drummer:
    """A drummer of ``style`` who keeps to one groove; ``random`` chooses it and the bars that are played.

    Raises:
        KeyError: there is no drummer of that style.
    """

    def __init__(self, style: str, random: Random) -> None:
        grooves, self._fills = _of_style(style)
        self.groove = random.choice(grooves)
        self._random = random
        self._feel: dict[tuple[int, float], list[tuple[float, float]]] = defaultdict(list)
        for groove in (self.groove, *grooves):
            for stroke in (s for bar in groove.bars for s in bar):
                feel = (stroke.beat - stroke.step, stroke.velocity - groove.mean_velocity)
                self._feel[stroke.drum, round(stroke.step % 1.0, 2)].append(feel)

    def bar(self) -> tuple[Stroke, ...]:
        """The groove as the drummer played it in one of the bars."""
        return self._random.choice(self.groove.bars)

    def fill(self) -> tuple[Stroke, ...]:
        """A fill of two beats, counted from its start; empty if none was recorded."""
        return self._random.choice(self._fills) if self._fills else ()

    def feel(self, drum: int, part: float) -> tuple[float, float]:
        """How a stroke of ``drum`` at ``part`` of a beat (0-1) is played: its distance from the grid, in
        beats, and its velocity above or below the usual stroke of that kind."""
        kinds = [k for k in self._feel if k[0] == drum] or list(self._feel)
        kind = min(kinds, key=lambda k: (abs(k[1] - part), k))
        usual = fmean(velocity for _, velocity in self._feel[kind])
        offset, velocity = self._random.choice(self._feel[kind])
        return offset, velocity - usual


def swing_of(pulse_s: float) -> float:
    """Where jazz drummers play the second half of a beat that lasts ``pulse_s``: 0.5 is even, 0.667 a
    triplet. Interpolated between the tempi of the recordings."""
    known: list[list[float]] = _contents()["swing"]
    bpm = 60.0 / pulse_s
    k = bisect_left([tempo for tempo, _ in known], bpm)
    if k == 0 or k == len(known):
        return float(known[min(k, len(known) - 1)][1])
    (slow, before), (fast, after) = known[k - 1], known[k]
    return before + (after - before) * (bpm - slow) / (fast - slow)


def attribution() -> str:
    """The credit that the licence of the drumming asks for."""
    return str(_contents()["attribution"])


@cache
def _contents() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(DRUMMERS_FILE.read_text(encoding="utf-8"))
    return found


@cache
def _of_style(style: str) -> tuple[tuple[PlayedGroove, ...], tuple[tuple[Stroke, ...], ...]]:
    contents = _contents()
    grooves = tuple(_groove(entry) for entry in contents["grooves"][style])
    per_beat = grooves[0].per_beat
    fills = tuple(
        tuple(
            Stroke(step / per_beat + offset / 100, drum, velocity, step / per_beat)
            for step, drum, offset, velocity in entry["strokes"]
        )
        for entry in contents["fills"].get(style, ())
    )
    return grooves, fills


def _groove(entry: dict[str, Any]) -> PlayedGroove:
    per_beat = int(entry["per_beat"])
    bars = tuple(tuple(_strokes(entry["strokes"], played, per_beat)) for played in entry["played"])
    return PlayedGroove(str(entry["take"]), per_beat, bars)


def _strokes(
    strokes: Sequence[tuple[int, int]], played: Sequence[tuple[int, int]], per_beat: int
) -> Iterator[Stroke]:
    for (step, drum), (offset, velocity) in zip(strokes, played, strict=True):
        yield Stroke(step / per_beat + offset / 100, drum, velocity, step / per_beat)
