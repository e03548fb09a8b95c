"""What a request means for a take: bars, parts, chords and seed, and the errors that name the range."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from appliance.composing.wishes import Wishes
from appliance.errors import UsageError
from appliance.music.chord_chart import ChordSpan
from appliance.music.keys import Key
from appliance.music.score import BeatGrid
from appliance.rendering.redo.change import change_of
from appliance.rendering.redo.parent import Parent
from appliance.rendering.redo.request import GivenChords, RedoRequest, parse_bars


def parent(first_s: float = 0.5, pickup: int = 1, style: str = "jazz") -> Parent:
    """A song of 20 s with a beat every half second; after ``pickup`` beats, bars of four."""
    beats = tuple(first_s + 0.5 * k for k in range(39))
    grid = BeatGrid(beats, tuple(range(pickup, 39, 4)), 1.0)
    return Parent(
        path=Path("song.receipt.json"),
        sha256="",
        facts={},
        name="song",
        first_name="song",
        wishes=Wishes(style=style, seed=7),
        grid=grid,
        key=Key.parse("F"),
        chart=[ChordSpan(0.0, 20.0, "F")],
        chart_text="0.000 20.000 F\n",
        groups=("keys", "bass", "drums"),
        duration_s=20.0,
        band=None,
        voice_db=None,
        mix=None,
    )


def span(request: RedoRequest, of: Parent | None = None) -> tuple[float, float] | None:
    found = change_of(request, of or parent()).span
    return None if found is None else (found.start_s, found.end_s)


@pytest.mark.parametrize(
    ("said", "bars"), [("9-16", (9, 16)), (" 3 - 3 ", (3, 3)), ("4", (4, 4)), ("1–2", (1, 2))]
)
def test_bars_are_read(said: str, bars: tuple[int, int]) -> None:
    assert parse_bars(said) == bars


@pytest.mark.parametrize("said", ["", "a", "9-", "-3", "9:16", "16-9", "1,2"])
def test_bad_bars_say_how_to_write_them(said: str) -> None:
    with pytest.raises(UsageError, match=r"such as 9-16|write 9-16"):
        parse_bars(said)


@pytest.mark.parametrize("said", ["", "Dm7", "| Dm7 |", "9 | Dm7 |", "0: | C |", "9: Dm7"])
def test_bad_chords_say_how_to_write_them(said: str) -> None:
    with pytest.raises(UsageError, match=r"'9: \| Dm7 \| G7 \|'"):
        GivenChords.parse(said)


@pytest.mark.parametrize(
    ("bars", "seconds"),
    [((1, 1), (1.0, 3.0)), ((2, 4), (3.0, 9.0)), ((0, 0), (0.0, 1.0)), ((0, 10), (0.0, 20.0))],
)  # fmt: skip
def test_bars_count_from_the_first_downbeat(bars: tuple[int, int], seconds: tuple[float, float]) -> None:
    assert span(RedoRequest(bars)) == seconds


def test_without_a_pickup_the_first_bar_begins_with_the_recording() -> None:
    prompt = parent(first_s=0.02, pickup=0)
    assert span(RedoRequest((1, 1)), prompt) == (0.0, 2.02)
    with pytest.raises(UsageError, match=r"There is no bar 0; this take has the bars 1 to 10\."):
        span(RedoRequest((0, 1)), prompt)


@pytest.mark.parametrize("bars", [(11, 11), (3, 11), (99, 120)])
def test_bars_out_of_range_name_the_range(bars: tuple[int, int]) -> None:
    with pytest.raises(UsageError, match="bars 1 to 10, and 0, the pickup"):
        span(RedoRequest(bars))


def test_a_take_without_bars_says_so() -> None:
    of = replace(parent(), grid=BeatGrid((1.0, 2.0, 3.0)))
    with pytest.raises(UsageError, match="bars of this take are unknown"):
        span(RedoRequest((1, 2)), of)
    assert change_of(RedoRequest(parts=("bass",)), of).span is None


def test_parts_are_those_of_the_style() -> None:
    assert change_of(RedoRequest(), parent()).groups == ("keys", "bass", "drums")
    assert change_of(RedoRequest(parts=("drums", "keys")), parent()).groups == ("keys", "drums")
    with pytest.raises(UsageError, match="no part 'pad' in the style 'jazz'; it has keys, bass, drums"):
        change_of(RedoRequest(parts=("pad",)), parent())


def test_chords_replace_those_of_their_bars() -> None:
    change = change_of(RedoRequest(chords=(GivenChords(2, "| Dm7 | G7 C |"),)), parent())
    assert change.chart == [
        ChordSpan(0.0, 3.0, "F"),
        ChordSpan(3.0, 5.0, "Dm7"),
        ChordSpan(5.0, 6.0, "G7"),
        ChordSpan(6.0, 7.0, "C"),
        ChordSpan(7.0, 20.0, "F"),
    ]
    assert change.span is not None
    assert (change.span.start_s, change.span.end_s) == (3.0, 7.0)


def test_chords_are_spelled_and_counted_as_in_charts() -> None:
    given = (GivenChords(1, "|: 1 | 6m :|"), GivenChords(9, "| V7 | N |"))
    change = change_of(RedoRequest(chords=given), parent())
    assert change.chart is not None
    labels = [span.label for span in change.chart]
    assert labels == ["F", "Dm", "F", "Dm", "F", "C7", "N"]
    assert change.span is not None
    assert (change.span.start_s, change.span.end_s) == (1.0, 20.0)


@pytest.mark.parametrize(
    ("chords", "sentence"),
    [
        ("9: | C | F | G |", "--chords 9, line 1: the chart has more bars than the recording, which has 10."),
        ("11: | C |", "There is no bar 11; this take has the bars 1 to 10, and 0, the pickup before them."),
        ("3: | Xyz |", "--chords 3, line 1: 'Xyz' is not a chord that Backline knows"),
        ("3: | % |", "--chords 3, line 1: '%' repeats the previous bar, but this is the first bar."),
    ],
)
def test_bad_chords_name_bar_and_reason(chords: str, sentence: str) -> None:
    with pytest.raises(UsageError) as told:
        change_of(RedoRequest(chords=(GivenChords.parse(chords),)), parent())
    assert str(told.value).startswith(sentence)


def test_chords_must_lie_in_the_bars() -> None:
    given = (GivenChords(4, "| C | G |"),)
    assert span(RedoRequest((3, 6), chords=given)) == (5.0, 13.0)
    with pytest.raises(UsageError, match="--chords 4: they reach beyond --bars 3-4"):
        span(RedoRequest((3, 4), chords=given))


def test_the_seed_is_the_next_one_unless_only_chords_change() -> None:
    given = (GivenChords(4, "| C |"),)
    asked = {
        RedoRequest(): 8,
        RedoRequest((1, 2)): 8,
        RedoRequest(parts=("bass",)): 8,
        RedoRequest(chords=given): 7,
        RedoRequest((3, 5), chords=given): 8,
        RedoRequest(chords=given, seed=3): 3,
        RedoRequest(seed=0): 0,
    }
    assert {request: change_of(request, parent()).seed for request in asked} == asked
