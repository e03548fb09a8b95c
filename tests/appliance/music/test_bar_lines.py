"""Bars as musicians count them: bar 1 begins with the first downbeat."""

from __future__ import annotations

import numpy as np
import pytest

from appliance.music.bar_lines import TICKS, BarLines, grid_bars, whole_bars
from appliance.music.score import BeatGrid


def upbeat_of_two() -> BarLines:
    """Beats every half second; two of them before bar 1, then bars of four."""
    beats = tuple(0.5 * k for k in range(15))
    return BarLines.of(BeatGrid(beats, (2, 6, 10), 1.0, 4), 7.5)


def test_bars_are_counted_from_the_first_downbeat() -> None:
    lines = upbeat_of_two()
    times_s = np.array([0.0, 0.9, 1.0, 2.9, 3.0, 5.0, 7.4])
    assert lines.bar_of(lines.beats(times_s)).tolist() == [0, 0, 1, 1, 2, 3, 4]
    assert lines.bars == 4  # the grid ends with the downbeat of bar 4, which it does not mark


def test_edges_enclose_the_song() -> None:
    lines = upbeat_of_two()
    assert lines.edges().tolist() == [0.0, 2.0, 6.0, 10.0, 14.0, 15.0]


def test_a_note_a_little_early_belongs_to_its_bar() -> None:
    lines = upbeat_of_two()
    early = np.array([6.0 - 0.4 / TICKS])
    assert lines.bar_of(early).tolist() == [2] and lines.ticks_in_bar(early).tolist() == [0]


def test_places_in_the_bar() -> None:
    lines = upbeat_of_two()
    assert lines.ticks_in_bar(np.array([2.0, 2.5, 5.75, 6.0, 0.0])).tolist() == [0, 6, 45, 0, -24]


def test_beats_and_seconds_are_inverse() -> None:
    lines = upbeat_of_two()
    beats = np.array([-1.0, 0.25, 3.5, 20.0])
    assert lines.beats(lines.seconds(beats)) == pytest.approx(beats)
    assert lines.seconds(beats) == pytest.approx(0.5 * beats)


def test_without_beats_there_are_bars_of_two_seconds() -> None:
    lines = BarLines.of(BeatGrid(), 5.0)
    assert not lines.known and lines.bars == 3
    assert lines.seconds(lines.edges()).tolist() == [0.0, 0.0, 2.0, 4.0, 5.0]


def test_a_doubtful_grid_keeps_its_own_bars() -> None:
    lines = BarLines.of(BeatGrid((0.0, 0.7, 1.4, 2.1, 2.8, 3.5), (0, 3), 0.2, 3), 4.0)
    assert not lines.known and lines.edges().tolist() == pytest.approx([0.0, 0.0, 3.0, 4.0 / 0.7])


@pytest.mark.parametrize(
    ("downbeats", "beats", "lengths", "whole"),
    [
        ((2, 6, 10), 15, [4, 4, 4], 3),  # the end of the last bar is known, but not marked
        ((0, 4, 8), 12, [4, 4, 3], 2),  # the last beat has no end
        ((0, 4, 7, 11), 16, [4, 3, 4, 4], 3),  # a bar cut short
        ((0, 4), 14, [4, 4, 4, 1], 3),  # the grid stops marking
        ((0, 4, 8), 9, [4, 4], 2),
        ((), 9, [], 0),
    ],
)
def test_the_bars_of_a_grid_reach_as_far_as_its_beats(
    downbeats: tuple[int, ...], beats: int, lengths: list[int], whole: int
) -> None:
    grid = BeatGrid(tuple(0.5 * k for k in range(beats)), downbeats, 1.0, 4)
    bars = grid_bars(grid)
    assert [len(bar) - 1 for bar in bars] == lengths
    assert [bar[0] for bar in bars[1:]] == [bar[-1] for bar in bars[:-1]]
    assert all(bar[0] == 0.5 * first for bar, first in zip(bars, downbeats, strict=False))
    assert len(whole_bars(grid)) == whole and set(whole_bars(grid)) <= set(bars)
