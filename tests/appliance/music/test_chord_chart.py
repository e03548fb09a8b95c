"""Chord names, charts and plans, compared with chords written out by hand."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from appliance.composing.plan_chart import ESTIMATED_QUALITIES, PLAN_RATE_HZ, chart_from_plan, plan_from_chart
from appliance.errors import UsageError
from appliance.files.text import read_text
from appliance.music.chord_chart import (
    Chart,
    ChordSpan,
    canonical,
    chart_text,
    parse_chart,
    parse_chord,
)
from appliance.music.score import BeatGrid

C, D, E, F, G, A, B = 0, 2, 4, 5, 7, 9, 11
EIGHT_BARS = BeatGrid(tuple(0.5 * i for i in range(32)), tuple(range(0, 32, 4)), 1.0, 4)
"""120 bpm, bars of 2 s from 0 to 16 s."""


@pytest.mark.parametrize(
    ("spellings", "label", "tones"),
    [
        ("C CM Cmaj C:maj Cmajor", "C", {C, E, G}),
        ("Am Amin A- Ami A:min", "Am", {A, C, E}),
        ("Cmaj7 CM7 CΔ CΔ7 Cma7 Cj7", "Cmaj7", {C, E, G, B}),
        ("G7 Gdom7", "G7", {G, B, D, F}),
        ("F#m7 F♯min7 F#-7", "F#m7", {6, 9, 1, 4}),
        ("Bdim Bo B°", "Bdim", {B, D, F}),
        ("Bdim7 Bo7 B°7", "Bdim7", {B, D, F, 8}),
        ("Bm7b5 Bø Bø7 Bhdim7 Bm7♭5 B:hdim7", "Bm7b5", {B, D, F, A}),
        ("C+ Caug", "Caug", {C, E, 8}),
        ("Gsus4 Gsus", "Gsus4", {G, C, D}),
        ("Db D♭", "Db", {1, 5, 8}),
        ("Bb/D B♭/D", "Bb/D", {10, 2, 5}),
        ("C/Bb", "C/Bb", {C, E, G, 10}),
        ("C/C", "C", {C, E, G}),
        ("Am9 Amin9", "Am9", {A, C, E, G, B}),
        ("C7#5 C+7", "Caug7", {C, E, 8, 10}),
    ],
)
def test_common_spellings_mean_one_chord(spellings: str, label: str, tones: set[int]) -> None:
    for spelling in spellings.split():
        chord = parse_chord(spelling)
        assert chord is not None, spelling
        assert chord.label == label
        assert chord.pitch_classes == tones
        assert canonical(label) == label


def test_no_chord_has_several_names() -> None:
    assert [canonical(t) for t in ("N", "-", "NC", "N.C.")] == ["N"] * 4


@pytest.mark.parametrize("text", ["H", "am", "C/", "/E", "C/H", "Cfoo", "", "C##", "Cm/E/G", "Ab c"])
def test_other_names_are_refused(text: str) -> None:
    with pytest.raises(UsageError, match="not a chord that Backline knows"):
        parse_chord(text)


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
        ("| C | H |\n", 1, "not a chord"),
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
