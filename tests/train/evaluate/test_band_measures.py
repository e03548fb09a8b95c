"""Walking bass, drum patterns, fills and crumbs, counted by hand on made-up scores."""

from __future__ import annotations

import math

import pytest

from appliance.music.chord_chart import ChordSpan
from appliance.music.score import DRUM_GROUP, Note, Score
from train.evaluate.measures.crumbs import crumb_share
from train.evaluate.measures.drum_patterns import DrumPatterns, bar_patterns, drum_patterns
from train.evaluate.measures.walking_bass import WalkingBass, tones_of_chart, walking_bass

BARS = [tuple(0.5 * (4 * bar + k) for k in range(5)) for bar in range(8)]
KICK, SNARE, HAT, TOM, CRASH = 36, 38, 42, 45, 49
PLAIN = ((0.0, KICK), (1.0, SNARE), (2.0, KICK), (3.0, SNARE))


def bass(*notes: tuple[float, int]) -> Score:
    """Notes as (beat, pitch)."""
    return Score.of((Note(0.5 * beat, 0.5 * beat + 0.4, pitch, 80, "bass") for beat, pitch in notes), 16.0)


def drums(bars: list[tuple[tuple[float, int], ...]], late: float = 0.0) -> Score:
    notes = [
        Note(2.0 * bar + 0.5 * beat + late, 2.0 * bar + 0.5 * beat + late + 0.1, drum, 80, DRUM_GROUP)
        for bar, strokes in enumerate(bars)
        for beat, drum in strokes
    ]
    return Score.of(notes, 16.0)


def test_beats_and_chord_tones_of_a_bass() -> None:
    chart = [ChordSpan(0.0, 2.0, "C"), ChordSpan(2.0, 4.0, "G7/D")]
    # Bar 1: C E G and a rest; bar 2: D (the bass), F sharp off the beat, A on the middle beat; then silence.
    score = bass((0, 36), (1, 40), (2, 43), (4, 38), (5.5, 42), (6, 45))
    found = walking_bass(score, BARS, tones_of_chart(chart))
    assert found == WalkingBass(beats=8, played=5, strong=4, chord_tones=3)
    assert found.share_played == pytest.approx(0.625) and found.share_chord_tones == pytest.approx(0.75)


def test_bars_without_bass_do_not_count_and_nothing_is_nan() -> None:
    silent = walking_bass(bass(), BARS, tones_of_chart([]))
    assert silent == WalkingBass() and math.isnan(silent.share_played)
    unknown = walking_bass(bass((0, 36)), BARS, tones_of_chart([]))
    assert (unknown.beats, unknown.played, unknown.strong) == (4, 1, 0)


def test_swung_notes_count_for_their_beat_and_a_waltz_has_one_strong_beat() -> None:
    waltz = [tuple(0.5 * (3 * bar + k) for k in range(4)) for bar in range(2)]
    found = walking_bass(bass((0.1, 36), (1.2, 40), (2, 43)), waltz, lambda _: {0})
    assert found == WalkingBass(beats=3, played=3, strong=1, chord_tones=1)


def test_bars_that_keep_the_pattern() -> None:
    stray = (*PLAIN, (2.5, HAT))
    played = [PLAIN, stray, PLAIN, PLAIN, PLAIN, PLAIN, PLAIN[:2], PLAIN]
    found = drum_patterns(drums(played), BARS, [(0, 4), (4, 8)])
    assert found == DrumPatterns(bars=8, same=6, ends=1, filled=0)
    assert found.share_same == 0.75


def test_a_fill_needs_two_new_strokes_of_snare_or_toms_at_the_end_of_a_period() -> None:
    fill = (*PLAIN[:3], (2.5, SNARE), (3.0, TOM), (3.5, TOM))
    early = (*PLAIN, (0.5, SNARE), (1.5, TOM))
    hats = (*PLAIN, (2.5, HAT), (3.5, HAT))
    periods = [(0, 2), (2, 4), (4, 6), (6, 8)]
    played = [PLAIN, fill, PLAIN, early, PLAIN, hats, PLAIN, fill]
    found = drum_patterns(drums(played), BARS, periods)
    assert (found.ends, found.filled) == (3, 1)  # the last period is followed by nothing


def test_human_timing_and_the_crash_do_not_break_a_pattern() -> None:
    crash = ((0.0, CRASH), *PLAIN)
    exact = bar_patterns(drums([crash, PLAIN]), BARS)
    assert exact[0] == exact[1]
    for late in (-0.03, 0.04):
        moved = bar_patterns(drums([(), PLAIN, PLAIN, ()], late), BARS)
        assert moved[1] == moved[2] == exact[1]
    shuffle = ((0.0, KICK), (2 / 3, HAT), (1.0, SNARE), (1 + 2 / 3, HAT))
    assert {step for _, step, _ in bar_patterns(drums([shuffle]), BARS)[0]} == {0, 2}


def test_strokes_between_the_bars_count_in_none_of_them() -> None:
    gap = [bar for number, bar in enumerate(BARS[1:], 1) if number != 3]
    late = (*PLAIN, (3.95, HAT))
    played = [(*PLAIN, (3.9, HAT)), PLAIN, late, ((0.5, HAT), (3.9, SNARE)), PLAIN, PLAIN, PLAIN, late]
    found = bar_patterns(drums(played), gap)
    plain = bar_patterns(drums([PLAIN]), BARS)[0]
    assert [pattern - plain for pattern in found] == [
        {(0, 0, HAT)},
        set(),
        {(0, 0, SNARE)},
        set(),
        set(),
        set(),
    ]
    assert all(plain <= pattern for pattern in found)


def test_a_period_without_drums_does_not_count() -> None:
    found = drum_patterns(drums([(), (), (), PLAIN, PLAIN, PLAIN, PLAIN, PLAIN]), BARS, [(0, 4), (4, 8)])
    assert (found.bars, found.same, found.ends) == (4, 4, 0)
    assert math.isnan(DrumPatterns().share_same) and math.isnan(found.share_filled)


def test_crumbs_are_pitched_notes_under_70_ms() -> None:
    notes = [Note(0.0, 0.06, 60, 80, "keys"), Note(1.0, 1.07, 60, 80, "keys"), Note(2.0, 3.0, 64, 80, "keys")]
    assert crumb_share(Score.of([*notes, Note(0.0, 0.01, KICK, 80, DRUM_GROUP)], 4.0)) == pytest.approx(1 / 3)
    assert math.isnan(crumb_share(Score.of([], 4.0)))
