"""Guitar chord shapes that a hand can hold."""

from __future__ import annotations

from functools import lru_cache

from train.arrange.chord import QUALITIES

Shape = tuple[int | None, ...]
"""MIDI pitch of each string, lowest string first; None is a string that is not played."""

OPEN_STRINGS = (40, 45, 50, 55, 59, 64)
"""MIDI pitches of standard tuning."""

SPAN = 3
"""Number of frets that the hand covers above its position."""

HIGHEST_PITCH = 76


@lru_cache(maxsize=4096)
def shapes(root: int, quality: str, bass: int) -> tuple[Shape, ...]:
    """Shapes for each hand position, lowest position first.

    The lowest played string sounds ``bass``. Every chord tone is present, except the fifth in chords of four
    tones.
    """
    tones = {(root + step) % 12 for step in QUALITIES[quality]}
    needed = tones - ({(root + 7) % 12} if len(tones) > 3 else set())
    found: dict[Shape, None] = {}
    for position in range(8):
        for bass_string in range(3):
            shape = _shape(tones, bass, position, bass_string)
            if shape and needed <= {p % 12 for p in shape if p is not None}:
                found[shape] = None
    return tuple(found) or (_fallback(sorted(tones), bass),)


def _shape(tones: set[int], bass: int, position: int, bass_string: int) -> Shape | None:
    """Fill the strings from ``bass_string`` up with chord tones in reach, missing tones first."""
    shape: list[int | None] = [None] * bass_string
    heard: set[int] = set()
    for string in range(bass_string, 6):
        reach = _reach(OPEN_STRINGS[string], position)
        if string == bass_string:
            options = [p for p in reach if p % 12 == bass]
        else:
            options = [p for p in reach if p % 12 in tones and p <= HIGHEST_PITCH]
        if not options:
            if string == bass_string:
                return None
            shape.append(None)
            continue
        best = min(options, key=lambda p: (p % 12 in heard, p))
        heard.add(best % 12)
        shape.append(best)
    return tuple(shape) if sum(p is not None for p in shape) >= 4 else None


def _reach(open_pitch: int, position: int) -> list[int]:
    fretted = [open_pitch + fret for fret in range(max(position, 1), max(position, 1) + SPAN + 1)]
    return [open_pitch, *fretted] if position < 5 else fretted


def _fallback(tones: list[int], bass: int) -> Shape:
    """Close position on the upper strings over the bass, for the rare chord without a shape."""
    low = 40 + (bass - 40) % 12
    upper = sorted(52 + (tone - 52) % 12 for tone in tones)[:3]
    return (low, None, None, *upper) if len(upper) == 3 else (low, None, *upper)


def nearest(options: tuple[Shape, ...], previous: Shape) -> Shape:
    """The shape whose strings move least from ``previous``, or the lowest position if that is empty."""
    if not previous:
        return options[0]

    def travel(shape: Shape) -> float:
        moves = [abs(a - b) for a, b in zip(shape, previous, strict=True) if a is not None and b is not None]
        silent = sum(p is None for p in shape)
        return sum(moves) + 1.5 * silent + 0.2 * max(p for p in shape if p is not None) - 8

    return min(options, key=lambda s: (travel(s), str(s)))
