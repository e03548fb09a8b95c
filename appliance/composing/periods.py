"""Periods of a song: stretches of four to eight bars that end where the singer breathes.

A drummer keeps a pattern over a period and fills at its end.

Letters: T score frames, B bars.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from appliance.grid import FRAME_RATE_HZ
from appliance.music.score import BeatGrid

SHORTEST, LONGEST = 4, 8
"""In bars; a longer stretch without a breath is cut after four."""

BREATH_BEATS = 0.45
"""Length of the shortest breath, in beats."""

LEAST_BREATH_S = 0.25
"""A shorter rest may be a consonant."""

SUNG = 0.5
"""Voicing (0-1) from which a frame counts as sung."""

SILENT = 0.12
"""A bar counts as unsung if less than this share of it is sung."""


def bars_of(grid: BeatGrid) -> list[tuple[float, ...]]:
    """The whole bars of ``grid``: B times the beats of a bar and, last, its end."""
    beats_s = grid.beats_s
    return [tuple(beats_s[a : b + 1]) for a, b in pairwise(grid.downbeats) if b - a == grid.meter]


def periods_of(bars: list[tuple[float, ...]], voiced: NDArray[np.floating]) -> list[tuple[int, int]]:
    """Periods of ``bars`` as (first, bar after the last), for a song with the voicing ``voiced`` (T,)."""
    wanted = _breaths(bars, voiced)
    cuts = [0]
    for k in [*sorted(wanted), len(bars)]:
        while k - cuts[-1] > LONGEST:
            cuts.append(cuts[-1] + SHORTEST)
        if k == len(bars) or (k - cuts[-1] >= SHORTEST and len(bars) - k >= SHORTEST):
            cuts.append(k)
    return [(a, b) for a, b in pairwise(cuts) if b > a]


def _breaths(bars: list[tuple[float, ...]], voiced: NDArray[np.floating]) -> set[int]:
    """Numbers of the bars before which the singer breathes, or begins or stops singing."""
    sung = np.asarray(voiced) >= SUNG
    shares = [_share(sung, bar[0], bar[-1]) for bar in bars]
    found = {k for k in range(1, len(bars)) if (shares[k] < SILENT) != (shares[k - 1] < SILENT)}
    edges = np.flatnonzero(np.diff(sung.astype(np.int8)))
    rests_s = [(a / FRAME_RATE_HZ, b / FRAME_RATE_HZ) for a, b in pairwise(edges + 1) if not sung[a]]
    starts_s = np.array([bar[0] for bar in bars])
    for start_s, end_s in rests_s:
        k = max(0, int(np.searchsorted(starts_s, end_s, side="right")) - 1)
        beat_s = (bars[k][-1] - bars[k][0]) / (len(bars[k]) - 1)
        if end_s - start_s >= max(BREATH_BEATS * beat_s, LEAST_BREATH_S):
            late = end_s - bars[k][0] > (bars[k][-1] - bars[k][0]) / 2
            found.add(k + int(late))
    return {k for k in found if 0 < k < len(bars)}


def _share(sung: NDArray[np.bool_], start_s: float, end_s: float) -> float:
    part = sung[int(start_s * FRAME_RATE_HZ) : max(int(end_s * FRAME_RATE_HZ), 1)]
    return float(part.mean()) if len(part) else 0.0
