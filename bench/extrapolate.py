"""From a short measured piece to a song: the arithmetic behind every figure that is called extrapolated."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Line:
    """Seconds that ``n`` units take: ``fixed_s + each_s * n``."""

    fixed_s: float
    each_s: float

    def at(self, units: float) -> float:
        """Seconds for ``units``."""
        return self.fixed_s + self.each_s * units


def through(few: int, few_s: float, more: int, more_s: float) -> Line:
    """The line through two measurements; a slope or a start below zero is noise and counts as zero."""
    if more <= few:
        raise ValueError(f"{more} units are not more than {few}")
    each = max(0.0, (more_s - few_s) / (more - few))
    return Line(max(0.0, few_s - each * few), each)


def real_time_factor(seconds: float, audio_s: float) -> float:
    """Seconds of work a second of music."""
    return seconds / audio_s
