"""The dials of one take: what was asked, what the take draws for itself, and how the notes are made to obey.

A dial that nobody turns is drawn by each take near to what songs of the style do on average. Density and
syncopation are not drawn where the take has a rhythm: they are those of the rhythm. Seed 0 draws nothing, and
neither does a take of a pack that carries no table of its own: they stay as they were.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from appliance.composing.reading import Reading
from appliance.composing.shaping.in_key import shape_in_key
from appliance.composing.shaping.shape import Region, shape
from appliance.composing.shaping.song import Song
from appliance.composing.wishes import Section, Wishes
from appliance.errors import UsageError
from appliance.music.attributes import Measured, measure, value
from appliance.music.bar_lines import BarLines
from appliance.music.chart_keeping import follow_chart
from appliance.music.chord_chart import Chart
from appliance.music.dials import DIALS, HIGHEST_DIAL, LOWEST_DIAL
from appliance.music.rhythm_attributes import RHYTHM_DIALS, rhythm_attributes
from appliance.music.rhythm_plan import RhythmPlan
from appliance.music.score import STYLE_GROUPS, BeatGrid, Score
from appliance.networks.condition_rows import PLAN_GIVEN
from appliance.packs.dial_table import Spread
from appliance.packs.pack import Pack
from appliance.vocal.sung_notes import sung_notes

Settings = Mapping[str, float]
"""Settings of some dials, in standard deviations of the style."""

DRAWN_SD = 0.3
"""Standard deviation of drawn dials. Rhythm and harmony make takes differ; dials far from what is usual would
make them suit the vocal less."""


@dataclass(frozen=True, slots=True)
class TurnedDials:
    """The dials of a take: ``asked``, ``like`` those of a reference, ``drawn`` by the take, and ``measured``.

    ``measured`` lacks what cannot be measured, such as doubling where nobody sings. ``sections`` are the
    asked sections, each with what its bars have now.
    """

    asked: Settings
    like: Settings
    drawn: Settings
    measured: Settings
    sections: tuple[tuple[Section, Settings], ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The dials for the receipt."""
        return {
            "dials": {dial: self._facts(dial) for dial in DIALS},
            "sections": [
                {
                    "bars": section.bars,
                    **{
                        dial: {"asked": setting, "measured": _rounded(measured.get(dial))}
                        for dial, setting in section.dials.items()
                    },
                }
                for section, measured in self.sections
            ],
        }

    def _facts(self, dial: str) -> dict[str, float | None]:
        return {
            "asked": self.asked.get(dial),
            "like": _rounded(self.like.get(dial)),
            "drawn": _rounded(self.drawn.get(dial)),
            "measured": _rounded(self.measured.get(dial)),
        }


def check_dials(pack: Pack, wishes: Wishes) -> None:
    """Raise UsageError if dials are asked for in a style that they have no meaning in."""
    asked = [*wishes.dials, *(dial for section in wishes.section for dial in section.dials)]
    asked += ["like"] if wishes.like else []
    if asked and wishes.style not in (known := pack.dials().styles):
        raise UsageError(
            f"{asked[0]}: nobody has measured what songs of the style '{wishes.style}' do; leave the dials "
            f"out, or choose one of {', '.join(known)}."
        )


def drawn_dials(
    pack: Pack, asked: Settings, seed: int, style: str, rhythm: RhythmPlan, grid: BeatGrid
) -> dict[str, float]:
    """A setting for each dial that is not ``asked`` for: those of ``rhythm``, the others drawn by ``seed``.

    Drawn settings are normally distributed around the mean of ``style``, and what one seed draws for a dial
    does not depend on which others are asked for. Without a rhythm density and syncopation are drawn, too.
    Seed 0 draws none, and a pack without a table of its own has none to draw.
    """
    if seed == 0 or not pack.has_dials:
        return {}
    normal = DRAWN_SD * np.random.default_rng([seed, 0xD1A1]).standard_normal(len(DIALS))
    drawn = dict(zip(DIALS, normal.tolist(), strict=True))
    if bars := [bar for bar in rhythm if bar is not None]:
        with_bass = "bass" in STYLE_GROUPS[style]
        found = rhythm_attributes(bars, grid.meter, compound=grid.compound, bass=with_bass)
        spreads = pack.dials().styles[style]
        drawn |= {dial: spreads[dial].setting(dial, x) for dial, x in zip(RHYTHM_DIALS, found, strict=True)}
    return {dial: min(max(x, LOWEST_DIAL), HIGHEST_DIAL) for dial, x in drawn.items() if dial not in asked}


def reference_attributes(wishes: Wishes, lines: BarLines) -> dict[str, float]:
    """The attributes of the reference, for a song with these beats: strokes a second count by its tempo."""
    found = dict(wishes.like or {})
    if wishes.like_strokes_s is not None:
        beat_s = float(np.median(np.diff(lines.beats_s)))
        found["density"] = math.log2(wishes.like_strokes_s * beat_s)
    return found


def like_reference(
    attributes: Mapping[str, float], asked: Settings, spreads: Mapping[str, Spread]
) -> dict[str, float]:
    """The settings that give the ``attributes`` of a reference, within the dials, where none is asked for."""
    settings = {dial: spreads[dial].setting(dial, x) for dial, x in attributes.items() if dial not in asked}
    return {dial: min(max(x, LOWEST_DIAL), HIGHEST_DIAL) for dial, x in settings.items()}


def turn_dials(
    pack: Pack, reading: Reading, score: Score, wishes: Wishes, seed: int
) -> tuple[Score, Reading, TurnedDials | None]:
    """Shape the notes of a take; returns them, the reading with the chart they have now, and the dials.

    The dials are None if nobody has measured the style.
    """
    spreads = pack.dials().styles.get(wishes.style)
    if spreads is None:
        return score, reading, None
    song = song_of(reading)
    like = like_reference(reference_attributes(wishes, song.lines), wishes.dials, spreads)
    asked = {**like, **wishes.dials}
    drawn = drawn_dials(pack, asked, seed, wishes.style, reading.rhythm, reading.grid)
    if reading.certainty == PLAN_GIVEN:
        drawn.pop("colour", None)  # given chords gain tones only if somebody asks
    regions = _regions(song.lines, {**drawn, **asked}, wishes.section, spreads)
    if any(region.goals for region in regions):
        steps = {dial: spread.step(dial) for dial, spread in spreads.items()}
        written, obey = score, reading.certainty == PLAN_GIVEN

        def shaping(regions: Sequence[Region]) -> tuple[Score, Chart]:
            made, chart = shape(written, song, regions, steps)
            return (follow_chart(made, chart) if obey else made), chart

        left_out: tuple[str, ...] = ()
        if reading.key_given and not reading.chart_given:
            score, chart, left_out = shape_in_key(score, reading.chart, reading.key, regions, shaping)
        else:
            score, chart = shaping(regions)
        wanted = {*asked, *(dial for section in wishes.section for dial in section.dials)}
        remarks = _remarks_on_key([dial for dial in left_out if dial in wanted])
        reading = replace(reading, chart=chart, remarks=(*reading.remarks, *remarks))
        drawn = {dial: x for dial, x in drawn.items() if dial not in left_out}
    unmeasured = TurnedDials(wishes.dials, like, drawn, {}, tuple((s, {}) for s in wishes.section))
    return score, reading, measured_in(unmeasured, score, reading, spreads)


def measured_in(
    dials: TurnedDials, score: Score, reading: Reading, spreads: Mapping[str, Spread]
) -> TurnedDials:
    """``dials`` with what is measured in ``score``, whose chords are those of ``reading``."""
    song = song_of(reading)
    sums = measure(score.notes, Measured(song.lines, reading.chart, song.sung))

    def now(bars: Sequence[int] | None = None) -> dict[str, float]:
        found = {dial: spreads[dial].setting(dial, value(dial, sums[dial], bars)) for dial in DIALS}
        return {dial: setting for dial, setting in found.items() if math.isfinite(setting)}

    sections = tuple((s, now(range(s.first, s.last + 1))) for s, _ in dials.sections)
    return replace(dials, measured=now(), sections=sections)


def song_of(reading: Reading) -> Song:
    """What shapers must respect in the song of a reading."""
    return Song(
        BarLines.of(reading.grid, reading.duration_s),
        reading.chart,
        sung_notes(reading.features),
        reading.key,
        chart_given=reading.chart_given,
    )


def _regions(
    lines: BarLines, settings: Settings, sections: Sequence[Section], spreads: Mapping[str, Spread]
) -> list[Region]:
    """The bars of each section, and all others; the song's settings hold in sections that do not say."""
    free = set(range(lines.bars + 1))
    parts: list[tuple[set[int], Settings]] = []
    for section in sections:
        bars = set(range(section.first, section.last + 1))
        free -= bars
        parts.append((bars, {**settings, **section.dials}))
    return [
        Region(frozenset(bars), {dial: spreads[dial].goal(dial, x) for dial, x in wanted.items()})
        for bars, wanted in [(free, settings), *parts]
        if bars
    ]


def _remarks_on_key(left_out: Sequence[str]) -> list[str]:
    if not left_out:
        return []
    are = "is" if len(left_out) == 1 else "are"
    return [f"Not turned {are} {', '.join(left_out)}: the band would no longer be heard in the given key."]


def _rounded(setting: float | None) -> float | None:
    return None if setting is None else round(setting, 2)
