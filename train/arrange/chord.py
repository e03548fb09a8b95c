"""A chord of an arrangement, and the qualities that arrangers play."""

from __future__ import annotations

from dataclasses import dataclass

QUALITIES: dict[str, tuple[int, ...]] = {
    "maj": (0, 4, 7),
    "min": (0, 3, 7),
    "dim": (0, 3, 6),
    "aug": (0, 4, 8),
    "7": (0, 4, 7, 10),
    "maj7": (0, 4, 7, 11),
    "m7": (0, 3, 7, 10),
    "hdim": (0, 3, 6, 10),
    "sus4": (0, 5, 7),
}
"""Semitones above the root, root first."""


@dataclass(frozen=True, slots=True)
class Chord:
    """A chord from ``start_s`` to ``end_s``; ``root`` and ``bass`` are pitch classes, 0 = C."""

    start_s: float
    end_s: float
    root: int
    quality: str
    bass: int

    @property
    def pitch_classes(self) -> tuple[int, ...]:
        """Pitch classes of the chord, root first."""
        return tuple((self.root + step) % 12 for step in QUALITIES[self.quality])

    def within(self, start_s: float, end_s: float) -> Chord | None:
        """The part of the chord between two times; None if it does not sound there."""
        a, b = max(self.start_s, start_s), min(self.end_s, end_s)
        return Chord(a, b, self.root, self.quality, self.bass) if b > a + 1e-6 else None
