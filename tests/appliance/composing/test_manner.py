"""What a take does with the manner of a reference: instruments, groove, strokes a second."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from support.plain_song import DURATION_S, GRID, reading, score

from appliance.composing.dials import reference_attributes, turn_dials
from appliance.composing.manner import Groove, instruments
from appliance.composing.manner_reading import manner_of, played_by_its_groups, strokes_a_second
from appliance.composing.take_plans import planned
from appliance.composing.takes import draw_take
from appliance.composing.wishes import Wishes
from appliance.errors import UsageError
from appliance.music.bar_lines import BarLines
from appliance.music.rhythm_plan import BarRhythm
from appliance.music.score import STYLE_GROUPS, STYLES, BeatGrid, Note
from appliance.networks.condition_rows import CONDITION_ROWS, FIRST_CONDITION_ROWS
from appliance.networks.graphs import Graphs
from appliance.packs.dial_table import usual_table
from appliance.packs.pack import load_pack
from appliance.packs.rhythm_bank import Phrase, RhythmBank

NEW: Any = SimpleNamespace(condition_rows=CONDITION_ROWS)
OLD: Any = SimpleNamespace(condition_rows=FIRST_CONDITION_ROWS)
BORROWED = BarRhythm(((0,), (), ()))
PACK: Any = SimpleNamespace(
    rhythms=lambda: RhythmBank((Phrase("piano", 4, False, 120.0, (BORROWED,)),)),
    dials=usual_table,
    has_dials=True,
)
GROOVE = Groove(meter=4, compound=False, bpm=100.0, bars=2, rhythm="1  low: 1 3\n2  mid: 2&\n")
FIRST, SECOND = BarRhythm(((0, 24), (), ())), BarRhythm(((), (18,), ()))


@pytest.mark.parametrize("style", STYLES)
def test_only_instruments_of_the_style_play(style: str) -> None:
    own = STYLE_GROUPS[style]
    everything = ["keys", "pluck", "pad", "bass", "drums"]
    assert instruments(style, []) == instruments(style, everything) == own
    for heard in (["keys"], ["pad", "drums"], ["pluck", "bass"]):
        found = instruments(style, heard)
        assert set(found) <= set(own)
        assert set(found) - {"bass", "drums"}  # somebody plays chords
        assert ("drums" in found) == ("drums" in own and "drums" in heard)
        assert ("bass" in found) == ("bass" in own and "bass" in heard)


@pytest.mark.slow
def test_a_take_has_the_instruments_of_the_reference(fake_pack: Path) -> None:
    graphs, pack = Graphs(load_pack(fake_pack), 1), load_pack(fake_pack)
    song = reading()
    without = draw_take(graphs, pack, song, Wishes(style="pop"), 1)
    assert without.score.groups() == ("keys", "bass", "drums")
    take = draw_take(graphs, pack, song, Wishes(style="pop", like={}, like_groups=["keys", "bass"]), 1)
    assert take.score.groups() == ("keys", "bass")
    assert take.score == without.score.only("keys", "bass")


@pytest.mark.parametrize("seed", [0, 7])
def test_the_groove_is_the_rhythm_of_every_take(seed: int) -> None:
    asked = Wishes(like={"density": 1.0}, like_groove=GROOVE, like_name="ref.mid")
    made = planned(NEW, PACK, reading(), asked, seed)
    bars = BarLines.of(GRID, DURATION_S).bars
    assert made.rhythm[: bars - 1] == (FIRST, SECOND, FIRST, SECOND, FIRST, SECOND, FIRST, SECOND)[: bars - 1]
    assert made.remarks == ()


def test_a_given_rhythm_goes_before_the_groove() -> None:
    asked = Wishes(like={}, like_groove=GROOVE, rhythm="1-2 low: 4\n")
    assert planned(NEW, PACK, reading(), asked, 0).rhythm[0] == BarRhythm(((36,), (), ()))


def test_a_groove_that_cannot_be_played_is_told() -> None:
    asked = Wishes(like={}, like_groove=GROOVE, like_name="ref.mid")
    other = replace(reading(), grid=replace(GRID, meter=3, downbeats=tuple(range(0, 32, 3))))
    unsure = replace(reading(), grid=BeatGrid())
    for graphs, song, why in (
        (OLD, reading(), "knows no rhythms"),
        (NEW, other, "this song has other bars, or none that are sure"),
        (NEW, unsure, "this song has other bars, or none that are sure"),
    ):
        made = planned(graphs, PACK, song, asked, 0)
        (remark,) = made.remarks
        assert remark.startswith("ref.mid: its groove is not played, because ") and why in remark
        assert made.rhythm == ()
    assert planned(OLD, PACK, reading(), Wishes(like={}), 0).remarks == ()


def test_strokes_a_second_become_strokes_a_beat_of_the_song() -> None:
    asked = Wishes(like={"voices": 3.0}, like_strokes_s=3.0)
    lines = BarLines.of(GRID, DURATION_S)  # beats of half a second
    assert reference_attributes(asked, lines) == {"voices": 3.0, "density": pytest.approx(math.log2(1.5))}
    slow = BarLines.of(BeatGrid(tuple(map(float, range(17))), (0, 4, 8, 12, 16), 1.0), DURATION_S)
    assert reference_attributes(asked, slow)["density"] == pytest.approx(math.log2(3.0))
    assert reference_attributes(Wishes(like={"voices": 3.0}), lines) == {"voices": 3.0}


def test_density_is_that_of_the_recording(fake_pack: Path) -> None:
    """The plain score strikes 1.5 times a second; a recording with three strokes makes it strike as often."""
    pack = load_pack(fake_pack)
    made, _, _ = turn_dials(pack, reading(), score(), Wishes(like={}, like_strokes_s=3.0), 0)
    found = strokes_a_second(made.notes)
    assert strokes_a_second(score().notes) == pytest.approx(1.5, rel=0.1)
    assert found == pytest.approx(3.0, rel=0.2)


def test_groups_that_hardly_play_are_mistakes_of_the_ear() -> None:
    notes = [Note(0.5 * k, 0.5 * k + 0.4, 60, 80, "keys") for k in range(98)]
    wrong = [Note(1.0, 1.4, 64, 80, "pluck"), Note(2.0, 2.1, 38, 80, "drums")]
    assert played_by_its_groups(sorted([*notes, *wrong])) == notes


def test_too_few_notes_are_told() -> None:
    notes = [Note(0.5 * k, 0.5 * k + 0.4, 60, 80, "keys") for k in range(15)]
    with pytest.raises(UsageError, match=r"^x\.wav: too few notes .* at least 16\.$"):
        manner_of(notes, np.zeros((0, 3)), GRID, DURATION_S, "x.wav")


@pytest.mark.parametrize("others", [1, 2, 4, 5])
def test_the_groove_of_a_reference_that_changes_its_meter_is_read_from_bars_of_the_meter(others: int) -> None:
    """Two bars of three beats, then one of ``others``, over and over, with a note on every beat."""
    lengths = [3, 3, others] * 8
    starts = np.cumsum([0, *lengths])
    beats_s = tuple(0.5 * k for k in range(int(starts[-1]) + 1))
    grid = BeatGrid(beats_s, tuple(int(k) for k in starts[:-1]), 1.0, 3)
    notes = [Note(start_s, start_s + 0.4, 60, 80, "keys") for start_s in beats_s[:-1]]
    groove = manner_of(notes, np.zeros((0, 3)), grid, beats_s[-1], "x.mid").like_groove
    assert groove is not None and (groove.meter, groove.rhythm) == (3, "1-2  mid: 1 2 3\n")
    asked = Wishes(like={}, like_groove=groove, like_name="x.mid")
    song = replace(reading(), grid=replace(GRID, downbeats=tuple(range(0, len(GRID.beats_s), 3)), meter=3))
    assert planned(NEW, PACK, song, asked, 0).rhythm[0] == BarRhythm(((), (0, 12, 24), ()))
