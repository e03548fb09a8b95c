"""What a take plans besides its harmony: its rhythm, and the dials bar by bar, as inputs of the denoiser.

A pack whose networks know neither leaves the reading as it is: there the dials are turned afterwards
(:mod:`appliance.composing.dials`).

Letters: D dials, T score frames.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from appliance.composing.borrowed_rhythm import borrow, spread
from appliance.composing.dials import drawn_dials, like_reference, reference_attributes
from appliance.composing.manner import Groove
from appliance.composing.reading import Reading
from appliance.composing.wishes import Section, Wishes
from appliance.errors import UsageError
from appliance.grid import FRAME_RATE_HZ
from appliance.music.bar_lines import BarLines
from appliance.music.beat_grid import trusted
from appliance.music.dials import DIALS
from appliance.music.keys import signature_shift
from appliance.music.rhythm_attributes import RHYTHM_DIALS
from appliance.music.rhythm_plan import RhythmPlan, parse_phrase, parse_rhythm
from appliance.music.score import BeatGrid
from appliance.networks.condition_rows import CONDITION_ROWS
from appliance.networks.graphs import Graphs
from appliance.packs.dial_table import transposed_setting
from appliance.packs.pack import Pack


def planned(graphs: Graphs, pack: Pack, reading: Reading, wishes: Wishes, seed: int) -> Reading:
    """``reading`` with the rhythm and the dials of the take of ``seed``.

    The rhythm is the given one, or else the groove of a reference in the song's meter, or else one that the
    take borrows from the pack. A groove that is not played is a remark.

    Raises:
        UsageError: the given rhythm is invalid, or the pack's networks do not know rhythms.
    """
    if graphs.condition_rows < CONDITION_ROWS:
        if wishes.rhythm is not None:
            raise UsageError("This pack plays no given rhythm; leave it out, or choose a newer pack.")
        return _without_groove(reading, wishes, "this pack knows no rhythms")
    lines = BarLines.of(reading.grid, reading.duration_s)
    asked = _asked(pack, wishes, lines)
    rhythm = reading.rhythm
    if wishes.rhythm is not None:
        if not trusted(reading.grid):
            raise UsageError("A rhythm counts bars, and no bars were found; give the tempo (bpm).")
        rhythm = parse_rhythm(wishes.rhythm, lines, wishes.rhythm_name)
    elif wishes.like_groove is not None and _fits(wishes.like_groove, reading.grid):
        groove = wishes.like_groove
        phrase = parse_phrase(groove.rhythm, groove.meter, groove.bars, "the groove of the reference")
        rhythm = spread(phrase, lines.bars)
    elif trusted(reading.grid):
        rhythm = _borrowed(pack, reading.grid, lines.bars, wishes, asked, seed)
    if wishes.rhythm is None and not _fits(wishes.like_groove, reading.grid):
        reading = _without_groove(reading, wishes, "this song has other bars, or none that are sure")
    dials, settings = reading.dials, asked
    if wishes.style in pack.dials().styles:
        settings = {**drawn_dials(pack, asked, seed, wishes.style, rhythm, reading.grid), **asked}
    if settings or wishes.section:
        dials = dial_rows(settings, wishes.section, lines, reading.features.shape[1])
        spreads, shift = pack.dials().styles[wishes.style], signature_shift(reading.key)
        for row, dial in zip(dials, DIALS, strict=True):
            # The networks play in the key without accidentals.
            row += transposed_setting(spreads, dial, shift)
    if rhythm is reading.rhythm and dials is reading.dials:
        return reading
    return replace(reading, rhythm=rhythm, dials=dials)


def _borrowed(
    pack: Pack, grid: BeatGrid, bars: int, wishes: Wishes, asked: Mapping[str, float], seed: int
) -> RhythmPlan:
    """The rhythm that a take borrows, and another one in the bars of a section with such dials of its own."""

    def borrowed(settings: Mapping[str, float]) -> RhythmPlan:
        wanted = [settings.get(dial) for dial in RHYTHM_DIALS]
        return borrow(pack.rhythms(), wishes.style, grid, bars, seed, *wanted)

    rhythm = list(borrowed(asked))
    for section in wishes.section:
        if not section.dials.keys().isdisjoint(RHYTHM_DIALS):
            part = slice(section.first - 1, section.last)
            rhythm[part] = borrowed({**asked, **section.dials})[part]
    return tuple(rhythm)


def _fits(groove: Groove | None, grid: BeatGrid) -> bool:
    return (
        groove is not None
        and trusted(grid)
        and (groove.meter, groove.compound) == (grid.meter, grid.compound)
    )


def _without_groove(reading: Reading, wishes: Wishes, why: str) -> Reading:
    """``reading`` with a remark, if a groove was asked for."""
    if wishes.like_groove is None:
        return reading
    remark = f"{wishes.like_name}: its groove is not played, because {why}; dials and instruments are."
    return replace(reading, remarks=(*reading.remarks, remark))


def dial_rows(
    settings: Mapping[str, float], sections: Sequence[Section], lines: BarLines, frames: int
) -> NDArray[np.float32]:
    """The dials at each of ``frames`` score frames, (D, T); NaN where a dial is not turned.

    A section's own dials hold in its bars, those of the song elsewhere and where a section does not say.
    """
    rows = np.full((len(DIALS), frames), np.nan, np.float32)
    for dial, setting in settings.items():
        rows[DIALS.index(dial)] = setting
    frames_of = np.rint(lines.seconds(lines.firsts.astype(np.float64)) * FRAME_RATE_HZ).astype(int)
    for section in sections:
        part = slice(max(0, frames_of[section.first - 1]), max(0, frames_of[section.last]))
        for dial, setting in section.dials.items():
            rows[DIALS.index(dial), part] = setting
    return rows


def _asked(pack: Pack, wishes: Wishes, lines: BarLines) -> dict[str, float]:
    """The dials that are asked for, by the user or by a reference."""
    spreads = pack.dials().styles.get(wishes.style)
    if spreads is None:
        return {}
    return {**like_reference(reference_attributes(wishes, lines), wishes.dials, spreads), **wishes.dials}
