"""The harmony that a reading gets, with a chord network that prefers what the test tells it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from support.chord_hearing import Hears
from support.readings import reading

from appliance.composing.chosen_harmony import USUAL_VARIETY, keeping, likeliest, redraw, variety_of
from appliance.composing.harmony import state_of
from appliance.composing.plan_chart import plan_from_chart
from appliance.composing.plan_variation import decide
from appliance.composing.reading import Reading
from appliance.music.chord_chart import Chart, ChordSpan
from appliance.music.keys import Key
from appliance.music.score import BeatGrid
from appliance.networks.condition_rows import PLAN_GIVEN, PLAN_PREDICTED

C, F, G = (state_of("", root) for root in (0, 5, 7))
SCALE = [C, C, F, F, G, G, C]
"""The network's choice in the seven seconds of the song."""


def heard() -> Reading:
    """A song of seven seconds, a beat each."""
    grid = BeatGrid(tuple(float(k) for k in range(8)), (0, 4), 1.0, 4)
    return replace(reading(), grid=grid, heard=np.full((24, 38), 0.3, np.float32))


def given(fixed: Chart) -> Reading:
    plan = plan_from_chart(fixed, 38)
    return replace(heard(), chart=fixed, fixed=fixed, plan=plan, certainty=PLAN_GIVEN)


def labels(of: Reading) -> list[tuple[float, float, str]]:
    return [(span.start_s, span.end_s, span.label) for span in of.chart]


def test_the_chord_network_composes_the_chart_and_its_plan() -> None:
    found = likeliest(Hears(SCALE), heard())
    assert labels(found) == [(0, 2, "C"), (2, 4, "F"), (4, 6, "G"), (6, 7.05, "C")]
    assert found.composed and found.certainty == PLAN_PREDICTED
    np.testing.assert_allclose(
        found.plan, (2 * decide(heard().probabilities) + plan_from_chart(found.chart, 38)) / 3, rtol=1e-6
    )
    assert np.array_equal(found.probabilities, heard().probabilities)  # the fit is still rated against these


def test_gaps_of_a_chart_are_filled_and_the_rest_stays() -> None:
    fixed = [ChordSpan(0.0, 2.0, "Am"), ChordSpan(6.0, 7.0, "E7")]
    found = likeliest(Hears(SCALE), given(fixed))
    assert labels(found) == [(0, 2, "Am"), (2, 4, "F"), (4, 6, "G"), (6, 7, "E7")]
    assert found.certainty == PLAN_GIVEN and not found.composed
    assert np.array_equal(found.plan, plan_from_chart(found.chart, 38))


def test_a_whole_chart_is_never_touched() -> None:
    whole = given([ChordSpan(0.0, 3.0, "Am"), ChordSpan(3.0, 7.05, "E7")])
    assert likeliest(Hears(SCALE), whole) is whole
    assert redraw(Hears(SCALE), whole, 5, 1.0) is whole


def test_takes_fill_gaps_in_their_own_way() -> None:
    fixed = [ChordSpan(0.0, 1.0, "Am")]
    drawn = [labels(redraw(Hears(SCALE), given(fixed), seed, 1.0)) for seed in range(1, 6)]
    assert all(chart[0][2] == "Am" for chart in drawn)
    assert len({str(chart) for chart in drawn}) > 2


def test_each_seed_draws_chords_of_its_own_as_far_as_variety_allows() -> None:
    first = likeliest(Hears(SCALE), heard())
    assert redraw(Hears(SCALE), first, 0, 1.0) is first
    assert redraw(Hears(SCALE), first, 4, 0.0) is first
    drawn = redraw(Hears(SCALE), first, 4, 1.0)
    assert labels(drawn) != labels(first)
    assert np.array_equal(drawn.plan, plan_from_chart(drawn.chart, 38))
    assert labels(redraw(Hears(SCALE), first, 4, 1.0)) == labels(drawn)


def test_the_usual_variety_depends_on_the_pack() -> None:
    earlier = Hears(SCALE, composes=False)
    assert variety_of(Hears(SCALE), None) == USUAL_VARIETY
    assert variety_of(earlier, None) == 0.0
    assert variety_of(Hears(SCALE), 0.0) == 0.0 and variety_of(earlier, 0.7) == 0.7
    same = heard()
    assert likeliest(earlier, same) is same and redraw(earlier, same, 3, None) is same


@pytest.mark.parametrize(("key", "composed"), [("C major", True), ("F# major", False)])
def test_composed_chords_must_be_in_the_given_key(key: str, composed: bool) -> None:
    asked = replace(heard(), key=Key.parse(key), key_given=True, plan=heard().probabilities)
    found = likeliest(Hears(SCALE), asked)
    assert found.composed is composed
    if composed:  # nothing that the planner heard outside of the key is mixed in
        assert np.array_equal(found.plan, plan_from_chart(found.chart, 38))


def test_chords_of_a_parent_are_kept_without_being_given() -> None:
    kept = [ChordSpan(0.0, 4.0, "Dm")]
    found = keeping(Hears(SCALE), heard(), kept)
    assert labels(found) == [(0, 4, "Dm"), (4, 6, "G"), (6, 7.05, "C")]
    assert found.composed and found.certainty == PLAN_PREDICTED
    whole = [ChordSpan(0.0, 7.05, "Dm")]
    assert labels(keeping(Hears(SCALE), heard(), whole)) == [(0, 7.05, "Dm")]
