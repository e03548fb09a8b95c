"""Density and syncopation of rhythms, counted by hand and compared with those of notes."""

from __future__ import annotations

import numpy as np
import pytest

from appliance.music.attributes import Measured, measure, value
from appliance.music.bar_lines import BarLines
from appliance.music.rhythm_attributes import rhythm_attributes
from appliance.music.rhythm_plan import BarRhythm, rhythm_of
from appliance.music.score import BeatGrid, Note, Score

BEATS = BarRhythm(((0, 24), (12, 36), ()))
"""Every beat of a bar of four."""
TRESILLO = BarRhythm(((0, 18, 36), (), ()))
"""1, the middle of 2, 4: three strokes against the beat."""
JIG = BarRhythm(((0,), (4, 8, 12, 16, 20), ()))


@pytest.mark.parametrize(
    ("bars", "density", "syncopation"),
    [
        ([BEATS], 0.0, 0.0),
        ([BEATS, BarRhythm()], -1.0, 0.0),
        # While 2& sounds, the third beat, of weight -1, is passed; 2& has -3.
        ([TRESILLO], np.log2(3 / 4), 2 / 3),
        # An offbeat before a beat that is struck is none.
        ([BarRhythm(((0, 6, 12), (), ()))], np.log2(3 / 4), 0.0),
        # One stroke in several registers is one.
        ([BarRhythm(((0,), (0,), (0, 24)))], -1.0, 0.0),
        ([BarRhythm(), BarRhythm()], -3.0, 0.0),
    ],
)
def test_by_hand(bars: list[BarRhythm], density: float, syncopation: float) -> None:
    found = rhythm_attributes(bars, 4, compound=False, bass=False)
    assert found == pytest.approx((density, syncopation))


def test_the_bass_does_not_count() -> None:
    # What remains is 2 and 4: beat 3, stronger than 2 by one, passes in silence.
    assert rhythm_attributes([BEATS], 4, compound=False, bass=True) == pytest.approx((-1.0, 1 / 2))
    # With the bass on 1 alone, the mid strokes of the jig remain: five in two beats.
    assert rhythm_attributes([JIG], 2, compound=True, bass=True)[0] == pytest.approx(np.log2(5 / 2))


@pytest.mark.parametrize("group", ["bass", "keys"])
@pytest.mark.parametrize(("meter", "compound"), [(4, False), (3, False), (2, True)])
def test_a_rhythm_has_the_attributes_of_the_notes_that_play_it(
    group: str, meter: int, compound: bool
) -> None:
    rng = np.random.default_rng(17)
    beats = 8 * meter
    grid = BeatGrid(
        tuple(0.5 * k for k in range(beats + 1)), tuple(range(0, beats, meter)), 1.0, meter, compound
    )
    lines = BarLines.of(grid, 0.5 * beats)
    places = (0.0, 1 / 3, 2 / 3) if compound else (0.0, 0.25, 0.5, 0.75)
    moments = [0.5 * (beat + place) for beat in range(beats) for place in places if rng.random() < 0.4]
    low = [Note(t, t + 0.2, 36, 80, group) for t in moments[::3]]
    upper = [Note(t, t + 0.2, pitch, 80, "keys") for t in moments for pitch in (60, 72) if rng.random() < 0.6]
    score = Score.of([*low, *upper], lines.duration_s)
    sums = measure(score.notes, Measured(lines, [], np.zeros((0, 3))))
    rhythm = [bar or BarRhythm() for bar in rhythm_of(score, lines)]
    found = rhythm_attributes(rhythm, meter, compound=compound, bass=group == "bass")
    assert found == pytest.approx(
        (value("density", sums["density"]), value("syncopation", sums["syncopation"]))
    )
    assert found[1] > 0
