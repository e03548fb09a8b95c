"""Drum fills: two beats of snare and toms that end a period."""

from __future__ import annotations

from collections.abc import Mapping

KICK, SNARE, LOW_TOM, HIGH_TOM = 36, 38, 45, 50

FILL_BEATS = 2
"""Length of a fill."""

Fill = tuple[tuple[float, int, float], ...]
"""Strokes as (beats from the start of the fill, drum, accent from 0 to 1)."""


def _rolled(drums: tuple[int | None, ...], steps: int) -> Fill:
    """A fill from one drum, or None, a step; strokes on a beat and the last one are accented."""
    last = max(k for k, drum in enumerate(drums) if drum)
    return tuple(
        (k / steps, drum, 1.0 if k == last else 0.8 if k % steps == 0 else 0.6)
        for k, drum in enumerate(drums)
        if drum
    )


_S, _H, _L, _O = SNARE, HIGH_TOM, LOW_TOM, None

FILLS: Mapping[int, tuple[Fill, ...]] = {
    4: (
        _rolled((_O, _O, _O, _O, _S, _S, _H, _L), 4),
        _rolled((_S, _O, _S, _O, _H, _H, _L, _L), 4),
        _rolled((_O, _O, _O, _O, _S, _O, _S, _S), 4),
        _rolled((_S, _O, _S, _S, _H, _O, _L, _O), 4),
    ),
    3: (
        _rolled((_O, _O, _O, _S, _S, _L), 3),
        _rolled((_S, _O, _S, _H, _H, _L), 3),
        _rolled((_S, _O, _S, _S, _O, _S), 3),
    ),
}
"""Fills by steps a beat."""
