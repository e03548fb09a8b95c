"""The bars of a chart as they are played: chords by name or by degree, repeats written out.

``|: Am | F :|`` is played twice, ``:| x3`` three times; ``:|`` without a beginning repeats from the last
repeat on, or from the start. ``%`` repeats a bar, and inside a bar ``%`` or ``/`` a chord. ``?`` is no chord
but leaves its time free.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from appliance.errors import UsageError
from appliance.music.chord_names import canonical
from appliance.music.scale_degrees import SongKey, chord_of_degree, is_degree

FREE = "?"
"""The label of time whose harmony is free."""

_TIMES = re.compile(r"\(?(?:[x×]\s*(\d{1,3})|(\d{1,3})\s*[x×])\)?")
"""How many times a repeat is played, behind its end: ``x3``, ``(3x)``."""

_MOST_TIMES = 99


@dataclass(frozen=True, slots=True)
class Labels:
    """Reads single chords, by name or by degree."""

    song: SongKey | None

    def of(self, text: str) -> str:
        """The label of one chord, or :data:`FREE`. Raises UsageError."""
        if text == FREE:
            return FREE
        if not is_degree(text):
            return canonical(text)
        if self.song is None:
            raise UsageError(f"{text!r} counts in a key, and none is known; write the chord's name.")
        return chord_of_degree(text, self.song.key).label


@dataclass(slots=True)
class Bars:
    """The bars of a chart in the order in which they are played, each with its chords."""

    labels: Labels
    played: list[list[str]] = field(default_factory=list)
    opened: int | None = None
    """Where in ``played`` the repeat began whose end is still to come."""
    _from: int = 0
    """Where a repeat began that no sign opens."""
    _repeated: list[list[str]] = field(default_factory=list)
    """What was repeated just now; its number of times may follow."""

    def add(self, line: str) -> None:
        """Adds the bars of a line. Raises UsageError."""
        for cell in filter(None, map(str.strip, line.split("|"))):
            times = _TIMES.fullmatch(cell)
            if times and self._repeated:
                self._repeat_more(int(times[1] or times[2]))
                continue
            self._repeated = []
            closes = cell.endswith(":") and (cell != ":" or self.opened not in (None, len(self.played)))
            if cell.startswith(":") and not (closes and cell == ":"):
                self._open()
            if bar := cell.strip(":").split():
                self.played.append(self._bar(bar))
            if closes:
                self._close()

    def _open(self) -> None:
        if self.opened is not None:
            raise UsageError("'|:' opens a repeat inside another; close that one with ':|' first.")
        self.opened = len(self.played)

    def _close(self) -> None:
        start = self._from if self.opened is None else self.opened
        self._repeated = self.played[start:]
        if not self._repeated:
            raise UsageError("':|' repeats bars, but none stand before it.")
        self.played += self._repeated
        self.opened, self._from = None, len(self.played)

    def _repeat_more(self, times: int) -> None:
        if not 2 <= times <= _MOST_TIMES:
            raise UsageError(f"a repeat is played 2 to {_MOST_TIMES} times, not {times}.")
        self.played += self._repeated * (times - 2)
        self._from, self._repeated = len(self.played), []

    def _bar(self, cells: list[str]) -> list[str]:
        """Its chords. A single ``%`` repeats the previous bar; other ``%`` or ``/`` repeat a chord."""
        if cells == ["%"]:
            if not self.played:
                raise UsageError("'%' repeats the previous bar, but this is the first bar.")
            return self.played[-1]
        labels: list[str] = []
        for cell in cells:
            if cell in ("%", "/"):
                if not labels:
                    raise UsageError(f"{cell!r} repeats the previous chord, but it opens the bar.")
                labels.append(labels[-1])
            else:
                labels.append(self.labels.of(cell))
        return labels
