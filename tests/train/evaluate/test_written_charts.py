"""Written chords as charts, with and without gaps, that the appliance reads."""

from __future__ import annotations

from dataclasses import replace

from support.tiny_song import tiny_song

from appliance.music.beat_file import beats_text, parse_beats
from appliance.music.chord_chart import ChordSpan, chart_text, parse_chart
from appliance.music.keys import Key
from train.arrange.chord import Chord
from train.evaluate.material.written_charts import (
    bar_labels,
    chart_in_bars,
    every_second,
    label_of,
    written_beats,
    written_chart,
)
from train.evaluate.sections.filled import agreement, exercise_of

C, F, G7 = (48, 64, 67, 72), (53, 65, 69, 72), (43, 62, 65, 71)


def test_the_chart_of_an_excerpt_is_one_that_the_appliance_reads() -> None:
    song = tiny_song([C, F, G7, C], beat_s=0.5)
    chart = written_chart(song, 2.0, 7.0)
    assert chart == [ChordSpan(0.0, 2.0, "F"), ChordSpan(2.0, 4.0, "G7"), ChordSpan(4.0, 5.0, "C")]
    assert parse_chart(chart_text(chart), song.grid, 5.0, "chart") == chart


def test_labels_are_spelled_in_the_key() -> None:
    assert label_of(Chord(0.0, 1.0, 10, "min", 1), Key.parse("Db")) == "Bbm/Db"
    assert label_of(Chord(0.0, 1.0, 11, "hdim", 11), Key.parse("C")) == "Bm7b5"


def test_beats_of_an_excerpt_keep_their_bars() -> None:
    song = replace(tiny_song([C, F, G7, C], beat_s=0.5), downbeats=(1, 5, 9, 13))
    grid = written_beats(song, 0.0, 6.0)
    assert grid.beats_s[:3] == (0.0, 0.5, 1.0) and grid.downbeats == (1, 5, 9)
    assert beats_text(grid).splitlines()[:3] == ["0.0000 4", "0.5000 1", "1.0000 2"]
    later = written_beats(song, 2.5, 6.0)
    assert later.beats_s[0] == 0.0 and later.downbeats == (0, 4)
    assert parse_beats(beats_text(later), 3.5, "beats").downbeats == (0, 4)


def test_a_bar_has_the_chord_that_sounds_longest() -> None:
    chart = [ChordSpan(0.0, 2.5, "C"), ChordSpan(2.5, 3.0, "F"), ChordSpan(3.0, 4.0, "G7")]
    assert bar_labels(chart, [0.0, 2.0, 4.0, 6.0]) == ["C", "G7", "N"]
    assert chart_in_bars(every_second(["C", "G7", "G7", "N"])) == "| C | ? | ? | N |\n"


def test_the_missing_chords_are_those_of_the_gaps() -> None:
    exercise = exercise_of(tiny_song([C, C, F, G7, G7, C], beat_s=0.5), 0.0, 12.0)
    assert exercise.chart == "| C | C | ? | G7 | G7 | ? |\n"
    assert exercise.missing == [ChordSpan(4.0, 6.0, "F"), ChordSpan(10.0, 12.0, "C")]
    assert exercise.beats.startswith("0.0000 1\n0.5000 2\n")


def test_agreement_counts_in_the_gaps_alone() -> None:
    missing = [ChordSpan(4.0, 6.0, "F"), ChordSpan(10.0, 12.0, "C")]
    # F7 has root and third of F; of the second gap the first half is right. What is elsewhere is no matter.
    chart = [ChordSpan(0.0, 4.0, "Ab"), ChordSpan(4.0, 8.0, "F7"), ChordSpan(8.0, 11.0, "C/E")]
    assert agreement(chart, missing) == 0.75
    assert agreement([], missing) == 0.0
