"""Phrases for the pack's rhythm bank (:mod:`appliance.packs.rhythm_bank`): a few bars of many songs.

Each song gives one phrase a style, the most typical of it. Of all phrases of a style and meter those are kept
that differ most, so that dials and takes find slow and fast, plain and syncopated ones.

Letters: N phrases.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from appliance.music.bar_lines import TICKS, BarLines
from appliance.music.keys import signature_shift
from appliance.music.note_rows import score_of
from appliance.music.rhythm_attributes import rhythm_attributes
from appliance.music.rhythm_plan import BarRhythm, in_meter, rhythm_of, rhythm_text, typical_bars
from appliance.music.score import STYLE_GROUPS
from appliance.packs.rhythm_bank import StoredPhrase
from train.data.song_cache import CachedSong

BARS = 8
"""Bars of a phrase."""

KEPT = 40
"""Phrases that are kept of one style and meter."""

FEWEST = 8
"""A style and meter with fewer phrases has none: takes would all borrow the same."""

_THIRDS = (4, 8)
"""Places of a beat that only triplets and compound time have."""


def phrases(songs: Iterable[CachedSong], styles: Sequence[str], kept: int = KEPT) -> list[StoredPhrase]:
    """The phrases of ``songs``, by style and meter; the same songs give the same phrases."""
    kinds: dict[tuple[str, int, bool], list[StoredPhrase]] = {}
    bars_of: dict[int, tuple[BarRhythm, ...]] = {}
    for song in songs:
        for style in styles:
            bars = _typical(song, style)
            if bars is None:
                continue
            phrase = StoredPhrase(
                style=style,
                meter=song.grid.meter,
                compound=_is_compound(bars),
                bpm=round(song.grid.bpm, 1),
                bars=BARS,
                rhythm=rhythm_text(bars),
            )
            bars_of[id(phrase)] = bars
            kinds.setdefault((style, phrase.meter, phrase.compound), []).append(phrase)
    chosen: list[StoredPhrase] = []
    for _, found in sorted(kinds.items()):
        if len(found) >= FEWEST:
            described = np.array([_described(bars_of[id(phrase)], phrase) for phrase in found])
            chosen += [found[k] for k in most_different(described, kept)]
    return chosen


def most_different(described: NDArray[np.float64], count: int) -> list[int]:
    """Indices of ``count`` rows of (N, D) that lie far apart, the most central first, in their order.

    The farthest-first traversal of Gonzalez (Theoretical Computer Science 1985). Equal rows count once.
    """
    scaled = (described - described.mean(axis=0)) / np.maximum(described.std(axis=0), 1e-9)
    chosen = [int(np.abs(scaled).sum(axis=1).argmin())]
    distance = np.linalg.norm(scaled - scaled[chosen[0]], axis=1)
    while len(chosen) < count and distance.max() > 1e-9:
        chosen.append(int(distance.argmax()))
        distance = np.minimum(distance, np.linalg.norm(scaled - scaled[chosen[-1]], axis=1))
    return chosen


def _typical(song: CachedSong, style: str) -> tuple[BarRhythm, ...] | None:
    """The phrase of the song whose bars are the commonest ones; None if no phrase has :data:`BARS` bars."""
    score = score_of(song.scores[style], song.duration_s).transposed(signature_shift(song.key))
    lines = BarLines.of(song.grid, song.duration_s)
    phrase = typical_bars(in_meter(rhythm_of(score, lines), lines), BARS)
    return phrase if len(phrase) == BARS else None


def _is_compound(bars: Sequence[BarRhythm]) -> bool:
    """Whether most onsets off the beat are thirds of it."""
    parts = [place % TICKS for bar in bars for place in chain(*bar.places)]
    off = [part for part in parts if part]
    return bool(off) and sum(part in _THIRDS for part in off) > len(off) / 2


def _described(bars: Sequence[BarRhythm], phrase: StoredPhrase) -> list[float]:
    """Numbers in which phrases differ: density, syncopation, onsets of each register, tempo."""
    registers = [sum(len(bar.places[k]) for bar in bars) / len(bars) for k in range(3)]
    bass = "bass" in STYLE_GROUPS[phrase.style]
    attributes = rhythm_attributes(bars, phrase.meter, compound=phrase.compound, bass=bass)
    return [*attributes, *registers, float(np.log2(phrase.bpm))]
