"""Drums keep one pattern over a period and fill at its end; counted by hand on made-up drumming."""

from __future__ import annotations

import numpy as np
import pytest

from appliance.composing.drum_fills import FILL_BEATS, FILLS, HIGH_TOM, LOW_TOM, SNARE
from appliance.composing.drum_keeping import keep_drums
from appliance.music.score import DRUM_GROUP, DRUM_KEYS, Note, Score

KICK, HAT, TAMBOURINE = 36, 42, 54
BEAT_S = 0.5
BARS = [tuple(BEAT_S * (4 * bar + k) for k in range(5)) for bar in range(16)]
PERIODS = [(0, 4), (4, 8), (8, 12), (12, 16)]
ROCK = {(0.0, KICK), (1.0, SNARE), (2.0, KICK), (3.0, SNARE), *((k / 2, HAT) for k in range(8))}


def stroke(bar: int, beat: float, drum: int, velocity: int = 80) -> Note:
    start_s = BEAT_S * (4 * bar + beat)
    return Note(start_s, start_s + 0.1, drum, velocity, DRUM_GROUP)


def drumming(*extra: Note, without: frozenset[tuple[int, float, int]] = frozenset()) -> Score:
    notes = [
        stroke(b, beat, drum) for b in range(16) for beat, drum in ROCK if (b, beat, drum) not in without
    ]
    return Score.of([*notes, *extra], 32.0)


def bar_of(score: Score, bar: int) -> set[tuple[float, int]]:
    start_s, end_s = BARS[bar][0], BARS[bar][-1]
    return {
        (round((n.start_s - start_s) / BEAT_S, 3), n.pitch)
        for n in score.notes
        if n.group == DRUM_GROUP and start_s - 1e-6 <= n.start_s < end_s - 1e-6
    }


def is_filled(strokes: set[tuple[float, int]]) -> bool:
    return sum(drum in (SNARE, LOW_TOM, HIGH_TOM) and beat >= 2.0 for beat, drum in strokes - ROCK) >= 2


def test_stray_and_missing_strokes_are_put_right() -> None:
    strays = [stroke(1, 0.25, KICK), stroke(5, 2.5, SNARE), stroke(9, 1.75, LOW_TOM)]
    missing = frozenset({(2, 2.0, KICK), (6, 3.0, SNARE), (10, 0.5, HAT), (13, 1.0, SNARE)})
    kept = keep_drums(drumming(*strays, without=missing), BARS, PERIODS, seed=0)
    for bar in (0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, 15):
        assert bar_of(kept, bar) == ROCK, bar


def test_most_periods_end_in_a_fill_and_the_last_does_not() -> None:
    found = [
        [is_filled(bar_of(keep_drums(drumming(), BARS, PERIODS, seed), bar)) for bar in (3, 7, 11)]
        for seed in range(40)
    ]
    assert 0.65 < np.mean(found) < 0.95
    for seed in range(10):
        kept = keep_drums(drumming(), BARS, PERIODS, seed)
        assert bar_of(kept, 15) == ROCK
        for bar in (3, 7, 11):  # the first half of the bar is always the pattern's
            assert {s for s in bar_of(kept, bar) if s[0] < 2.0} == {s for s in ROCK if s[0] < 2.0}


def test_a_fill_of_the_denoiser_stays() -> None:
    fill = [
        stroke(3, 2.25, SNARE),
        stroke(3, 2.5, HIGH_TOM),
        stroke(3, 3.25, LOW_TOM),
        stroke(3, 3.5, LOW_TOM),
    ]
    before = drumming(*fill)
    for seed in range(5):
        assert bar_of(keep_drums(before, BARS, PERIODS, seed), 3) == bar_of(before, 3)


def test_rests_of_the_drums_stay_rests() -> None:
    silent = Score.of([n for n in drumming().notes if n.start_s >= BARS[4][0]], 32.0)
    kept = keep_drums(silent, BARS, PERIODS, seed=1)
    assert all(not bar_of(kept, bar) for bar in range(4))
    assert bar_of(kept, 4) == ROCK


def test_a_drum_that_is_silent_in_a_period_stays_silent() -> None:
    hats = {(bar, k / 2, HAT) for bar in range(4) for k in range(8)}
    kept = keep_drums(drumming(without=frozenset(hats)), BARS, PERIODS, seed=0)
    assert bar_of(kept, 1) == {s for s in ROCK if s[1] != HAT}
    assert bar_of(kept, 5) == ROCK


def test_a_tambourine_does_not_fill() -> None:
    notes = [stroke(bar, beat, TAMBOURINE) for bar in range(16) for beat in (1.0, 3.0)]
    before = Score.of(notes, 32.0)
    assert keep_drums(before, BARS, PERIODS, seed=0).notes == before.notes


def test_crashes_begin_bars_and_velocities_are_the_denoisers() -> None:
    crash = stroke(4, 0.0, 49, 99)
    score = drumming(crash, stroke(5, 2.75, 49))
    kept = keep_drums(score, BARS, PERIODS, seed=0)
    assert [n for n in kept.notes if n.pitch == 49] == [crash]
    loud = {n for n in score.notes if n.start_s < BARS[3][0]}
    assert loud <= set(kept.notes)


def test_swung_drums_keep_their_thirds() -> None:
    ride = [stroke(bar, beat, 51) for bar in range(16) for beat in (0.0, 1.0, 1 + 2 / 3, 2.0, 3.0, 3 + 2 / 3)]
    snare = [stroke(bar, 1.0, SNARE) for bar in range(16)]
    kept = keep_drums(Score.of([*ride, *snare], 32.0), BARS, PERIODS, seed=3)
    assert (1.667, 51) in bar_of(kept, 5)
    fills = [bar_of(kept, bar) for bar in (3, 7, 11)]
    thirds = [3 * beat for bar in fills for beat, _ in bar]
    assert thirds == pytest.approx([round(third) for third in thirds], abs=0.01)


def test_other_groups_and_scores_without_drums_or_bars_are_untouched() -> None:
    keys = Note(0.0, 1.0, 60, 80, "keys")
    alone = Score.of([keys], 32.0)
    assert keep_drums(alone, BARS, PERIODS, seed=0) is alone
    assert keep_drums(drumming(), [], [], seed=0) == drumming()
    assert keys in keep_drums(Score.of([*drumming().notes, keys], 32.0), BARS, PERIODS, seed=0).notes


def test_a_late_stroke_before_a_bar_that_is_left_out_stays_where_it_is() -> None:
    late = stroke(4, 3.95, KICK, 127)
    gap = [bar for number, bar in enumerate(BARS) if number != 5]
    kept = keep_drums(drumming(late), gap, [(0, 5), (5, 15)], seed=0)
    assert (late.start_s, KICK, 127) in {(n.start_s, n.pitch, n.velocity) for n in kept.notes}
    assert bar_of(kept, 6) == ROCK
    assert bar_of(kept, 5) == ROCK
    # Where the bars adjoin, it is the first stroke of the next one, and louder than what was written there.
    first = [n for n in keep_drums(drumming(late), BARS, PERIODS, seed=0).notes if n.velocity == 127]
    assert [n.start_s for n in first] == [late.start_s]


def test_fills_are_two_beats_of_drums_that_a_score_has() -> None:
    for steps, fills in FILLS.items():
        for fill in fills:
            assert all(0 <= beat < FILL_BEATS and drum in DRUM_KEYS and 0 < a <= 1 for beat, drum, a in fill)
            assert all(abs(beat * steps - round(beat * steps)) < 1e-9 for beat, _, _ in fill)
            assert sum(drum in (SNARE, LOW_TOM, HIGH_TOM) for _, drum, _ in fill) >= 3
