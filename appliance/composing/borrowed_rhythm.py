"""The rhythm of a take, borrowed from people's music.

A take borrows a phrase of the pack's rhythm bank and plays it over and over, so that its rhythm has a pattern
as a song's has; at the end it comes to rest on the first beat. The first take borrows the phrase that suits
the song best, and each further one the phrase that shares least with those before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from appliance.music.bar_lines import TICKS
from appliance.music.rhythm_plan import BarRhythm, RhythmPlan
from appliance.music.score import BeatGrid
from appliance.packs.rhythm_bank import Phrase, RhythmBank

CANDIDATES = 30
"""Takes choose among so many phrases that suit the song best."""

ASKED_CANDIDATES = 6
"""The same where the user asks for a density or syncopation: then all must be near to it."""

USUAL = (-1.2, -0.5)
"""Density and syncopation of the phrase that suits best where nobody asks, in standard deviations:
a phrase calmer than most leaves room for the voice."""

_TEMPO_WEIGHT = 2.0
"""Distance of phrases an octave of tempo apart, in standard deviations of density or syncopation."""

_COMPARED_BARS = 8
"""Phrases are compared over so many bars of their repetition."""


def borrow(
    bank: RhythmBank,
    style: str,
    grid: BeatGrid,
    bars: int,
    seed: int,
    density: float | None = None,
    syncopation: float | None = None,
) -> RhythmPlan:
    """A rhythm for each of the ``bars`` bars of ``grid``; empty if no phrase of ``bank`` has its meter.

    ``density`` and ``syncopation`` are settings of these dials, but count standard deviations of the phrases
    of this style and meter. The same arguments give the same rhythm.
    """
    phrases = bank.of(style, grid)
    if not phrases or not grid.downbeats:
        return ()
    order = farthest_first(_suited(phrases, grid.bpm, density, syncopation))
    return spread(order[seed % len(order)].bars, bars)


def spread(phrase: Sequence[BarRhythm], bars: int) -> RhythmPlan:
    """The rhythm of ``bars`` bars that repeat ``phrase``; the last one has its first places only."""
    whole = [phrase[bar % len(phrase)] for bar in range(bars)]
    whole[-1:] = [replace(bar, places=tuple(places[:1] for places in bar.places)) for bar in whole[-1:]]
    return tuple(whole)


def farthest_first(phrases: Sequence[Phrase]) -> list[Phrase]:
    """``phrases`` of one meter in another order: the first, then always the one farthest from those before.

    Farthest-first traversal (Gonzalez 1985, Theoretical Computer Science 38). The distance of two phrases is
    the share of their strokes that only one of them has. Of phrases equally far the earlier one comes first.
    """
    strokes = np.array([_strokes(phrase) for phrase in phrases], np.float64)
    shared = strokes @ strokes.T
    counts = strokes.sum(axis=1)
    apart = 1.0 - shared / np.maximum(counts[:, None] + counts - shared, 1.0)
    order = [0]
    nearest = apart[0].copy()
    while len(order) < len(phrases):
        nearest[order[-1]] = -1.0
        order.append(int(nearest.argmax()))
        nearest = np.minimum(nearest, apart[order[-1]])
    return [phrases[k] for k in order]


def _suited(
    phrases: Sequence[Phrase], bpm: float, density: float | None, syncopation: float | None
) -> list[Phrase]:
    """The phrases that suit a song best, best first."""
    usual = zip((density, syncopation), USUAL, strict=True)
    wanted = np.array([*(default if asked is None else asked for asked, default in usual), 0.0])
    known = np.array([phrase.attributes() for phrase in phrases])
    scores = (known - known.mean(axis=0)) / np.maximum(known.std(axis=0), 1e-6)
    octaves = np.log2([phrase.bpm / bpm for phrase in phrases])[:, None]
    distance = np.abs(np.concatenate([scores, _TEMPO_WEIGHT * octaves], axis=1) - wanted).sum(axis=1)
    count = CANDIDATES if density is None and syncopation is None else ASKED_CANDIDATES
    return [phrases[k] for k in np.argsort(distance, kind="stable")[:count]]


def _strokes(phrase: Phrase) -> NDArray[np.bool_]:
    """Whether anything starts at each place of the compared bars, one after the other."""
    found = np.zeros((_COMPARED_BARS, phrase.meter * TICKS), np.bool_)
    for bar, row in enumerate(found):
        row[list(chain(*phrase.bars[bar % len(phrase.bars)].places))] = True
    return found.ravel()
