"""The dials that a training window is shown: what its own part does, section by section.

A user turns a dial for a song or for some of its bars. So a window is shown the attributes of random
sections, from one bar to the whole song, and each dial is absent at random (arXiv 2105.04090 gives attributes
bar by bar).

Letters: D dials, B bars and the upbeat, T score frames.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from appliance.grid import FRAME_RATE_HZ
from appliance.music.attributes import value
from appliance.music.bar_lines import BarLines
from appliance.music.dials import DIALS
from appliance.packs.dial_table import Spread, transposed_setting

WHOLE_SONG = 0.3
"""Probability that the whole song is one section."""

SECTION_BARS = (2.0, 4.0, 8.0, 16.0)
"""Mean lengths of the sections, one of which is drawn for a song."""

ABSENT, ABSENT_HERE = 0.5, 0.25
"""Probability that a dial is absent from the song, and from a section of a song that has it."""

WIDEST = 3.0
"""Settings beyond this are shown as this: one bar can do what no song does."""


def shown_dials(
    sums: NDArray[np.float32],
    spreads: Mapping[str, Spread],
    lines: BarLines,
    frames: int,
    rng: np.random.Generator,
    shift: int = 0,
) -> NDArray[np.float32]:
    """The dials at each of ``frames`` score frames (D, T), in steps of the dial; NaN where one is absent.

    Args:
        sums: (D, 2, B), numerator and denominator of each attribute in each bar.
        spreads: what songs of the part's style do.
        lines: the song's bars.
        frames: T.
        rng: draws the sections and what is absent.
        shift: semitones by which the window's part is transposed.
    """
    bars = sums.shape[2]
    firsts = _sections(bars, rng)
    stops = [*firsts[1:], bars]
    frames_of = np.rint(lines.seconds(lines.edges()) * FRAME_RATE_HZ).astype(int)
    present = rng.uniform(size=len(DIALS)) >= ABSENT
    rows = np.full((len(DIALS), frames), np.nan, np.float32)
    for first, stop in zip(firsts, stops, strict=True):
        part = slice(max(0, frames_of[first]), max(0, frames_of[stop]))
        hidden = rng.uniform(size=len(DIALS)) < ABSENT_HERE
        for row in np.flatnonzero(present & ~hidden):
            top, bottom = sums[row].astype(np.float64)
            measured = value(DIALS[row], (top, bottom), range(first, stop))
            setting = np.clip(spreads[DIALS[row]].setting(DIALS[row], measured), -WIDEST, WIDEST)
            rows[row, part] = setting + transposed_setting(spreads, DIALS[row], shift)
    return rows


def _sections(bars: int, rng: np.random.Generator) -> list[int]:
    """First bars of the sections, ascending from 0."""
    if rng.uniform() < WHOLE_SONG:
        return [0]
    mean = rng.choice(SECTION_BARS)
    begins = rng.uniform(size=bars) < 1.0 / mean
    return [0, *(int(bar) for bar in np.flatnonzero(begins) if bar)]
