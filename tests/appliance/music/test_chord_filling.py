"""Sevenths that a chart names are heard, with the rhythm that is there."""

from __future__ import annotations

from appliance.music.chord_chart import Chart, ChordSpan
from appliance.music.chord_filling import sound_sevenths
from appliance.music.score import DRUM_GROUP, Note, Score

CHART: Chart = [ChordSpan(0.0, 2.0, "G7"), ChordSpan(2.0, 4.0, "Cmaj7"), ChordSpan(4.0, 6.0, "F")]


def triads(length_s: float = 1.0) -> list[Note]:
    """Two strokes of the triad in each chord of the chart."""
    chords = (55, 59, 62), (60, 64, 67), (53, 57, 60)
    return [
        Note(2.0 * k + at, 2.0 * k + at + length_s, pitch, 60 + k, "keys")
        for k, chord in enumerate(chords)
        for at in (0.0, 1.0)
        for pitch in chord
    ]


def added(notes: list[Note], chart: Chart = CHART) -> list[tuple[float, float, int, str]]:
    before = Score.of(notes, 6.0)
    after = sound_sevenths(before, chart)
    assert set(before.notes) <= set(after.notes)
    return [(n.start_s, n.end_s, n.pitch % 12, n.group) for n in after.notes if n not in before.notes]


def test_a_missing_seventh_is_struck_with_the_chord_and_a_triad_stays_one() -> None:
    assert added(triads()) == [
        (0.0, 1.0, 5, "keys"),
        (1.0, 2.0, 5, "keys"),
        (2.0, 3.0, 11, "keys"),
        (3.0, 4.0, 11, "keys"),
    ]


def test_a_seventh_that_sounds_is_left_alone() -> None:
    sung_out = [Note(0.0, 1.5, 65, 60, "keys"), Note(2.0, 4.0, 71, 60, "keys")]
    assert added([*triads(), *sung_out]) == []
    passing = [Note(0.0, 1.0, 65, 60, "keys"), Note(2.0, 4.0, 71, 60, "keys")]  # half of the G7 only
    assert added([*triads(), *passing]) == [(1.0, 2.0, 5, "keys")]


def test_the_velocity_and_the_onsets_are_those_of_the_band() -> None:
    after = sound_sevenths(Score.of(triads(0.4), 6.0), CHART)
    sevenths = [n for n in after.notes if n not in triads(0.4)]
    assert {(n.start_s, round(n.end_s - n.start_s, 3), n.velocity) for n in sevenths} == {
        (0.0, 0.4, 60),
        (1.0, 0.4, 60),
        (2.0, 0.4, 61),
        (3.0, 0.4, 61),
    }


def test_silence_and_drums_stay_as_they_are() -> None:
    drums = [Note(0.5, 0.6, 36, 90, DRUM_GROUP)]
    assert sound_sevenths(Score.of(drums, 6.0), CHART) == Score.of(drums, 6.0)
    late = [*drums, *[n for n in triads() if n.start_s >= 4.0]]
    assert sound_sevenths(Score.of(late, 6.0), CHART) == Score.of(late, 6.0)


def test_a_short_chord_and_no_chord_get_nothing() -> None:
    chart: Chart = [ChordSpan(0.0, 0.3, "G7"), ChordSpan(0.3, 4.0, "N.C.")]
    assert added(triads(), chart) == []
