"""The rhythm plan: read from notes, written as text, given to the networks."""

from __future__ import annotations

import numpy as np
import pytest

from appliance.errors import UsageError
from appliance.grid import FRAME_RATE_HZ
from appliance.music.bar_lines import BarLines
from appliance.music.rhythm_plan import BarRhythm, parse_rhythm, rhythm_of, rhythm_rows, rhythm_text
from appliance.music.score import BeatGrid, Note, Score

# A pickup, then three bars of 3/4 at 120 beats a minute; the last beat of the last bar is missing.
WALTZ = BeatGrid(tuple(0.5 * k for k in range(9)), downbeats=(1, 4, 7), confidence=1.0, meter=3)
LINES = BarLines.of(WALTZ, 5.0)
OOM_PAH_PAH = BarRhythm(((0,), (12, 24), ()))


def waltz(late_s: float = 0.0) -> Score:
    notes = []
    for bar in range(3):
        start = 0.5 + 1.5 * bar + late_s
        notes.append(Note(start, start + 0.4, 40, 80, "keys"))
        notes += [Note(start + at, start + at + 0.3, 60, 70, "keys") for at in (0.5, 1.0)]
    notes.append(Note(0.5, 0.6, 38, 90, "drums"))
    return Score.of(notes, 5.0)


@pytest.mark.parametrize("late_s", [0.0, 0.03, -0.03])
def test_a_waltz_is_read(late_s: float) -> None:
    assert rhythm_of(waltz(late_s), LINES) == (OOM_PAH_PAH,) * 3


def test_the_pickup_belongs_to_no_bar() -> None:
    early = Score.of([Note(0.0, 0.2, 60, 80, "keys"), Note(0.47, 0.6, 72, 80, "keys")], 5.0)
    assert rhythm_of(early, LINES) == (BarRhythm(((), (), (0,))), BarRhythm(), BarRhythm())


def test_triplets_and_sixteenths_are_told_apart() -> None:
    notes = [
        Note(0.5 + at, 0.6 + at, 60, 80, "keys") for at in (0.0, 0.5 / 3, 1.0 / 3, 0.5, 0.625, 0.75, 0.875)
    ]
    (bar, *_) = rhythm_of(Score.of(notes, 5.0), LINES)
    assert bar == BarRhythm(((), (0, 4, 8, 12, 15, 18, 21), ()))
    assert rhythm_text((bar,)) == "1  mid: 1 1t 1l 2 2e 2& 2a\n"


def test_text_goes_both_ways() -> None:
    rhythm = BarRhythm(((0,), (12, 18), ()))
    plan = (rhythm, rhythm, None)
    assert rhythm_text(plan) == "1-2  low: 1  mid: 2 2&\n"
    assert parse_rhythm("# my groove\n\n1-2  low: 1  mid: 2& 2 2\n", LINES, "groove.txt") == plan
    assert parse_rhythm(rhythm_text((BarRhythm(),)), LINES, "groove.txt") == (BarRhythm(), None, None)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("low: 1", "does not begin with a bar"),
        ("4 low: 1", "there is no bar 4; the song has bars 1 to 3"),
        ("2-1 low: 1", "there are no bars 2-1"),
        ("1 low: 4", "'4' is in no beat of a bar of 3"),
        ("1 loud: 1", "'loud:' is no place"),
        ("1 1 2", "'1' is no place"),
    ],
)
def test_what_cannot_be_read_is_named(text: str, said: str) -> None:
    with pytest.raises(UsageError, match=f"groove.txt, line 2: .*{said}"):
        parse_rhythm("\n" + text, LINES, "groove.txt")


def test_rows_say_where_notes_begin() -> None:
    frames = int(5.0 * FRAME_RATE_HZ)
    rows = rhythm_rows((OOM_PAH_PAH, None, OOM_PAH_PAH), LINES, frames)
    centres_s = (np.arange(frames) + 0.5) / FRAME_RATE_HZ
    for row, onsets_s in ((0, [0.5, 3.5]), (1, [1.0, 1.5, 4.0, 4.5]), (2, [])):
        assert rows[row].sum() == pytest.approx(len(onsets_s))
        # Each onset is the mean of the two frames that share it.
        for at in onsets_s:
            near = np.abs(centres_s - at) < 1 / FRAME_RATE_HZ
            assert (rows[row] * near * centres_s).sum() == pytest.approx(at)
    given = centres_s[rows[3] > 0]
    assert not np.any((given > 2.05) & (given < 3.45))
    assert given.min() == pytest.approx(0.5, abs=0.05)


def test_without_notes_every_bar_is_silent() -> None:
    assert rhythm_of(Score.of([], 5.0), LINES) == (BarRhythm(),) * 3
    assert not rhythm_rows((), LINES, 8).any()
