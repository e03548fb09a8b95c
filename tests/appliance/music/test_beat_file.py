"""Beat files: what is read, how the grid is extended, and what is refused; numbers computed by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from appliance.errors import UsageError
from appliance.files.text import read_text
from appliance.music.beat_file import beats_text, parse_beats
from appliance.music.score import BeatGrid


def test_times_alone_are_beats_without_bars() -> None:
    grid = parse_beats("0.5\n1.0\n\n# the bridge\n1.5  # here\n2.0\n", 4.0, "b.txt")
    np.testing.assert_allclose(grid.beats_s, [0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5])
    assert (grid.downbeats, grid.confidence, grid.bpm) == ((), 1.0, 120.0)


def test_numbers_make_bars_and_both_go_on_to_the_files_ends() -> None:
    rows = "2.0\t3\n2.5\t1\n3.0\t2\n3.5\t3\n4.0\t1\n4.5\t2\n"
    grid = parse_beats(rows, 7.0, "b.txt")
    np.testing.assert_allclose(grid.beats_s, np.arange(14) * 0.5)
    # 2.5 s and 4.0 s are given; every 1.5 s before and after.
    assert [grid.beats_s[k] for k in grid.downbeats] == [1.0, 2.5, 4.0, 5.5]
    assert grid.meter == 3


def test_the_pace_at_each_end_goes_on() -> None:
    times = [2.0 + 0.5 * k for k in range(9)]  # 120 bpm, then 60
    times += [times[-1] + 1.0 * k for k in range(1, 10)]
    grid = parse_beats("\n".join(map(str, times)), 18.5, "b.txt")
    np.testing.assert_allclose(grid.beats_s[:5], [0.0, 0.5, 1.0, 1.5, 2.0])
    np.testing.assert_allclose(grid.beats_s[-3:], [16.0, 17.0, 18.0])


def test_a_bar_of_another_length_is_taken_as_it_is() -> None:
    numbers = [1, 2, 3, 4, 1, 2, 1, 2, 3, 4]
    text = "\n".join(f"{k} {n}" for k, n in enumerate(numbers))
    grid = parse_beats(text, 10.0, "b.txt")
    assert (grid.downbeats, grid.meter) == ((0, 4, 6), 4)


def test_read_from_a_file_with_a_byte_order_mark(tmp_path: Path) -> None:
    path = tmp_path / "beats.txt"
    path.write_text("\ufeff0.0 1\r\n0.6 2\r\n", encoding="utf-8")
    assert parse_beats(read_text(path, "the beats"), 1.2, "beats.txt").beats_s == (0.0, 0.6)


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("0.5\nsoon\n", 2, "'soon' is not a time"),
        ("0.5 one\n1.0 2\n", 1, "is not a time in seconds"),
        ("0.5 1 x\n1.0 2\n", 1, "must be a time"),
        ("nan\n1.0\n", 1, "must be a time"),
        ("0.5 0\n1.0 1\n", 1, "from 1 to 32"),
        ("0.5 1\n1.0\n", 2, "number all or none"),
        ("0.5 1\n1.0 3\n", 2, "it must be 2, or 1"),
        ("1.0\n0.5\n", 2, "must come later"),
        ("1.0\n1.0\n", 2, "must come later"),
        ("-1\n0.5\n", 1, "outside the recording, which has 9.000 s"),
        ("1.0\n9.5\n", 2, "outside the recording"),
    ],
)
def test_errors_name_file_and_line(text: str, line: int, says: str) -> None:
    with pytest.raises(UsageError, match=rf"b\.txt, line {line}: .*{says}"):
        parse_beats(text, 9.0, "b.txt")


@pytest.mark.parametrize(
    ("text", "says"),
    [("", "0 beats"), ("# none\n0.5 1\n", "1 beats"), ("0.5 2\n1.0 3\n", "no beat has number 1")],
)
def test_what_is_no_grid(text: str, says: str) -> None:
    with pytest.raises(UsageError, match=rf"b\.txt: .*{says}"):
        parse_beats(text, 9.0, "b.txt")


def test_unreadable(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"nowhere\.txt: the beats cannot be read"):
        read_text(tmp_path / "nowhere.txt", "the beats")


@pytest.mark.parametrize(
    ("first", "downbeats", "meter"),
    [
        (0.1, (0, 4, 8), 4),
        (0.3, (3, 6, 9), 3),
        (0.2, (4, 9), 5),
        (0.0, (6, 13), 7),
        (0.2, (0, 4, 6, 10), 4),
        (0.4, (), 4),
    ],
)
def test_beats_that_are_written_are_read_again(first: float, downbeats: tuple[int, ...], meter: int) -> None:
    grid = BeatGrid(tuple(first + 0.5 * k for k in range(14)), downbeats, 0.7, meter)
    again = parse_beats(beats_text(grid), grid.beats_s[-1] + 0.4, "beats.txt")
    assert again.beats_s == pytest.approx(grid.beats_s, abs=1e-4)
    assert again.downbeats == grid.downbeats
    assert again.meter == meter or not downbeats
