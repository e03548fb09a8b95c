"""What a band does that the denoiser leaves undone: no crumbs, drums that keep a pattern, a bass that walks.

The measures are in :mod:`train.evaluate.control.band`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from appliance.composing.drum_feel import with_feel
from appliance.composing.drum_keeping import keep_drums
from appliance.composing.sung_rests import rests_of
from appliance.composing.walking_bass import walk_bass
from appliance.music.bar_lines import whole_bars
from appliance.music.beat_grid import trusted
from appliance.music.chord_chart import Chart
from appliance.music.crumbs import without_crumbs
from appliance.music.keys import Key
from appliance.music.periods import periods
from appliance.music.score import BeatGrid, Score

WALKING_STYLES = ("jazz",)


def play_as_a_band(
    score: Score,
    style: str,
    grid: BeatGrid,
    chart: Chart,
    key: Key,
    voiced: NDArray[np.floating],
    *,
    obey: bool,
    seed: int,
) -> Score:
    """``score`` played by the rules of a band in ``style``.

    ``voiced`` (T,) is the voicing of T score frames; the singer's breaths divide the song into periods. With
    ``obey`` chart or key were given. Without trusted beats only crumbs are removed.
    """
    if trusted(grid):
        if style in WALKING_STYLES:
            score = walk_bass(score, grid, chart, key, obey=obey)
        bars = whole_bars(grid)
        score = keep_drums(score, bars, periods(bars, rests_of(voiced)), seed)
        score = with_feel(score, grid, style, seed)
    return without_crumbs(score, company=False)
