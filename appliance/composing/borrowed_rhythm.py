"""The rhythm of a take, borrowed from people's music.

A take borrows a phrase of the pack's rhythm bank and plays it over and over, so that its rhythm has a pattern
as a song's has; at the end it comes to rest on the first beat.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from appliance.music.rhythm_plan import BarRhythm, RhythmPlan
from appliance.music.score import BeatGrid
from appliance.packs.rhythm_bank import RhythmBank

CANDIDATES = 6
"""A take draws among so many phrases that suit it best."""

_TEMPO_WEIGHT = 2.0
"""Distance of phrases an octave of tempo apart, in standard deviations of density or syncopation."""


def borrow(
    bank: RhythmBank,
    style: str,
    grid: BeatGrid,
    bars: int,
    seed: int,
    density: float = 0.0,
    syncopation: float = 0.0,
) -> RhythmPlan:
    """A rhythm for each of the ``bars`` bars of ``grid``; empty if no phrase of ``bank`` has its meter.

    ``density`` and ``syncopation`` are settings of these dials, but count standard deviations of the phrases
    of this style and meter. The same arguments give the same rhythm.
    """
    phrases = bank.of(style, grid)
    if not phrases or not grid.downbeats:
        return ()
    asked = np.array([density, syncopation, 0.0])
    known = np.array([phrase.attributes() for phrase in phrases])
    scores = (known - known.mean(axis=0)) / np.maximum(known.std(axis=0), 1e-6)
    octaves = np.log2([p.bpm / grid.bpm for p in phrases])[:, None]
    distance = np.abs(np.concatenate([scores, _TEMPO_WEIGHT * octaves], axis=1) - asked).sum(axis=1)
    nearest = np.argsort(distance, kind="stable")[:CANDIDATES]
    chosen = phrases[int(nearest[np.random.default_rng([seed, 0x21]).integers(len(nearest))])]
    return spread(chosen.bars, bars)


def spread(phrase: Sequence[BarRhythm], bars: int) -> RhythmPlan:
    """The rhythm of ``bars`` bars that repeat ``phrase``; the last one has its first places only."""
    whole = [phrase[bar % len(phrase)] for bar in range(bars)]
    whole[-1:] = [replace(bar, places=tuple(places[:1] for places in bar.places)) for bar in whole[-1:]]
    return tuple(whole)
