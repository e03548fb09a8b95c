"""Whether a band plays as one: no crumbs, a jazz bass that walks, drums that keep a pattern and fill.

Bars and chords are those of the take. The periods over which drums should keep a pattern come from the
written notes of the singer (:mod:`train.arrange.dynamics`), which the appliance does not know.
"""

from __future__ import annotations

from collections.abc import Sequence

from appliance.music.bar_lines import BarBeats, grid_bars, whole_bars
from appliance.music.score import DRUM_GROUP, STYLE_GROUPS
from train.arrange.dynamics import read_dynamics
from train.arrange.grid import Bar, Grid
from train.evaluate.control.subjects import Composer, Request, Subject
from train.evaluate.measures.crumbs import crumb_share
from train.evaluate.measures.drum_patterns import DrumPatterns, drum_patterns
from train.evaluate.measures.walking_bass import WalkingBass, tones_of_chart, walking_bass
from train.evaluate.processes.progress import steps


def measure_band(composer: Composer, subjects: Sequence[Subject]) -> dict[str, object]:
    """One row per style of the pack, over all subjects."""
    rows = []
    for style in steps(composer.engine.pack.manifest.styles, "bands", str):
        drums, bass, crumbs = DrumPatterns(), WalkingBass(), []
        for subject in subjects:
            take = composer.take(subject, Request(style))
            bars = whole_bars(take.grid)
            drums += drum_patterns(take.score, bars, periods_on(subject, bars))
            bass += walking_bass(take.score, grid_bars(take.grid), tones_of_chart(take.chart))
            crumbs.append(crumb_share(take.score))
        heard = [share for share in crumbs if share == share]
        row: dict[str, object] = {"style": style, "crumbs": sum(heard) / max(len(heard), 1)}
        if "bass" in STYLE_GROUPS[style]:
            row |= {"beats": bass.share_played, "chord_tones": bass.share_chord_tones}
        if DRUM_GROUP in STYLE_GROUPS[style]:
            row |= {"bars": drums.bars, "same": drums.share_same}
            row |= {"ends": drums.ends, "filled": drums.share_filled}
        rows.append(row)
    return {"rows": rows, "songs": len(subjects)}


def periods_on(subject: Subject, bars: Sequence[BarBeats]) -> list[tuple[int, int]]:
    """The periods of what is sung, counted in ``bars`` of the subject."""
    if not bars:
        return []
    moved = [Bar(tuple(t + subject.first_s for t in bar), ternary=False) for bar in bars]
    return [(p.first, p.stop) for p in read_dynamics(subject.song, Grid(moved)).periods]
