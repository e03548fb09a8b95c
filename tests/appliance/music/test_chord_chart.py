"""Charts and plans, compared with chords written out by hand."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from appliance.composing.plan_chart import ESTIMATED_QUALITIES, PLAN_RATE_HZ, chart_from_plan, plan_from_chart
from appliance.errors import UsageError
from appliance.files.text import read_text
from appliance.music.chord_chart import Chart, ChordSpan, chart_remarks, chart_text, parse_chart
from appliance.music.chord_names import parse_chord
from appliance.music.chord_quality import QUALITIES
from appliance.music.keys import Key
from appliance.music.scale_degrees import SongKey
from appliance.music.score import BeatGrid

C, D, E, F, G, A, B = 0, 2, 4, 5, 7, 9, 11
EIGHT_BARS = BeatGrid(tuple(0.5 * i for i in range(32)), tuple(range(0, 32, 4)), 1.0, 4)
"""120 bpm, bars of 2 s from 0 to 16 s."""


def test_a_plan_holds_the_tones_for_as_long_as_the_chord() -> None:
    frame_s = 1 / PLAN_RATE_HZ
    chart = [ChordSpan(0.0, 2.25 * frame_s, "C/E"), ChordSpan(2.25 * frame_s, 4 * frame_s, "N")]
    plan = plan_from_chart(chart, 6)
    expected = np.zeros((24, 6))
    for row in (C, E, G, 12 + E):
        expected[row, :3] = 1, 1, 0.25
    assert plan.dtype == np.float32
    np.testing.assert_allclose(plan, expected, atol=1e-6)


def progression(*labels: str) -> Chart:
    return [ChordSpan(2.0 * i, 2.0 * (i + 1), label) for i, label in enumerate(labels)]


@pytest.mark.parametrize(
    "labels",
    [
        ("C", "Am7", "Dm7", "G7", "C/E", "F", "Gsus4", "C"),
        ("Eb", "Cm", "Fm7", "Bb7", "Eb/G", "Abmaj7", "N", "Eb"),
        ("E", "C#m", "F#m7", "B7", "G#aug", "A", "D#m7b5", "E"),
        ("N", "Am", "Bdim", "E/G#", "Am/E", "F", "G", "Am"),
    ],
)
def test_chart_to_plan_and_back(labels: tuple[str, ...]) -> None:
    plan = plan_from_chart(progression(*labels), int(16 * PLAN_RATE_HZ) + 1)
    assert chart_from_plan(plan, EIGHT_BARS, 16.0) == progression(*labels)


@pytest.mark.slow
def test_every_estimated_chord_in_every_key_and_inversion_comes_back() -> None:
    n, missed = int(16 * PLAN_RATE_HZ) + 1, []
    for quality in ESTIMATED_QUALITIES:
        for root in range(12):
            chord = parse_chord("C" + quality)
            assert chord is not None
            plan = np.zeros((24, n), np.float32)
            plan[[(root + p) % 12 for p in chord.pitch_classes]] = 1
            plan[12 + root] = 1
            (span,) = chart_from_plan(plan, EIGHT_BARS, 16.0)
            found = parse_chord(span.label)
            assert found is not None
            want = {(root + p) % 12 for p in chord.pitch_classes}
            if (found.bass_pitch_class, found.pitch_classes) != (root, want):
                missed.append((quality, root, span.label))
    assert missed == []


def test_a_quiet_noisy_plan_still_reads_right() -> None:
    rng = np.random.default_rng(5)
    chart = progression("F", "Dm", "Gm", "C7", "F/A", "Bb", "C", "F")
    plan = plan_from_chart(chart, int(16 * PLAN_RATE_HZ) + 1)
    noisy = np.clip(0.4 * plan + rng.normal(0.08, 0.08, plan.shape), 0, 1).astype(np.float32)
    found = plan_from_chart(chart_from_plan(noisy, EIGHT_BARS, 16.0), plan.shape[1])
    agree = np.mean(np.all((found[:12] > 0.5) == (plan[:12] > 0.5), axis=0))
    assert agree > 0.95


def test_without_beats_chords_fall_on_half_seconds() -> None:
    chart = [ChordSpan(0.0, 1.5, "C"), ChordSpan(1.5, 3.7, "F")]
    assert chart_from_plan(plan_from_chart(chart, 20), BeatGrid(), 3.7) == chart


def test_silence_is_no_chord_and_spans_cover_the_song() -> None:
    assert chart_from_plan(np.zeros((24, 60), np.float32), EIGHT_BARS, 10.0) == [ChordSpan(0.0, 10.0, "N")]
    assert chart_from_plan(np.zeros((24, 0), np.float32), BeatGrid(), 0.0) == []
    rng = np.random.default_rng(1)
    chart = chart_from_plan(rng.random((24, 60), np.float32), EIGHT_BARS, 10.0)
    assert chart[0].start_s == 0.0
    assert chart[-1].end_s == 10.0
    assert all(a.end_s == b.start_s for a, b in pairwise(chart))


def test_timed_text_round_trips_exactly() -> None:
    chart = [ChordSpan(0.0, 2.5, "Am7"), ChordSpan(2.5, 1 / 3 + 3, "Bb/D"), ChordSpan(4.0, 5.125, "N")]
    text = chart_text(chart)
    assert text.startswith("0.000 2.500 Am7\n2.500 3.3333333333333335 Bb/D\n")
    assert parse_chart(text, BeatGrid(), 10.0, "x.txt") == chart


def test_bars_share_their_time_among_their_chords() -> None:
    text = "# verse\n| Am | F G | C |\n| % | N | G / / C |  # end\n"
    assert parse_chart(text, EIGHT_BARS, 16.0, "x.txt") == [
        ChordSpan(0.0, 2.0, "Am"),
        ChordSpan(2.0, 3.0, "F"),
        ChordSpan(3.0, 4.0, "G"),
        ChordSpan(4.0, 8.0, "C"),
        ChordSpan(8.0, 10.0, "N"),
        ChordSpan(10.0, 11.5, "G"),
        ChordSpan(11.5, 12.0, "C"),
    ]


@pytest.mark.parametrize("text", ["| Am | % | F | % |", "| Am |\n| % | F |\n| % |", "|Am|%|\n|F|%|"])
def test_a_repeated_bar_repeats_the_bar_before_it_not_the_line_before(text: str) -> None:
    assert parse_chart(text, EIGHT_BARS, 16.0, "x.txt") == [
        ChordSpan(0.0, 4.0, "Am"),
        ChordSpan(4.0, 8.0, "F"),
    ]


def test_bar_one_is_the_first_bar_of_the_grid_and_the_last_one_may_be_cut() -> None:
    pickup = BeatGrid(tuple(0.2 + 0.5 * i for i in range(6)), (1, 4), 1.0, 3)
    assert parse_chart("|C#m|F#7 B|", pickup, 3.0, "x") == [
        ChordSpan(0.7, 2.2, "C#m"),
        ChordSpan(2.2, 2.95, "F#7"),
        ChordSpan(2.95, 3.0, "B"),
    ]


@pytest.mark.parametrize(
    ("text", "line", "why"),
    [
        ("0 1 C\n1 2 Cfoo\n", 2, "not a chord"),
        ("0 1 C\n0.5 2 G\n", 2, "before the previous one ends"),
        ("2 1 C\n", 1, "a later end"),
        ("0 nan C\n", 1, "a later end"),
        ("0 1 C G\n", 1, "one chord"),
        ("zero one C\n", 1, "not 'START END CHORD'"),
        ("0 1 C\n| C |\n", 2, "not both"),
        ("\n# x\n| % |\n", 3, "first bar"),
        ("| / C |\n", 1, "opens the bar"),
        ("| C | X |\n", 1, "not a chord"),
        ("| 1 | C |\n", 1, "counts in a key, and none is known"),
        ("|: C |: F :|\n", 1, "inside another"),
        ("| C |::| F |\n", 1, "none stand before it"),
        ("| C :| x1\n", 1, "2 to 99 times"),
        ("| C |\n" * 9, 9, "more bars than the recording, which has 8"),
        ("99 100 C\n", 1, "the recording ends"),
    ],
)
def test_errors_name_the_file_and_the_line(text: str, line: int, why: str) -> None:
    with pytest.raises(UsageError, match=why) as caught:
        parse_chart(text, EIGHT_BARS, 16.0, "song.txt")
    assert str(caught.value).startswith(f"song.txt, line {line}: ")


def test_bars_need_beats_and_a_chart_needs_chords(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"give the tempo \(bpm\) or write times"):
        parse_chart("| C |", BeatGrid(), 16.0, "song.txt")
    with pytest.raises(UsageError, match="empty"):
        parse_chart("# nothing\n", EIGHT_BARS, 16.0, "song.txt")
    with pytest.raises(UsageError, match=r"gone\.txt: the chord chart cannot be read"):
        read_text(tmp_path / "gone.txt", "the chord chart")
    binary = tmp_path / "binary.txt"
    binary.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError, match="cannot be read as UTF-8"):
        read_text(binary, "the chord chart")
    chart = tmp_path / "chart.txt"
    chart.write_text("\ufeff0 1 C♯m\n", encoding="utf-8")
    assert parse_chart(read_text(chart, "the chord chart"), BeatGrid(), 16.0, "chart.txt") == [
        ChordSpan(0.0, 1.0, "C#m")
    ]


def labels(text: str, song: SongKey | None = None) -> list[str]:
    """The chord of each bar of two beats, as far as there are bars."""
    grid = BeatGrid(tuple(0.5 * i for i in range(64)), tuple(range(0, 64, 2)), 1.0, 2)
    chart = parse_chart(text, grid, 32.0, "x.txt", song)
    ends = round(chart[-1].end_s)
    return [next(s.label for s in chart if s.start_s <= bar < s.end_s) for bar in range(ends)]


@pytest.mark.parametrize(
    ("text", "bars"),
    [
        ("|: Am | F :|", "Am F Am F"),
        ("| C |: Am | F :| G |", "C Am F Am F G"),
        ("|: Am | F :|: C | G :|", "Am F Am F C G C G"),
        ("||: Am | F :|| G ||", "Am F Am F G"),
        ("| Am | F :| G | C :|", "Am F Am F G C G C"),
        ("|: Am | % :| x3", "Am Am Am Am Am Am"),
        ("|: C | G :| (3x)\n| F |", "C G C G C G F"),
        ("|: C :|x4 | D", "C C C C D"),
        ("|: C |\n| G :|\n| F |", "C G C G F"),
        ("| : C | G : | F", "C G C G F"),
        ("|: C | G | : | F", "C G C G F"),
        ("|:C|G:|%", "C G C G G"),
    ],
)
def test_repeats_are_played_as_often_as_they_say(text: str, bars: str) -> None:
    assert labels(text) == bars.split()


def test_a_repeat_that_stays_open_is_refused() -> None:
    with pytest.raises(UsageError, match=r"no ':\|' closes"):
        labels("| C |: G | F |")


IN_C, IN_A_MINOR = SongKey(Key.parse("C"), given=True), SongKey(Key.parse("Am"))


@pytest.mark.parametrize(
    ("song", "text", "bars"),
    [
        (IN_C, "| 1 | 4 | 5 | 6m |", "C F G Am"),
        (IN_C, "|: I | vi :| IV | V7 |", "C Am C Am F G7"),
        (IN_A_MINOR, "| 6m | 4 | 1 | 5 | C#dim |", "Am F C G C#dim"),
        (IN_A_MINOR, "| i | VI | III | VII |", "Am F C G"),
        (SongKey(Key.parse("C")), "| i | iv | i | V7 |  #2 the second time", "Am Dm Am E7"),
        (IN_C, "| 1 | #4dim | 5 | #iv° |  # the bridge", "C F#dim G F#dim"),
    ],
)
def test_degrees_become_letters(song: SongKey, text: str, bars: str) -> None:
    assert labels(text, song) == bars.split()


def test_degrees_stand_in_timed_charts_too() -> None:
    chart = parse_chart("0 1 1\n1 2 5/7\n2 3 vi\n", BeatGrid(), 4.0, "x.txt", IN_C)
    assert [span.label for span in chart] == ["C", "G/B", "Am"]


def test_whatever_a_chart_holds_is_read_again_from_its_text() -> None:
    names = [f"{root}{q}{bass}" for q in QUALITIES for root in ("C", "F#", "H") for bass in ("", "/E", "/Bb")]
    names += ["C7(b9,13)", "C(b5)", "Dm7(add11)", "G13(#11)", "N", "C+M7", "Fdim9"]
    lines = "".join(f"{i} {i + 1} {name}\n" for i, name in enumerate(names))
    chart = parse_chart(lines, BeatGrid(), len(names), "x.txt")
    assert parse_chart(chart_text(chart), BeatGrid(), len(names), "x.txt") == chart


def test_what_is_read_in_an_unusual_way_is_remarked() -> None:
    assert chart_remarks("| Am | C:6 | F#m7/B |  # H", IN_C) == []
    (german,) = chart_remarks("| Em | H7 |")
    assert "H in the chart is read as the German B natural" in german
    (mixed,) = chart_remarks("0 1 Em/H\n1 2 B\n")
    assert "write Bb for the German B" in mixed
    (degrees,) = chart_remarks("| 6m | 4 |", IN_A_MINOR)
    assert (
        degrees == "The degrees in the chart are counted in C major (heard: give the key if it is another)."
    )
    assert chart_remarks("| I |", IN_C) == ["The degrees in the chart are counted in C major (given)."]
