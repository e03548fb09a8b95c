"""Extrapolates linearly from short measured pieces to a song."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Line:
    """Seconds for n units: ``fixed_s + each_s * n``."""

    fixed_s: float
    each_s: float

    def at(self, units: float) -> float:
        """Seconds for ``units``."""
        return self.fixed_s + self.each_s * units


def through(few: int, few_s: float, more: int, more_s: float) -> Line:
    """The line through two measurements; a negative slope or intercept is noise and becomes zero.

    Raises:
        ValueError: ``more`` is not larger than ``few``.
    """
    if more <= few:
        raise ValueError(f"{more} units are not more than {few}")
    each = max(0.0, (more_s - few_s) / (more - few))
    return Line(max(0.0, few_s - each * few), each)


def real_time_factor(seconds: float, audio_s: float) -> float:
    """Seconds of work for each second of audio."""
    return seconds / audio_s
