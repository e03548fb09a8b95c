"""A chord of an arrangement, and the qualities that arrangers play."""

from __future__ import annotations

from dataclasses import dataclass

from appliance.music.chord_quality import tones_of

_WRITTEN = {"maj": "", "min": "m", "hdim": "m7b5"}


def written_quality(quality: str) -> str:
    """The chart's name of an arranger's quality."""
    return _WRITTEN.get(quality, quality)


QUALITIES: dict[str, tuple[int, ...]] = {
    quality: tones_of(written_quality(quality))
    for quality in ("maj", "min", "dim", "aug", "7", "maj7", "m7", "hdim", "sus4")
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
