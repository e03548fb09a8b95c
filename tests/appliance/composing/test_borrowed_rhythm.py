"""A borrowed rhythm suits style, meter, tempo and what was asked for."""

from __future__ import annotations

import pytest

from appliance.composing.borrowed_rhythm import CANDIDATES, borrow, farthest_first, spread
from appliance.music.rhythm_attributes import rhythm_attributes
from appliance.music.rhythm_plan import BarRhythm, RhythmPlan
from appliance.music.score import BeatGrid
from appliance.packs.rhythm_bank import Phrase, RhythmBank

BEATS = BarRhythm(((0, 24), (12, 36), ()))
"""Every beat of a bar of four."""
OFFBEATS = BarRhythm(((0,), (6, 30), (18, 42)))
"""The first beat, then the middle of every beat."""


def grid(bars: int, meter: int = 4, bpm: float = 120.0) -> BeatGrid:
    beats = bars * meter
    return BeatGrid(tuple(k * 60 / bpm for k in range(beats)), tuple(range(0, beats, meter)), 1.0, meter)


def phrase(*bars: BarRhythm, style: str = "piano", meter: int = 4, bpm: float = 120.0) -> Phrase:
    return Phrase(style, meter, False, bpm, bars)


def test_a_phrase_is_repeated_and_comes_to_rest() -> None:
    plan = spread([BEATS, OFFBEATS], 5)
    assert plan[:4] == (BEATS, OFFBEATS, BEATS, OFFBEATS)
    assert plan[4] == BarRhythm(((0,), (12,), ()))
    assert spread([BEATS], 0) == ()


def test_style_and_meter_must_agree() -> None:
    bank = RhythmBank((phrase(BEATS), phrase(OFFBEATS, style="jazz")))
    assert borrow(bank, "piano", grid(3), 3, 0)[0] == BEATS
    assert borrow(bank, "jazz", grid(3), 3, 0)[0] == OFFBEATS
    assert borrow(bank, "piano", grid(3, meter=3), 3, 0) == ()
    assert borrow(bank, "folk", grid(3), 3, 0) == ()
    assert borrow(bank, "piano", BeatGrid(), 3, 0) == ()


def test_it_is_the_same_again_and_other_seeds_borrow_others() -> None:
    bars = [BarRhythm(((0,), tuple(range(12, 12 + 3 * k, 3)), ())) for k in range(1, 9)]
    bank = RhythmBank(tuple(map(phrase, bars)))
    drawn = [borrow(bank, "piano", grid(2), 2, seed)[0] for seed in range(12)]
    assert drawn == [borrow(bank, "piano", grid(2), 2, seed)[0] for seed in range(12)]
    assert len(set(drawn)) > 2


@pytest.mark.parametrize("dial", ["density", "syncopation"])
def test_a_dial_chooses_among_the_phrases(dial: str) -> None:
    which = ("density", "syncopation").index(dial)

    def measure(plan: RhythmPlan) -> float:
        return rhythm_attributes([bar for bar in plan if bar], 4, compound=False, bass=False)[which]

    bars = [BarRhythm((tuple(sorted({0, 12, 24, 36, *range(3, 3 * k, 3)})), (), ())) for k in range(2, 16)]
    bars += [BarRhythm((tuple(12 * b + (6 if b < k else 0) for b in range(4)), (), ())) for k in range(5)]
    bank = RhythmBank(tuple(map(phrase, bars)))
    found = [
        sum(measure(borrow(bank, "piano", grid(2), 2, seed, **{dial: asked})[:1]) for seed in range(8))
        for asked in (-2.0, -1.0, 0.0, 1.0, 2.0)
    ]
    assert found == sorted(found)
    assert found[-1] > found[0]


def test_takes_share_as_little_as_they_can() -> None:
    """Farthest first, worked out by hand: shares of strokes that only one of two phrases has."""
    first = phrase(BarRhythm(((0, 12, 24, 36), (), ())))
    near = phrase(BarRhythm(((0, 12, 24), (36,), ())))  # the same strokes, in other registers: 0
    half = phrase(BarRhythm(((0, 24), (), ())))  # 1/2 from the first
    other = phrase(BarRhythm(((6, 18), (), (30, 42))))  # 1 from all of these
    mixed = phrase(BarRhythm(((0, 6, 24, 30), (), ())))  # 2/3 from the first, 1/2 from half, 2/3 from other
    assert farthest_first([first, near, half, mixed, other]) == [first, other, mixed, half, near]
    assert farthest_first([first]) == [first]


def test_phrases_of_other_lengths_are_compared_as_they_repeat() -> None:
    once, twice, turned = phrase(BEATS), phrase(BEATS, BEATS), phrase(BEATS, OFFBEATS)
    assert farthest_first([once, twice, turned]) == [once, turned, twice]


def test_the_first_take_borrows_a_calm_phrase() -> None:
    bars = [BarRhythm(((0,), tuple(range(12, 12 + 3 * k, 3)), ())) for k in range(1, 13)]
    first = borrow(RhythmBank(tuple(map(phrase, bars))), "piano", grid(2), 2, 0)[0]
    assert first is not None and len(first.places[1]) <= 4


def test_phrases_of_a_near_tempo_come_first() -> None:
    higher = BarRhythm(((0,), (12, 24, 36), ()))  # the same strokes as BEATS
    slow = [phrase(BEATS, bpm=60.0) for _ in range(CANDIDATES)]
    fast = [phrase(higher, bpm=180.0) for _ in range(CANDIDATES)]
    bank = RhythmBank(tuple(slow + fast))
    assert {borrow(bank, "piano", grid(2, bpm=66.0), 2, seed)[0] for seed in range(9)} == {BEATS}
    assert {borrow(bank, "piano", grid(2, bpm=170.0), 2, seed)[0] for seed in range(9)} == {higher}
