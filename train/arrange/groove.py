"""Rhythm patterns as text, and their hits in a bar.

A groove has one row per instrument and one cell per pulse; ``|`` separates cells. The characters of a cell
divide its pulse evenly: ``.`` is silence, ``-`` continues the last hit, anything else is a hit. Lower case is
softer than upper case; digits name chord tones (see the players in ``band``).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from train.arrange.grid import Bar


@dataclass(frozen=True, slots=True)
class Hit:
    """One hit: start and end in seconds, its ``sign`` in the pattern, and its ``position`` in pulses."""

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
        """Parse lines of ``name cell|cell|...``.

        Raises:
            ValueError: rows differ in length.
        """
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
    """The grooves of a style: variants by metre, which is (pulses, ternary)."""

    pages: dict[tuple[int, bool], tuple[Groove, ...]]

    @staticmethod
    def of(duple: dict[int, tuple[str, ...]], ternary: dict[int, tuple[str, ...]]) -> GrooveBook:
        """Parse the texts of each number of pulses."""
        pages = {(n, False): tuple(map(Groove.of, texts)) for n, texts in duple.items()}
        pages |= {(n, True): tuple(map(Groove.of, texts)) for n, texts in ternary.items()}
        return GrooveBook(pages)

    def cells(self, bar: Bar, row: str, variant: int) -> tuple[str, ...]:
        """One cell per pulse of ``bar``: a pattern of its length, or shorter ones joined."""
        result: list[str] = []
        for length in self._parts(bar.pulses, bar.ternary):
            known = min((n for n, t in self.pages if t == bar.ternary and n >= length), default=0)
            grooves = self.pages[known, bar.ternary]
            groove = grooves[variant % len(grooves)]
            cells = groove.rows.get(row, (".",) * groove.pulses)
            # An upbeat takes the end of a pattern, so that the next bar begins one.
            result += cells[known - length :] if bar.pickup else cells[:length]
        return tuple(result)

    def _parts(self, pulses: int, ternary: bool) -> list[int]:
        """Split into known lengths, longest first, without a single pulse if possible: 5 = 3 + 2, 7 = 4 +
        3."""
        known = sorted(n for n, t in self.pages if t == ternary)
        if pulses <= known[-1]:
            return [pulses]
        if 3 in known and pulses % 3 == 0 and pulses % 4:
            return [3] * (pulses // 3)
        leaves_one = pulses - known[-1] == 1 and known[-1] - 1 in known and known[-1] > 2
        first = known[-1] - leaves_one
        return [first, *self._parts(pulses - first, ternary)]


def hits(bar: Bar, cells: tuple[str, ...], swing: float = 0.5) -> Iterator[Hit]:
    """Hits of a row in a bar; ``swing`` is where the second half of a duple pulse begins (0.5: even)."""
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
    """Move the middle of a pulse to ``swing``; thirds of a pulse do not move."""
    whole, part = divmod(position, 1.0)
    if abs(part * 3 - round(part * 3)) < 1e-6:
        return position
    return whole + (part * 2 * swing if part <= 0.5 else swing + (part - 0.5) * 2 * (1 - swing))
