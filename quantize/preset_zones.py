"""Reads the zones of a soundfont from its tables, and writes changed zones into new tables.

A preset or instrument is a list of zones; a zone is a list of generators (values of parameters) and
modulators (E-mu, "SoundFont Technical Specification 2.04", 2006, section 7).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from appliance.errors import UsageError
from quantize.riff import Tables

KEY_RANGE, PAN = 43, 17
"""Generators (specification §8.1.2)."""


class Zone:
    """A zone of a preset or an instrument.

    ``generators`` are (operator, amount) pairs, ``modulators`` rows of the file's table.
    """

    def __init__(self, generators: NDArray[np.void], modulators: NDArray[np.void]) -> None:
        self.generators = [(int(g["op"]), int(g["amount"])) for g in generators]
        self.modulators = modulators

    @classmethod
    def neutral(cls, modulators: NDArray[np.void]) -> Zone:
        """A global zone that changes nothing."""
        zone = cls(modulators[:0], modulators)
        zone.generators = [(PAN, 0)]
        return zone

    def get(self, operator: int) -> int | None:
        return dict(self.generators).get(operator)

    def replace(self, operator: int, amount: int) -> None:
        self.generators = [(op, amount if op == operator else old) for op, old in self.generators]

    def set_keys(self, low: int, high: int) -> None:
        """Set the key range, which must be a zone's first generator (specification §8.1.2)."""
        others = [(op, amount) for op, amount in self.generators if op != KEY_RANGE]
        self.generators = [(KEY_RANGE, low | high << 8), *others]

    def range_of(self, operator: int, default: tuple[int, int]) -> tuple[int, int]:
        amount = self.get(operator)
        return default if amount is None else (amount & 0xFF, amount >> 8)


def zones_of(font: Tables, head: str, bag: str, gen: str, mod: str, index: int) -> Iterator[Zone]:
    """The zones of row ``index`` of the header table ``head``."""
    first, last = int(font[head][index]["bag"]), int(font[head][index + 1]["bag"])
    for row in range(first, last):
        here, after = font[bag][row], font[bag][row + 1]
        yield Zone(
            font[gen][int(here["gen"]) : int(after["gen"])], font[mod][int(here["mod"]) : int(after["mod"])]
        )


def lay_out(
    out: Tables,
    font: Tables,
    head: str,
    bag: str,
    gen: str,
    mod: str,
    entries: list[tuple[np.void, list[Zone]]],
) -> None:
    """Write headers and their zones into the four tables, each with the terminating row of the format.

    Raises:
        UsageError: a table would be too long for the format's 16-bit indices.
    """
    heads, bags, generators, modulators = [], [], [], []
    for header, zones in entries:
        row = header.copy()
        row["bag"] = len(bags)
        heads.append(row)
        for zone in zones:
            bags.append((len(generators), len(modulators)))
            generators.extend(zone.generators)
            modulators.extend(zone.modulators)
    last = font[head][-1].copy()
    last["bag"] = len(bags)
    bags.append((len(generators), len(modulators)))
    generators.append((0, 0))
    modulators.append(np.zeros((), font[mod].dtype)[()])
    if max(len(bags), len(generators), len(modulators)) > 0xFFFF:
        raise UsageError("The cut soundfont has too many zones for its format; choose fewer presets.")
    out.rows[head] = np.array([*heads, last], font[head].dtype)
    out.rows[bag] = np.array(bags, font[bag].dtype)
    out.rows[gen] = np.array(generators, font[gen].dtype)
    out.rows[mod] = np.array(modulators, font[mod].dtype)
