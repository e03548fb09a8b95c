"""Periods of a song: stretches of about four or eight bars that end where the singer breathes.

A drummer keeps a pattern over a period and fills at its end. A singer breathes more often than that, and not
always on time, so the periods are found for the whole song at once: dynamic programming over the bar lines
weighs the breath at each end against the usual lengths.

Training and the appliance share this code. Letters: B bars.
"""

from __future__ import annotations

from collections.abc import Sequence

LENGTH_COST = {2: 2.4, 3: 1.6, 4: 0.0, 5: 1.2, 6: 0.9, 7: 1.4, 8: 0.3}
"""Cost of a period by its length in bars, against one beat of breath."""

LONGEST_BREATH_BEATS = 2.5
"""A longer rest says no more."""

CONSONANT_S = 0.3
"""A shorter rest may be a consonant; a breath is counted from here on."""

Bars = Sequence[Sequence[float]]
"""B bars: the times of each bar's beats in seconds and, last, its end."""

Rest = tuple[float, float]
"""Start and end in seconds of a stretch without singing."""


def periods(bars: Bars, rests: Sequence[Rest]) -> list[tuple[int, int]]:
    """The periods of ``bars`` as (first, bar after the last); ``rests`` are those of the singer, in order.

    >>> bars = [(2.0 * k, 2.0 * k + 1.0, 2.0 * k + 2.0) for k in range(10)]
    >>> periods(bars, [(11.0, 12.0)])
    [(0, 6), (6, 10)]
    """
    count = len(bars)
    breaths = _breaths(bars, rests)
    best: list[tuple[float, int]] = [(0.0, 0)]
    for stop in range(1, count + 1):
        options = []
        for length in range(1, min(stop, max(LENGTH_COST)) + 1):
            usual = LENGTH_COST.get(length, 3.0)
            gain = breaths[stop] if stop < count else 0.0
            options.append((best[stop - length][0] + usual - gain, stop - length))
        best.append(min(options))
    found: list[tuple[int, int]] = []
    stop = count
    while stop:
        first = best[stop][1]
        found.append((first, stop))
        stop = first
    return found[::-1]


def _breaths(bars: Bars, rests: Sequence[Rest]) -> list[float]:
    """The longest rest around the start of each bar, in beats: (B,).

    A rest counts for the bar line nearest to its end, where the next phrase begins.
    """
    result = [0.0] * len(bars)
    starts_s = [bar[0] for bar in bars]
    for start_s, end_s in rests:
        near = min(range(len(bars)), key=lambda k: abs(starts_s[k] - end_s), default=None)
        if near is None or end_s - start_s <= CONSONANT_S:
            continue
        beat_s = (bars[near][-1] - bars[near][0]) / (len(bars[near]) - 1)
        # A rest that ends far from any bar line begins a phrase inside the bar.
        if abs(starts_s[near] - end_s) <= (bars[near][-1] - bars[near][0]) / 2 + 1e-6:
            breath = min((end_s - start_s - CONSONANT_S) / beat_s, LONGEST_BREATH_BEATS)
            result[near] = max(result[near], breath)
    return result
