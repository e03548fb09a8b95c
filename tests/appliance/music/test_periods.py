"""Periods: about four or eight bars, ended by breaths."""

from __future__ import annotations

from itertools import pairwise

from appliance.music.periods import periods


def bars(count: int, beat_s: float = 0.5, beats: int = 4) -> list[tuple[float, ...]]:
    return [tuple(beat_s * (beats * bar + k) for k in range(beats + 1)) for bar in range(count)]


def test_a_song_sung_in_one_breath_has_periods_of_four() -> None:
    assert periods(bars(16), []) == [(0, 4), (4, 8), (8, 12), (12, 16)]


def test_a_long_breath_ends_a_period_even_if_that_makes_it_odd() -> None:
    # Bars last 2 s; the singer rests for three beats before bars 6 and 12.
    rests = [(10.5, 12.0), (22.5, 24.0)]
    found = periods(bars(16), rests)
    assert {first for first, _ in found} >= {6, 12}
    assert found[0][0] == 0 and found[-1][1] == 16
    assert all(a[1] == b[0] for a, b in pairwise(found))


def test_consonants_and_breaths_every_two_bars_change_nothing() -> None:
    consonants = [(k + 0.85, k + 1.0) for k in range(31)]
    assert periods(bars(16), consonants) == periods(bars(16), [])
    short = [(4.0 * k + 3.6, 4.0 * k + 4.0) for k in range(8)]
    assert periods(bars(16), short) == [(0, 4), (4, 8), (8, 12), (12, 16)]


def test_an_upbeat_counts_for_the_bar_it_leads_into() -> None:
    # The next phrase begins a beat before bar 5.
    assert (0, 5) in periods(bars(10), [(8.4, 9.5)])


def test_few_bars() -> None:
    assert periods([], []) == []
    assert periods(bars(3), []) == [(0, 3)]
