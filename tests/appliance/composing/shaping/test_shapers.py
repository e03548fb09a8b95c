"""The shapers on a plain score: each reaches its goal, by edits that a musician would make."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from appliance.composing.shaping.shape import SHAPERS, Region, shape
from appliance.composing.shaping.song import RANGES, Song, carriers
from appliance.music.attributes import UpperParts, measure_one, value
from appliance.music.bar_lines import BarLines
from appliance.music.chord_chart import Chart, ChordSpan
from appliance.music.chord_names import parse_chord
from appliance.music.crumbs import is_crumb
from appliance.music.dials import DIALS, LEAST_STEPS
from appliance.music.keys import Key
from appliance.music.score import BeatGrid, Note, Score

BAR_S, BARS = 2.0, 16
CHORDS = {"C": (60, 64, 67), "Am": (57, 60, 64), "F": (60, 65, 69), "G": (59, 62, 67)}
TRIADS = {"C": (0, 4, 7), "Am": (9, 0, 4), "F": (5, 9, 0), "G": (7, 11, 2)}
"""Root, third and fifth as pitch classes."""

PROGRESSION = tuple(CHORDS) * 4
"""A chord a bar, sixteen bars of four beats at 120 beats a minute."""

GRID = BeatGrid(tuple(0.5 * k for k in range(4 * BARS + 1)), tuple(range(0, 4 * BARS, 4)), 1.0, 4)
DURATION_S = BAR_S * BARS
ALL_BARS = frozenset(range(BARS + 1))
REACH = {
    "density": (-0.5, 1.0),
    "register": (55.0, 70.0),
    "syncopation": (0.0, 0.6),
    "articulation": (-1.5, 0.0),
    "voices": (2.5, 4.0),
    "doubling": (0.3, 0.9),
    "colour": (0.0, 0.75),
}
"""Goals below and above what the plain score has, which musical edits can reach."""


def chart() -> Chart:
    return [ChordSpan(BAR_S * k, BAR_S * (k + 1), label) for k, label in enumerate(PROGRESSION)]


@cache
def song(given: bool = False) -> Song:
    """In each bar the voice sings the fifth, the third and the fifth of the chord, on beats 1, 2 and 4."""
    sung = []
    for k, label in enumerate(PROGRESSION):
        _, third, fifth = TRIADS[label]
        for beat, pitch in ((0, fifth), (1, third), (3, fifth)):
            sung.append((BAR_S * k + 0.5 * beat, BAR_S * k + 0.5 * beat + 0.45, 72 + pitch))
    return Song(BarLines.of(GRID, DURATION_S), chart(), np.array(sung, np.float64), Key(0, "major"), given)


@cache
def plain() -> Score:
    """Chords on beats 1, 3 and 4 for three quarters of their time, the root in the bass, a kick on beat 1.

    Every fourth chord, the G, has a seventh.
    """
    notes = []
    for k, label in enumerate(PROGRESSION):
        notes.append(Note(BAR_S * k, BAR_S * (k + 1), 36 + TRIADS[label][0], 80, "bass"))
        notes.append(Note(BAR_S * k, BAR_S * k + 0.1, 36, 90, "drums"))
        tones = [*CHORDS[label], *({"G": (65,)}.get(label, ()))]
        for beat, beats in ((0, 2), (2, 1), (3, 1)):
            start_s = BAR_S * k + 0.5 * beat
            notes += [Note(start_s, start_s + 0.75 * 0.5 * beats, pitch, 70, "keys") for pitch in tones]
    return Score.of(notes, DURATION_S)


def attribute(name: str, notes: Sequence[Note], of: Song | None = None) -> float:
    return value(name, measure_one(name, UpperParts.of(notes), (of or song()).measured))


@cache
def shaped(name: str, goal: float, bars: frozenset[int] = ALL_BARS) -> Score:
    score, _ = shape(plain(), song(), [Region(bars, {name: goal})], LEAST_STEPS)
    return score


def upper(score: Score, bar: int) -> list[tuple[float, float, int]]:
    """The upper notes of a bar: start and length in milliseconds, relative to the bar, and pitch."""
    first_s = BAR_S * (bar - 1)
    return [
        (round(n.start_s - first_s, 3), round(n.end_s - n.start_s, 3), n.pitch)
        for n in score.notes
        if n.group == "keys" and first_s <= n.start_s < first_s + BAR_S - 1e-6
    ]


@pytest.mark.parametrize("name", DIALS)
@pytest.mark.parametrize("side", (0, 1))
def test_each_goal_is_reached(name: str, side: int) -> None:
    goal, before = REACH[name][side], attribute(name, plain().notes)
    assert (goal > before) == bool(side)
    found = attribute(name, shaped(name, goal).notes)
    assert found == pytest.approx(goal, abs=0.5 * LEAST_STEPS[name])


@pytest.mark.parametrize("name", DIALS)
@pytest.mark.parametrize("side", (0, 1))
def test_the_other_attributes_stay(name: str, side: int) -> None:
    before, after = plain().notes, shaped(name, REACH[name][side]).notes
    own = abs(attribute(name, after) - attribute(name, before)) / LEAST_STEPS[name]
    for other in DIALS:
        if other != name:
            moved = abs(attribute(other, after) - attribute(other, before)) / LEAST_STEPS[other]
            assert moved <= max(0.75 * own, 0.35), other


@pytest.mark.parametrize("name", DIALS)
@pytest.mark.parametrize("side", (0, 1))
def test_no_harm_is_done(name: str, side: int) -> None:
    """Bass and drums, ranges, lengths; no note outside its chord, and no second beside another added note."""
    before, after = plain(), shaped(name, REACH[name][side])
    others = ("bass", "drums")
    assert after.only(*others) == before.only(*others)
    chords = song().chords
    for note in after.notes:
        if note.group == "keys":
            lowest, highest = RANGES["keys"]
            assert lowest <= note.pitch <= highest and not is_crumb(note)
            chord = chords[min(int((note.start_s + 1e-6) / BAR_S), BARS - 1)]
            allowed = chord.tones | (chord.beyond if name == "colour" else set()) | {5}
            assert note.pitch % 12 in allowed
            assert (
                note.end_s <= chord.end_s + 1e-6 or note.pitch % 12 in chords[(chords.index(chord) + 1)].tones
            )


@pytest.mark.parametrize("name", [dial for dial in DIALS if dial != "doubling"])
@pytest.mark.parametrize("side", (0, 1))
def test_repeated_phrases_stay_repeated(name: str, side: int) -> None:
    """Bars 1-4 and 5-8 and so on are equal before and after; only the last phrase has another neighbour."""
    score = shaped(name, REACH[name][side])
    for bar in range(1, 5):
        assert upper(score, bar + 4) == upper(score, bar + 8)


def test_other_bars_are_left_alone() -> None:
    for name in DIALS:
        score = shaped(name, REACH[name][1], frozenset(range(5, 9)))
        outside = [n for n in plain().notes if not 4 * BAR_S <= n.start_s < 8 * BAR_S]
        assert [n for n in score.notes if not 4 * BAR_S <= n.start_s < 8 * BAR_S] == outside, name
        assert score != plain(), name


def test_the_same_goal_changes_nothing() -> None:
    for name in DIALS:
        assert shaped(name, attribute(name, plain().notes)) == plain()


def test_several_dials_together() -> None:
    goals = {"density": 0.8, "register": 68.0, "voices": 3.8, "articulation": -1.2}
    score, _ = shape(plain(), song(), [Region(ALL_BARS, goals)], LEAST_STEPS)
    for name, goal in goals.items():
        assert attribute(name, score.notes) == pytest.approx(goal, abs=0.5 * LEAST_STEPS[name]), name


def test_more_colour_is_named_in_the_chart() -> None:
    score, renamed = shape(plain(), song(), [Region(ALL_BARS, {"colour": 1.0})], LEAST_STEPS)
    labels = [span.label for span in renamed]
    assert labels[:4] == [
        "Cmaj7",
        "Am7",
        "Fmaj7",
        "G",
    ]  # the G had its seventh before: its name is the chart's
    assert attribute("colour", score.notes) > 0.9
    for note in score.notes:
        if note.group == "keys":
            chord = parse_chord(renamed[min(int((note.start_s + 1e-6) / BAR_S), BARS - 1)].label)
            assert chord is not None
            assert note.pitch % 12 in chord.pitch_classes | {5}


def test_less_colour_takes_sevenths_away() -> None:
    seventh = replace(song(), chart=[replace(s, label=s.label.replace("G", "G7")) for s in chart()])
    score, renamed = shape(plain(), seventh, [Region(ALL_BARS, {"colour": 0.0})], LEAST_STEPS)
    assert [span.label for span in renamed] == list(PROGRESSION)
    sounding = {n.pitch % 12 for n in score.notes if n.group == "keys" and 6.0 <= n.start_s < 8.0}
    assert sounding == {7, 11, 2}


def test_a_given_chart_loses_no_tone_and_gains_sevenths() -> None:
    score, kept = shape(plain(), song(given=True), [Region(ALL_BARS, {"colour": 0.0})], LEAST_STEPS)
    assert score == plain() and kept == chart()
    _, more = shape(plain(), song(given=True), [Region(ALL_BARS, {"colour": 1.0})], LEAST_STEPS)
    assert [span.label for span in more[:3]] == ["Cmaj7", "Am7", "Fmaj7"]


def test_a_sung_root_forbids_a_major_seventh() -> None:
    root = np.array([(BAR_S * k, BAR_S * (k + 1), 72) for k in range(BARS)], np.float64)
    _, renamed = shape(plain(), replace(song(), sung=root), [Region(ALL_BARS, {"colour": 1.0})], LEAST_STEPS)
    assert [span.label for span in renamed[:2]] == ["C6", "Am7"]


def test_only_sung_chord_tones_are_doubled() -> None:
    sung = np.array([(BAR_S * k, BAR_S * k + 0.9, 74) for k in range(BARS)], np.float64)  # D over everything
    over = replace(song(), sung=sung)
    score, _ = shape(plain(), over, [Region(ALL_BARS, {"doubling": 1.0})], LEAST_STEPS)
    with_d = {int(n.start_s / BAR_S) % 4 for n in score.notes if n.group == "keys" and n.pitch % 12 == 2}
    assert with_d == {3}  # of C, Am, F and G, only G has a D


def test_where_nobody_sings_doubling_is_left() -> None:
    silent = replace(song(), sung=np.zeros((0, 3)))
    score, _ = shape(plain(), silent, [Region(ALL_BARS, {"doubling": 1.0})], LEAST_STEPS)
    assert score == plain()


def test_an_empty_score_stays_empty() -> None:
    goals = {name: REACH[name][1] for name in DIALS}
    score, renamed = shape(Score.of([], DURATION_S), song(), [Region(ALL_BARS, goals)], LEAST_STEPS)
    assert not score.notes and renamed == chart()


def test_each_chord_keeps_a_root_and_a_third() -> None:
    kept = carriers(plain().notes, song())
    classes = {n.pitch % 12 for n in kept if n.start_s < BAR_S - 0.1}
    assert classes == {0, 4}
    sparse = shaped("voices", 1.0)
    for bar, label in enumerate(PROGRESSION):
        inside = {n.pitch % 12 for n in sparse.notes if BAR_S * bar <= n.start_s < BAR_S * (bar + 1) - 1e-6}
        assert set(TRIADS[label][:2]) <= inside


def test_every_dial_has_a_shaper() -> None:
    assert set(SHAPERS) == set(DIALS)
