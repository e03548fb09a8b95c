"""What is shaped in a given key: as asked where the key bears it, without colour or not at all elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from appliance.composing.key_request import key_clarity
from appliance.composing.shaping.in_key import shape_in_key
from appliance.composing.shaping.shape import Region
from appliance.music.chord_chart import Chart, ChordSpan
from appliance.music.keys import Key
from appliance.music.score import Note, Score

C_MAJOR, A_MINOR, F_SHARP = (
    ((48, 60, 64, 67), (53, 57, 60, 65), (55, 59, 62, 67)),
    ((45, 57, 60, 64),),
    ((54, 58, 61),),
)


def played(*chords: tuple[int, ...]) -> Score:
    """One chord a second, the first once more at the end."""
    notes = [
        Note(float(k), k + 0.9, pitch, 80, "keys")
        for k, chord in enumerate((*chords, chords[0]))
        for pitch in chord
    ]
    return Score.of(notes, len(chords) + 1.0)


WRITTEN, ELSEWHERE = played(*C_MAJOR), played(*F_SHARP * 3)
CHART = [ChordSpan(float(k), k + 1.0, label) for k, label in enumerate("CFGC")]
RENAMED = [ChordSpan(0.0, 4.0, "Am")]


@dataclass
class Shaper:
    """Makes one score with colour, another without, and notes what it was asked."""

    coloured: Score
    plain: Score
    asked: list[set[str]] = field(default_factory=list)

    def __call__(self, regions: Sequence[Region]) -> tuple[Score, Chart]:
        self.asked.append({dial for region in regions for dial in region.goals})
        return (self.coloured if "colour" in self.asked[-1] else self.plain), RENAMED


def regions(*dials: str) -> list[Region]:
    return [Region(frozenset({1}), dict.fromkeys(dials, 1.0)), Region(frozenset({2}), {})]


def shaped(shaper: Shaper, *dials: str) -> tuple[Score, Chart, tuple[str, ...]]:
    return shape_in_key(WRITTEN, CHART, Key.parse("C"), regions(*dials), shaper)


def test_how_clear_a_key_is() -> None:
    assert key_clarity(WRITTEN, Key.parse("C")) == 2
    assert key_clarity(WRITTEN, Key.parse("A minor")) == key_clarity(ELSEWHERE, Key.parse("C")) == 0


@pytest.mark.parametrize("dials", [("colour",), ("density",), ("colour", "density")])
def test_what_stays_in_the_key_is_played_as_asked(dials: tuple[str, ...]) -> None:
    shaper = Shaper(WRITTEN, WRITTEN)
    assert shaped(shaper, *dials) == (WRITTEN, RENAMED, ())
    assert shaper.asked == [set(dials)]


def test_the_colour_is_left_out_before_the_others_are() -> None:
    thinner = Score.of(WRITTEN.notes[4:], 4.0)
    shaper = Shaper(played(*A_MINOR), thinner)
    assert shaped(shaper, "colour", "density") == (thinner, RENAMED, ("colour",))
    assert shaper.asked == [{"colour", "density"}, {"density"}]


def test_notes_of_another_key_move_to_the_chart() -> None:
    made, chart, left_out = shaped(Shaper(ELSEWHERE, ELSEWHERE), "density")
    assert key_clarity(made, Key.parse("C")) and chart == CHART and left_out == ()
    assert made.notes != WRITTEN.notes


def test_a_key_that_nothing_keeps_leaves_the_notes_as_they_were() -> None:
    chart = [ChordSpan(0.0, 4.0, "F#")]
    shaper = Shaper(ELSEWHERE, ELSEWHERE)
    made = shape_in_key(WRITTEN, chart, Key.parse("C"), regions("voices", "colour"), shaper)
    assert made == (WRITTEN, chart, ("colour", "voices"))


def test_a_key_that_was_not_heard_before_is_not_missed() -> None:
    made = shape_in_key(ELSEWHERE, CHART, Key.parse("C"), regions("colour"), Shaper(ELSEWHERE, ELSEWHERE))
    assert made == (ELSEWHERE, RENAMED, ())
