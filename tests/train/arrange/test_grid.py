"""Pulses of bars in many metres, and the grooves that are laid over them."""

from __future__ import annotations

import pytest
from support.tiny_song import check_rules, tiny_song

from appliance.music.score import STYLES
from train.arrange import arrange
from train.arrange.grid import read_grid
from train.arrange.groove import Groove, GrooveBook
from train.corpus.song import Song


@pytest.mark.parametrize(
    ("meter", "beat_s", "pulses", "ternary"),
    [
        ((4, 4), 0.5, 4, False),
        ((3, 4), 0.5, 3, False),
        ((4, 4), 1.2, 8, False),  # a slow bar is counted in eighths
        ((4, 8), 0.25, 2, False),  # a fast bar in quarters
        ((6, 8), 0.2, 2, True),
        ((3, 8), 0.2, 2, True),  # two bars become one
        ((5, 8), 0.2, 2, False),
        ((7, 4), 0.5, 7, False),
    ],
)
def test_pulses_walk_whatever_the_meter(
    meter: tuple[int, int], beat_s: float, pulses: int, ternary: bool
) -> None:
    song = tiny_song([[48, 64, 67]] * 8, beats_a_chord=meter[0], meter=meter, beat_s=beat_s)
    grid = read_grid(song)
    assert {(bar.pulses, bar.ternary) for bar in grid.bars} == {(pulses, ternary)}
    assert grid.bars[0].start_s == 0.0
    assert grid.bars[-1].end_s == song.duration_s
    for style in STYLES:
        check_rules(arrange(song, style, 0), song)


def test_pickup_takes_the_end_of_a_groove() -> None:
    song = tiny_song([[48, 64, 67]] * 3)
    shifted = {"downbeats": (1, 5, 9), "meters": ((4, 4),) * 4, "bars_s": (0.0, 0.6, 3.0, 5.4, 7.2)}
    grid = read_grid(Song(**{name: getattr(song, name) for name in Song.__slots__} | shifted))
    assert grid.bars[0].pickup
    assert [bar.pulses for bar in grid.bars] == [1, 4, 4, 3]
    book = GrooveBook.of({4: ("kick A|B|C|D",)}, {})
    assert book.cells(grid.bars[0], "kick", 0) == ("D",)
    assert book.cells(grid.bars[1], "kick", 0) == ("A", "B", "C", "D")


def test_groove_with_rows_of_two_lengths_is_refused() -> None:
    with pytest.raises(ValueError, match="differ in length"):
        Groove.of("kick X.|..\nsnare ..|X.|..")
