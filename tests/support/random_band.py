"""A band that plays at random: other notes with every seed, across bar lines too, for tests of redoing.

The music of the fake pack is the same with every seed. These notes replace what its networks compose; all
else of a render stays real.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from appliance.composing import takes
from appliance.composing.reading import Reading
from appliance.music.beat_grid import one_at_a_time
from appliance.music.chart_keeping import follow_chart
from appliance.music.score import DRUM_GROUP, DRUM_KEYS, STYLE_GROUPS, Note, Score
from appliance.networks.condition_rows import PLAN_GIVEN
from appliance.networks.graphs import Graphs
from appliance.packs.pack import Pack

LONGEST_S = 1.5


def random_score(reading: Reading, style: str, seed: int) -> Score:
    """Notes on half beats, of up to LONGEST_S; they keep to a chart that is given."""
    rng = np.random.default_rng([seed, 17])
    beats_s = np.asarray(reading.grid.beats_s)
    places_s = np.interp(np.arange(2 * len(beats_s) - 1) / 2, np.arange(len(beats_s)), beats_s)
    made = []
    for group in STYLE_GROUPS[style]:
        for start_s in places_s[places_s < reading.duration_s - 0.1].tolist():
            if rng.random() < 0.35:
                pitch = int(rng.choice(DRUM_KEYS)) if group == DRUM_GROUP else int(rng.integers(40, 80))
                end_s = start_s + (0.1 if group == DRUM_GROUP else float(rng.uniform(0.1, LONGEST_S)))
                made.append(Note(start_s, end_s, pitch, int(rng.integers(30, 120)), group))
    score = Score.of(one_at_a_time(made, reading.duration_s), reading.duration_s)
    return follow_chart(score, reading.chart) if reading.certainty == PLAN_GIVEN else score


def play_at_random(patch: pytest.MonkeyPatch) -> None:
    """Let renders and redos compose with :func:`random_score`."""

    def compose(
        graphs: Graphs,
        pack: Pack,
        reading: Reading,
        style: str,
        seed: int,
        on_step: Callable[[], None] = lambda: None,
    ) -> Score:
        return random_score(reading, style, seed)

    patch.setattr(takes, "compose", compose)
