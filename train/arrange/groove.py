"""Rhythm patterns as text, and their hits on a bar.

A groove has one row an instrument and one cell a pulse, cells parted by ``|``. A cell divides its
pulse evenly into its characters: ``.`` silence, ``-`` the last hit goes on, anything else a hit.
Lower case is softer than upper case; figures name chord tones (see the players).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from train.arrange.grid import Bar


@dataclass(frozen=True, slots=True)
class Hit:
    """One hit: ``start_s`` and ``end_s`` seconds, its pattern ``sign``, and its pulse position."""

    start_s: float
    end_s: float
    sign: str
    position: float


@dataclass(frozen=True, slots=True)
class Groove:
    """Rows by instrument; every row has ``pulses`` cells."""

    pulses: int
    rows: dict[str, tuple[str, ...]]

    @staticmethod
    def of(text: str) -> Groove:
        """Reads lines of ``name cell|cell|...``; ValueError where rows differ in length."""
        rows: dict[str, tuple[str, ...]] = {}
        for line in text.strip().splitlines():
            name, cells = line.split()
            rows[name] = tuple(cells.split("|"))
        lengths = {len(cells) for cells in rows.values()}
        if len(lengths) != 1:
            raise ValueError(f"rows of a groove differ in length: {text}")
        return Groove(lengths.pop(), rows)


@dataclass(frozen=True)
class GrooveBook:
    """The grooves of a style by metre: keys are (pulses, ternary), each with its variants."""

    pages: dict[tuple[int, bool], tuple[Groove, ...]]

    @staticmethod
    def of(duple: dict[int, tuple[str, ...]], ternary: dict[int, tuple[str, ...]]) -> GrooveBook:
        """Parses the texts of each metre."""
        pages = {(n, False): tuple(map(Groove.of, texts)) for n, texts in duple.items()}
        pages |= {(n, True): tuple(map(Groove.of, texts)) for n, texts in ternary.items()}
        return GrooveBook(pages)

    def cells(self, bar: Bar, row: str, variant: int) -> tuple[str, ...]:
        """One cell a pulse of ``bar``: a pattern of its length, or shorter ones set side by side."""
        result: list[str] = []
        for length in self._parts(bar.pulses, bar.ternary):
            known = min((n for n, t in self.pages if t == bar.ternary and n >= length), default=0)
            grooves = self.pages[known, bar.ternary]
            groove = grooves[variant % len(grooves)]
            cells = groove.rows.get(row, (".",) * groove.pulses)
            # An upbeat takes the end of a pattern, so that the bar after it begins one.
            result += cells[known - length :] if bar.pickup else cells[:length]
        return tuple(result)

    def _parts(self, pulses: int, ternary: bool) -> list[int]:
        """5 as 3 + 2, 6 as 3 + 3, 7 as 4 + 3: the longest known first, no pulse left alone if possible."""
        known = sorted(n for n, t in self.pages if t == ternary)
        if pulses <= known[-1]:
            return [pulses]
        if 3 in known and pulses % 3 == 0 and pulses % 4:
            return [3] * (pulses // 3)
        leaves_one = pulses - known[-1] == 1 and known[-1] - 1 in known and known[-1] > 2
        first = known[-1] - leaves_one
        return [first, *self._parts(pulses - first, ternary)]


def hits(bar: Bar, cells: tuple[str, ...], swing: float = 0.5) -> Iterator[Hit]:
    """Hits of a row on a bar; ``swing`` is where the second half of a duple pulse begins (0.5 even)."""
    pending: tuple[float, str] | None = None
    for pulse, cell in enumerate(cells):
        for step, sign in enumerate(cell):
            position = pulse + step / len(cell)
            if sign == "-":
                continue
            if pending:
                yield _hit(bar, *pending, position, swing)
            pending = None if sign == "." else (position, sign)
    if pending:
        yield _hit(bar, *pending, float(len(cells)), swing)


def _hit(bar: Bar, start: float, sign: str, end: float, swing: float) -> Hit:
    warp = 0.5 if bar.ternary else swing
    return Hit(bar.time(_swung(start, warp)), bar.time(_swung(end, warp)), sign, start)


def _swung(position: float, swing: float) -> float:
    """Moves the middle of a pulse to ``swing``; thirds of a pulse stay where they are."""
    whole, part = divmod(position, 1.0)
    if abs(part * 3 - round(part * 3)) < 1e-6:
        return position
    return whole + (part * 2 * swing if part <= 0.5 else swing + (part - 0.5) * 2 * (1 - swing))
