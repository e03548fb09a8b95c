"""A song with its grid, harmony and dynamics, as every arranger needs it."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from train.arrange.chords import Harmony, chords_on
from train.arrange.dynamics import Dynamics, read_dynamics
from train.arrange.grid import Grid, read_grid
from train.corpus.song import Song


@dataclass(frozen=True)
class Context:
    """A song ready to be arranged; ``random`` is the only source of randomness."""

    song: Song
    grid: Grid
    harmony: Harmony
    dynamics: Dynamics
    random: Random

    @staticmethod
    def of(song: Song, style: str, seed: int) -> Context:
        """Read ``song``; the same song, style and seed give the same random numbers on any machine."""
        grid = read_grid(song)
        return Context(
            song,
            grid,
            Harmony(chords_on(song, grid)),
            read_dynamics(song, grid),
            Random(f"{song.id}/{style}/{seed}"),
        )

    def last_hold_s(self) -> float:
        """Time at which a band stops its pattern and holds the last chord."""
        last = self.grid.bars[-1]
        start_s = max(last.start_s, self.harmony.chords[-1].start_s)
        if self.song.duration_s - start_s < 0.9 * last.pulse_s and len(self.grid.bars) > 1:
            start_s = max(self.grid.bars[-2].start_s, self.harmony.at(start_s - 0.05).start_s)
        return start_s
