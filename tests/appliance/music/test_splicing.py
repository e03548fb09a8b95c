"""Scores and charts with some bars of another: hand-made cases of notes at the borders."""

from __future__ import annotations

import pytest

from appliance.music.bar_lines import BarLines
from appliance.music.chord_chart import ChordSpan
from appliance.music.rhythm_plan import BarRhythm
from appliance.music.score import BeatGrid, Note, Score
from appliance.music.splicing import TimeSpan, spliced_chart, spliced_rhythm, spliced_score

BARS = TimeSpan(2.0, 4.0)


def keys(*notes: tuple[float, float, int], group: str = "keys") -> Score:
    return Score.of((Note(start_s, end_s, pitch, 80, group) for start_s, end_s, pitch in notes), 8.0)


def spliced(old: Score, new: Score) -> list[tuple[float, float, int]]:
    return [(n.start_s, n.end_s, n.pitch) for n in spliced_score(old, new, BARS, ["keys"]).notes]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        # What begins in the bars is exchanged, what begins outside is not.
        ([(1, 2, 60), (2, 3, 60)], [(1, 2, 70), (3, 4, 70)], [(1, 2, 60), (3, 4, 70)]),
        ([(3, 4, 60), (4, 5, 60)], [(4, 5, 70)], [(4, 5, 60)]),
        # A note that rings into the bars, or through them, stays whole.
        ([(1, 3, 60), (1, 6, 62)], [(2, 3, 64)], [(1, 3, 60), (1, 6, 62), (2, 3, 64)]),
        # A new note ends at the last border, an old one from inside the bars is gone with its end.
        ([(3, 6, 60)], [(3, 6, 64)], [(3, 4, 64)]),
        # A new note of a pitch that still sounds waits for its end; if too little is left, it is left out.
        ([(1, 3, 60)], [(2, 3.5, 60)], [(1, 3, 60), (3, 3.5, 60)]),
        ([(1, 3, 60)], [(2, 3.04, 60)], [(1, 3, 60)]),
        # A tick early is on the border; a crumb before the last border is left out.
        ([(1.9995, 3, 60)], [(2, 3, 64)], [(2, 3, 64)]),
        ([], [(3.97, 5, 64)], []),
        ([(3.9995, 5, 60)], [], [(3.9995, 5, 60)]),
        # A short note that nothing shortens stays.
        ([], [(3, 3.02, 64)], [(3, 3.02, 64)]),
    ],
)  # fmt: skip
def test_notes_at_the_borders(
    old: list[tuple[float, float, int]],
    new: list[tuple[float, float, int]],
    expected: list[tuple[float, float, int]],
) -> None:
    assert spliced(keys(*old), keys(*new)) == expected


def test_other_parts_are_untouched() -> None:
    old = Score.of([*keys((2, 3, 60)).notes, *keys((2, 3, 40), group="bass").notes], 8.0)
    new = Score.of([*keys((2, 3, 64)).notes, *keys((2, 3, 45), group="bass").notes], 8.0)
    only_bass = spliced_score(old, new, BARS, ["bass"])
    assert [(n.group, n.pitch) for n in only_bass.notes] == [("bass", 45), ("keys", 60)]


def test_drums_near_the_last_border_stay() -> None:
    new = keys((3.97, 4.07, 36), group="drums")
    (hit,) = spliced_score(keys(), new, BARS, ["drums"]).notes
    assert (hit.start_s, hit.end_s) == (3.97, 4.0)


def chart(*spans: tuple[float, float, str]) -> list[ChordSpan]:
    return [ChordSpan(*span) for span in spans]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (chart((0, 8, "C")), chart((0, 8, "G")), chart((0, 2, "C"), (2, 4, "G"), (4, 8, "C"))),
        (chart((0, 2, "C")), chart((0, 3, "F"), (3, 8, "G")), chart((0, 2, "C"), (2, 3, "F"), (3, 4, "G"))),
        (chart((0, 8, "C")), chart((0, 8, "C")), chart((0, 8, "C"))),
        (chart((0, 3, "C")), [], chart((0, 2, "C"))),
        ([], chart((1, 6, "G7")), chart((2, 4, "G7"))),
    ],
)  # fmt: skip
def test_chords_at_the_borders(old: list[ChordSpan], new: list[ChordSpan], expected: list[ChordSpan]) -> None:
    assert spliced_chart(old, new, BARS) == expected


def test_rhythms_are_exchanged_bar_by_bar() -> None:
    grid = BeatGrid(tuple(0.25 + 0.5 * k for k in range(16)), (0, 4, 8, 12), 1.0, 4)  # bars at 0.25, 2.25 ...
    lines = BarLines.of(grid, 8.0)
    old, new = (tuple(BarRhythm(((place,), (), ())) for _ in range(4)) for place in (0, 12))
    bars = TimeSpan(2.25, 6.25)
    assert spliced_rhythm(old, new, lines, bars) == (old[0], new[1], new[2], old[3])
    assert spliced_rhythm((), new, lines, bars) == (None, new[1], new[2], None)
    assert spliced_rhythm(old, (), lines, TimeSpan(0.25, 4.25)) == (None, None, old[2], old[3])
    assert spliced_rhythm(old, (), lines, TimeSpan(0.0, 9.0)) == ()
    assert spliced_rhythm((), (), lines, bars) == ()
