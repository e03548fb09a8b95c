"""What to redo, as the command takes it: bars, parts, chords, seed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from appliance.errors import UsageError

_BARS = re.compile(r"(\d{1,6})(?:\s*[-–]\s*(\d{1,6}))?")
_CHORDS = re.compile(r"(\d{1,6})\s*:\s*(\|.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class GivenChords:
    """Chords in bars, as a chart has them, from bar ``first_bar`` on."""

    first_bar: int
    text: str

    @staticmethod
    def parse(said: str) -> GivenChords:
        """Read ``9: | Dm7 | G7 |``. Raises UsageError.

        >>> GivenChords.parse("9: | Dm7 | G7 |")
        GivenChords(first_bar=9, text='| Dm7 | G7 |')
        """
        match = _CHORDS.fullmatch(said.strip())
        if match is None or int(match[1]) < 1:
            raise UsageError(
                f"--chords {said!r}: give the first bar, a colon and the chords in bars, such as "
                "'9: | Dm7 | G7 |'."
            )
        return GivenChords(int(match[1]), match[2])


@dataclass(frozen=True, slots=True)
class RedoRequest:
    """What the user asks for. None, or nothing in a list, means that it was not asked.

    ``bars`` are the first and the last bar. ``out`` is the folder for the results, by default that of the
    receipt; ``vocal`` is the recording, if it does not lie where the receipt says.
    """

    bars: tuple[int, int] | None = None
    parts: tuple[str, ...] = ()
    chords: tuple[GivenChords, ...] = ()
    seed: int | None = None
    out: Path | None = None
    vocal: Path | None = None

    @property
    def of_everything(self) -> bool:
        """Whether no bars, parts or chords are named."""
        return self.bars is None and not self.parts and not self.chords

    def facts(self) -> dict[str, Any]:
        """The request for the receipt."""
        return {
            "bars": None if self.bars is None else list(self.bars),
            "parts": list(self.parts),
            "chords": [f"{given.first_bar}: {given.text}" for given in self.chords],
            "seed": self.seed,
        }


def parse_bars(said: str) -> tuple[int, int]:
    """Read ``9-16`` or ``9``. Raises UsageError.

    >>> parse_bars("9-16"), parse_bars("9")
    ((9, 16), (9, 9))
    """
    match = _BARS.fullmatch(said.strip())
    if match is None:
        raise UsageError(f"--bars {said!r}: give the first and the last bar, such as 9-16, or one bar.")
    first, last = int(match[1]), int(match[2] or match[1])
    if last < first:
        raise UsageError(f"--bars {said}: the last bar comes before the first; write {last}-{first}.")
    return first, last
