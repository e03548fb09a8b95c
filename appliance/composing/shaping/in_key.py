"""Shapes notes only as far as the given key allows.

Tones beyond the triads make a key less clear: C with a sixth is A minor with a seventh. Therefore the colour
is left out if listeners would hear another key with it, and the other dials, too, if they alone do that.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence, Set
from dataclasses import replace

from appliance.composing.key_request import key_clarity
from appliance.composing.shaping.shape import Region
from appliance.music.chart_keeping import follow_chart
from appliance.music.chord_chart import Chart
from appliance.music.keys import Key
from appliance.music.score import Score

Shaping = Callable[[Sequence[Region]], tuple[Score, Chart]]
"""Shapes the notes of a take; returns them and their chart."""


def shape_in_key(
    score: Score, chart: Chart, key: Key, regions: Sequence[Region], shaping: Shaping
) -> tuple[Score, Chart, tuple[str, ...]]:
    """``score`` as ``shaping`` makes it for ``regions``, but heard in ``key`` if it was; its chart; and the
    dials that are left out for that.

    With colour the key must be as clear as before. Without it, what is unsure keeps to ``chart``.
    """
    before = key_clarity(score, key)
    made, renamed = shaping(regions)
    asked = {dial for region in regions for dial in region.goals}
    if key_clarity(made, key) >= min(before, 2 if "colour" in asked else 1):
        return made, renamed, ()
    left_out = asked & {"colour"}
    if left_out:
        made, renamed = shaping([_without(left_out, region) for region in regions])
    for found, chords in ((made, renamed), (follow_chart(made, chart), chart)):
        if key_clarity(found, key) >= min(before, 1):
            return found, chords, tuple(left_out)
    return score, chart, tuple(sorted(asked))


def _without(dials: Set[str], region: Region) -> Region:
    return replace(region, goals={dial: goal for dial, goal in region.goals.items() if dial not in dials})
