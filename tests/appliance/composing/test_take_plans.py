"""What a take plans for the denoiser: a rhythm of its own, and the dials where they hold."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from appliance.composing.reading import Reading
from appliance.composing.take_plans import dial_rows, planned
from appliance.composing.wishes import Section, Wishes
from appliance.errors import UsageError
from appliance.grid import FRAME_RATE_HZ
from appliance.music.bar_lines import BarLines
from appliance.music.dials import DIALS
from appliance.music.keys import Key
from appliance.music.rhythm_plan import BarRhythm
from appliance.music.score import BeatGrid
from appliance.networks.condition_rows import CONDITION_ROWS, FIRST_CONDITION_ROWS, PLAN_PREDICTED
from appliance.packs.dial_table import usual_table
from appliance.packs.rhythm_bank import Phrase, RhythmBank

GRID = BeatGrid(tuple(0.5 * k for k in range(33)), tuple(range(0, 33, 4)), 1.0, 4)
BEATS = BarRhythm(((0, 12, 24, 36), (), ()))
BUSY = BarRhythm(((0, 6, 12, 18, 24, 30, 36, 42), (), ()))
NEW: Any = SimpleNamespace(condition_rows=CONDITION_ROWS)


def reading(grid: BeatGrid = GRID) -> Reading:
    silent, no_plan = np.zeros((64, 344), np.float32), np.zeros((24, 86), np.float32)
    return Reading(silent, 16.0, grid, Key(0, "major"), 1.0, no_plan, [], PLAN_PREDICTED)


def pack(own_table: bool = True) -> Any:
    """A pack with seven slow phrases and seven busy ones."""
    phrases = [Phrase("piano", 4, False, 120.0, (bar,)) for bar in (BEATS, BUSY)]
    bank = RhythmBank(tuple(phrases * 7))
    return SimpleNamespace(rhythms=lambda: bank, dials=usual_table, has_dials=own_table)


def test_the_first_take_borrows_a_rhythm_and_draws_no_dials() -> None:
    made = planned(NEW, pack(), reading(), Wishes(), 0)
    assert made.rhythm[0] == BEATS and made.dials is None


def test_without_bars_that_are_sure_no_rhythm_is_borrowed() -> None:
    before = reading(BeatGrid())
    assert planned(NEW, pack(), before, Wishes(), 0) is before


def test_a_section_that_asks_for_density_has_a_rhythm_of_its_own() -> None:
    asked = Wishes(density=-2.0, section=[Section(bars="3-4", density=2.0)])
    for seed in (0, 3):
        made = planned(NEW, pack(), reading(), asked, seed)
        assert made.rhythm[:6] == (BEATS, BEATS, BUSY, BUSY, BEATS, BEATS)
    louder = Wishes(density=-2.0, section=[Section(bars="3-4", voices=2.0)])
    assert set(planned(NEW, pack(), reading(), louder, 0).rhythm[:6]) == {BEATS}


def test_other_takes_borrow_a_rhythm_and_draw_dials() -> None:
    made = planned(NEW, pack(), reading(), Wishes(), 3)
    assert len(made.rhythm) == BarLines.of(GRID, 16.0).bars
    assert made.dials is not None and np.isfinite(made.dials).all()
    again = planned(NEW, pack(), reading(), Wishes(), 3)
    assert again.rhythm == made.rhythm and np.array_equal(again.dials, made.dials)


@pytest.mark.parametrize(("density", "bar"), [(-2.0, BEATS), (2.0, BUSY)])
def test_density_chooses_the_rhythm_of_seed_0_too(density: float, bar: BarRhythm) -> None:
    assert planned(NEW, pack(), reading(), Wishes(density=density), 0).rhythm[0] == bar


def test_a_given_rhythm_is_played() -> None:
    made = planned(NEW, pack(), reading(), Wishes(rhythm="2-3  mid: 1 2&\n"), 5)
    given = BarRhythm(((), (0, 18), ()))
    assert made.rhythm[:4] == (None, given, given, None)
    with pytest.raises(UsageError, match=r"groove\.txt, line 1: .* bars 1 to"):
        planned(NEW, pack(), reading(), Wishes(rhythm="90 low: 1", rhythm_name="groove.txt"), 0)
    with pytest.raises(UsageError, match="no bars were found"):
        planned(NEW, pack(), reading(BeatGrid()), Wishes(rhythm="1 low: 1"), 0)


def test_an_older_pack_plans_nothing_and_says_so_if_asked() -> None:
    old: Any = SimpleNamespace(condition_rows=FIRST_CONDITION_ROWS)
    before = reading()
    assert planned(old, pack(), before, Wishes(density=1.0), 3) is before
    with pytest.raises(UsageError, match="This pack plays no given rhythm"):
        planned(old, pack(), before, Wishes(rhythm="1 low: 1"), 0)


def test_the_register_is_that_of_the_key_in_which_the_networks_play() -> None:
    """From D major they play two semitones lower, so what is asked lies as much lower for them."""
    rows = []
    for key in ("C major", "D major", "B minor"):
        made = planned(
            NEW, pack(), replace(reading(), key=Key.parse(key)), Wishes(register=1.0, voices=0.5), 0
        )
        assert made.dials is not None
        rows.append(made.dials)
    step = usual_table().styles["piano"]["register"].step("register")
    register, voices = DIALS.index("register"), DIALS.index("voices")
    assert set(rows[0][register]) == {1.0}
    np.testing.assert_allclose(rows[1][register], 1.0 - 2.0 / step, rtol=1e-6)
    np.testing.assert_array_equal(rows[1][register], rows[2][register])
    assert all(set(each[voices]) == {0.5} for each in rows)


def test_dials_hold_in_their_bars() -> None:
    lines = BarLines.of(GRID, 16.0)
    section = Section(bars="2-3", density=1.5, voices=-1.0)
    rows = dial_rows({"density": -0.5, "colour": 1.0}, [section], lines, 344)
    seconds = (np.arange(344) + 0.5) / FRAME_RATE_HZ
    inside = (seconds > 2.05) & (seconds < 5.95)
    outside = (seconds < 1.95) | (seconds > 6.05)
    density, voices, colour = (rows[DIALS.index(dial)] for dial in ("density", "voices", "colour"))
    assert set(density[inside]) == {1.5} and set(density[outside]) == {-0.5}
    assert set(voices[inside]) == {-1.0} and np.isnan(voices[outside]).all()
    assert set(colour) == {1.0}
    assert np.isnan(rows[DIALS.index("register")]).all()
