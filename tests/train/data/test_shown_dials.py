"""The dials that training windows are shown, of a song whose bars are known."""

from __future__ import annotations

import numpy as np
import pytest

from appliance.grid import FRAME_RATE_HZ
from appliance.music.bar_lines import BarLines
from appliance.music.dials import DIALS
from appliance.music.score import BeatGrid
from appliance.packs.dial_table import Spread
from train.data.shown_dials import WIDEST, shown_dials

LINES = BarLines.of(BeatGrid(tuple(0.5 * k for k in range(32)), tuple(range(0, 32, 4)), 1.0, 4), 16.0)
FRAMES = round(20 * FRAME_RATE_HZ)
"""Four seconds more than the song has."""

VOICES = DIALS.index("voices")
SPREADS = {dial: Spread(mean=2.0, sd=1.0, bar_mean=2.0, bar_sd=1.0) for dial in DIALS}


def sums() -> np.ndarray:
    """Every bar has as many voices as its number; nothing else can be measured."""
    made = np.zeros((len(DIALS), 2, LINES.bars + 1), np.float32)
    made[VOICES, 0], made[VOICES, 1] = np.arange(LINES.bars + 1), 1.0
    return made


def draws(count: int = 60) -> list[np.ndarray]:
    return [shown_dials(sums(), SPREADS, LINES, FRAMES, np.random.default_rng(k)) for k in range(count)]


def test_a_section_shows_the_mean_of_its_own_bars() -> None:
    middle = (LINES.seconds(LINES.downbeats + 2.0) * FRAME_RATE_HZ).astype(int)
    seen = set()
    for rows in draws():
        shown = rows[VOICES, middle]
        bars = np.arange(1, LINES.bars + 1)
        for setting in np.unique(shown[~np.isnan(shown)]):
            own = bars[shown == setting]
            seen.add(len(own))
            if setting < WIDEST and own[0] > 1:  # the first section has the upbeat, which has no voices
                assert setting == pytest.approx(own.mean() - 2.0, abs=1e-5)
    assert {1, 2, 3, LINES.bars} <= seen


def test_nothing_is_shown_beyond_the_song_or_of_what_cannot_be_measured() -> None:
    end = round(16.0 * FRAME_RATE_HZ) + 1
    for rows in draws():
        assert np.isnan(rows[:, end:]).all()
        assert np.isnan(np.delete(rows, VOICES, axis=0)).all()
        assert np.nanmax(np.abs(rows), initial=0.0) <= WIDEST


def test_the_register_of_a_transposed_window_is_the_one_that_it_has() -> None:
    """Voices say nothing of the key; the register is two semitones a step."""
    register = DIALS.index("register")
    known = sums()
    known[register, 0], known[register, 1] = 60.0, 1.0
    spreads = {**SPREADS, "register": Spread(mean=58.0, sd=2.0, bar_mean=58.0, bar_sd=2.0)}
    for seed in range(20):
        plain, moved = (
            shown_dials(known, spreads, LINES, FRAMES, np.random.default_rng(seed), shift)
            for shift in (0, -5)
        )
        assert set(plain[register][~np.isnan(plain[register])]) <= {1.0}
        np.testing.assert_allclose(moved[register], plain[register] - 2.5)
        np.testing.assert_array_equal(moved[VOICES], plain[VOICES])


def test_dials_are_absent_at_random() -> None:
    shown = [not np.isnan(rows[VOICES]).all() for rows in draws(400)]
    assert 0.4 < np.mean(shown) < 0.55
