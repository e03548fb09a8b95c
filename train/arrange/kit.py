"""Plays the drum kit: one pattern over a period, a fill at its end, and the touch of a human drummer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from train.arrange.band import FULL, Band
from train.arrange.drummer import Drummer, Stroke
from train.arrange.drums import DRUMS, FILLS
from train.arrange.dynamics import Phrase
from train.arrange.grid import Bar
from train.arrange.groove import GrooveBook, hits

FILLED = 0.85
"""Probability of a fill at the end of a period."""

USUAL_LAYER = 0.42
"""Period level from which a drum plays that a style does not list."""

BEATS = 4
"""Beats of a mined groove."""

TOUCH = 0.5
"""Velocity of the band for one of the drummer: a kit's velocities spread more than a score's."""

_ROWS = {key: row for row, key in DRUMS.items()}
_FORCE = {"X": 10.0, "x": -4.0, "o": -26.0}

Placed = tuple[float, str, float]
"""Time in seconds, row and level of one stroke."""


class Kit:
    """The drums of a band. Without a ``drummer`` it is a machine: on the grid, always as hard as written.

    A row of ``layers`` plays in periods whose level is at least its number.
    """

    def __init__(self, band: Band, layers: Mapping[str, float], drummer: Drummer | None = None) -> None:
        self.band, self.layers, self.drummer = band, layers, drummer
        self.context = band.context

    def play(self, book: GrooveBook, variant: int, fills: float = 0.0, mined: bool = True) -> None:
        """Play the song: the drummer's groove in bars of four pulses, patterns of ``book`` in others.

        Fills end periods from level ``fills`` up (0: none). With ``mined`` false, all bars play ``book``.
        """
        periods = self.context.dynamics.periods
        for number, period in enumerate(periods):
            after = periods[number + 1] if number + 1 < len(periods) else None
            self._period(period, after, book, variant, fills, mined)

    def _period(
        self, period: Phrase, after: Phrase | None, book: GrooveBook, variant: int, fills: float, mined: bool
    ) -> None:
        band, bars = self.band, self.context.grid.bars
        chosen = variant + (band.fuller if period.level > FULL else 0)
        for index in range(period.first, period.stop):
            bar = bars[index]
            whole = mined and bar.pulses == BEATS and not bar.ternary and not bar.pickup
            played = self._mined(bar) if whole and self.drummer else self._written(bar, book, chosen)
            strokes = [s for s in played if self._plays(s[1], period.level)]
            if after and index == period.stop - 1 and self._fills_here(period, after, bar, fills):
                start_s, fill = self._fill(bar)
                strokes = [s for s in strokes if s[0] < start_s - 0.02 or s[1] in ("ride", "hat")]
                strokes += fill
                if after.level > fills + 0.1:
                    strokes.append((bar.end_s, "crash", band.level(bar.end_s) + 4))
            for time_s, row, level in strokes:
                if time_s < band.hold_s - 0.03:
                    band.strike(row, time_s, level)

    def _plays(self, row: str, level: float) -> bool:
        return level >= self.layers.get(row, USUAL_LAYER)

    def _fills_here(self, period: Phrase, after: Phrase, bar: Bar, fills: float) -> bool:
        loud = max(period.level, after.level) >= fills > 0.0
        plays = any(self._plays(row, period.level) for row in self.layers)
        inside = bar.pulses >= 2 and bar.end_s <= self.band.hold_s + 0.01
        return loud and plays and inside and self.context.random.random() < FILLED

    def _mined(self, bar: Bar) -> Iterator[Placed]:
        """One bar of the drummer's groove."""
        assert self.drummer is not None
        groove = self.drummer.groove
        for stroke in self.drummer.bar():
            level = self.band.level(bar.start_s) + TOUCH * (stroke.velocity - groove.mean_velocity)
            yield bar.time(stroke.beat), _ROWS[stroke.drum], level

    def _written(self, bar: Bar, book: GrooveBook, variant: int) -> Iterator[Placed]:
        """One bar of a pattern of the book, with the drummer's touch."""
        for row in self.layers:
            for hit in hits(bar, book.cells(bar, row, variant), self.band.swing):
                level = self.band.level(hit.start_s) + _FORCE.get(hit.sign, 0.0)
                level -= 3.0 if hit.position % 1.0 else 0.0
                yield self._touched(hit.start_s, row, level, hit.position % 1.0, bar)

    def _touched(self, time_s: float, row: str, level: float, part: float, bar: Bar) -> Placed:
        if self.drummer is None:
            return time_s, row, level
        late, force = self.drummer.feel(DRUMS[row], part)
        return time_s + late * bar.pulse_s, row, level + TOUCH * force

    def _fill(self, bar: Bar) -> tuple[float, list[Placed]]:
        """Start in seconds and strokes of a fill over the last two pulses of ``bar``."""
        start = bar.pulses - 2
        recorded: tuple[Stroke, ...] = ()
        if self.drummer and not bar.ternary:
            recorded = self.drummer.fill()
        start_s, strokes = bar.pulses_s[start], []
        if recorded and self.drummer:
            mean = self.drummer.groove.mean_velocity
            for stroke in recorded:
                time_s = bar.time(start + stroke.beat)
                level = self.band.level(time_s) + TOUCH * (stroke.velocity - mean)
                strokes.append((time_s, _ROWS[stroke.drum], level))
            return start_s, strokes
        fill = self.context.random.choice(FILLS[bar.ternary])
        for row, cells in fill.rows.items():
            padded = ("." * len(cells[0]),) * start + cells
            for hit in hits(bar, padded, self.band.swing):
                level = self.band.level(hit.start_s) + _FORCE.get(hit.sign, 0.0)
                strokes.append(self._touched(hit.start_s, row, level, hit.position % 1.0, bar))
        return start_s, strokes
