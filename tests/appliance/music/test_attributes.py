"""The attributes of the dials, against figures worked out by hand."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest

from appliance.music.attributes import Measured, UpperParts, measure, value
from appliance.music.bar_lines import BarLines
from appliance.music.chord_chart import Chart, ChordSpan
from appliance.music.dials import DIALS, LEAST_STEPS, LIMITS
from appliance.music.metrical_weight import syncopation, weights
from appliance.music.score import BeatGrid, Note

BEAT_S = 0.5
GRID = BeatGrid(tuple(BEAT_S * k for k in range(9)), (0, 4), 1.0, 4)
"""Two bars of four at 120 beats a minute."""


def note(beat: float, beats: float, pitch: int, group: str = "keys") -> Note:
    return Note(BEAT_S * beat, BEAT_S * (beat + beats), pitch, 80, group)


def measured(
    notes: Sequence[Note], chart: Chart | None = None, sung: Sequence[tuple[float, float, int]] = ()
) -> dict[str, float]:
    song = Measured(BarLines.of(GRID, 4.0), chart or [], np.array(sung, np.float64).reshape(-1, 3))
    sums = measure(notes, song)
    return {name: value(name, sums[name]) for name in DIALS}


def test_density_is_the_log_of_strokes_a_beat() -> None:
    chords = [note(beat, 1, pitch) for beat in (0, 2, 4, 6) for pitch in (60, 64)]
    assert measured(chords)["density"] == -1.0  # four strokes in eight beats
    doubled = [*chords, *(note(k + 0.5, 0.5, 67) for k in range(4)), *(note(k, 1, 62) for k in (1, 3, 5, 7))]
    assert measured(doubled)["density"] == pytest.approx(math.log2(12 / 8))


def test_notes_within_30_ms_are_one_stroke() -> None:
    parts = UpperParts.of([Note(0.0, 1.0, 60, 80, "keys"), Note(0.029, 1.0, 64, 80, "pad"), note(1, 1, 60)])
    assert parts.stroke.tolist() == [0, 0, 1] and parts.strokes_s.tolist() == [0.0, 0.5]


def test_register_weighs_pitch_by_length_and_leaves_the_bass_line_out() -> None:
    assert measured([note(0, 3, 60), note(4, 1, 72)])["register"] == 63.0
    with_left_hand = [note(0, 3, 60), note(0, 3, 40), note(4, 1, 72)]
    assert measured(with_left_hand)["register"] == 63.0
    with_bass = [note(0, 4, 46), note(0, 4, 28, "bass"), note(0, 4, 36, "drums")]
    assert measured(with_bass)["register"] == 46.0  # low, but the bass is another group


def test_metrical_weights_of_longuet_higgins_and_lee() -> None:
    eighths = np.arange(0, 48, 6)
    assert weights(eighths, 4, False).tolist() == [0, -3, -2, -3, -1, -3, -2, -3]
    assert weights(np.array([0, 4, 8, 12, 24]), 2, True).tolist() == [0, -2, -2, -1, 0]
    assert weights(np.array([0, 12, 24]), 3, False).tolist() == [0, -1, -1]


def test_syncopation_of_the_son_clave() -> None:
    """3-2 son clave: strokes on 1, the 'and' of 2, and 4, then on 2 and 3.

    After the 'and' of 2 (−3) the third beat (−1) passes, after the fourth beat (−2) a first beat (0).
    """
    strokes = np.array([0.0, 1.5, 3.0, 5.0, 6.0])
    assert syncopation(strokes, BarLines.of(GRID, 4.0)).tolist() == [0, 2, 2, 0, 0]
    notes = [note(beat, 0.5, 60) for beat in strokes]
    assert measured(notes)["syncopation"] == pytest.approx(4 / 5)


def test_strokes_on_all_beats_are_not_syncopated() -> None:
    assert measured([note(k, 1, 60) for k in range(8)])["syncopation"] == 0.0
    eighths = [note(k / 2, 0.5, 60) for k in range(16)]
    assert measured(eighths)["syncopation"] == 0.0


def test_without_trusted_beats_syncopation_is_not_measured() -> None:
    song = Measured(BarLines.of(BeatGrid(), 4.0), [], np.zeros((0, 3)))
    sums = measure([note(0.5, 1, 60)], song)
    assert math.isnan(value("syncopation", sums["syncopation"]))
    assert value("density", sums["density"]) == pytest.approx(math.log2(1 / 8))


def test_articulation_compares_lengths_with_the_next_stroke_of_the_group() -> None:
    legato = [*(note(k, 1, 60 + k) for k in range(7)), note(7, 2, 70)]
    assert measured(legato)["articulation"] == pytest.approx(0.0)
    detached = [
        *(note(k, 0.5, 60 + k) for k in range(6)),
        note(6, 1, 66),
    ]  # after the last: two beats of rest
    assert measured(detached)["articulation"] == pytest.approx((6 * -1 - 1) / 7)
    pedal = [note(0, 4, 40), note(0, 1, 60), note(1, 1, 64), note(2, 1, 67), note(3, 1, 72)]
    assert measured(pedal)["articulation"] == pytest.approx((2 + 0 + 0 + 0 - 1) / 5)


def test_voices_are_the_notes_of_a_stroke() -> None:
    assert measured([note(0, 1, 60), note(0, 1, 64), note(0, 1, 67), note(2, 1, 60)])["voices"] == 2.0
    assert measured([note(0, 1, 60), note(0, 1, 36, "bass")])["voices"] == 1.0


def test_doubling_is_the_share_of_the_sung_time_that_is_struck_with_the_singer() -> None:
    sung = [(0.0, 1.5, 72), (2.0, 2.5, 74), (3.0, 4.0, 76)]
    notes = [note(0, 1, 60), note(4, 1, 65), note(6.3, 1, 64)]  # C with C, F with D, E 150 ms late
    assert measured(notes, sung=sung)["doubling"] == pytest.approx(1.5 / 3.0)
    in_time = [*notes, note(6.1, 1, 52)]
    assert measured(in_time, sung=sung)["doubling"] == pytest.approx(2.5 / 3.0)
    assert math.isnan(measured(notes)["doubling"])


def test_colour_is_the_share_of_chords_with_more_than_a_triad() -> None:
    chart = [ChordSpan(0.0, 2.0, "C"), ChordSpan(2.0, 3.0, "G7"), ChordSpan(3.0, 4.0, "F")]
    triads = [note(0, 4, p) for p in (60, 64, 67)] + [note(4, 2, p) for p in (59, 62, 67)]
    triads += [note(6, 2, p) for p in (60, 65, 69)]
    assert measured(triads, chart)["colour"] == 0.0  # the chart names a seventh that nobody plays
    assert measured([*triads, note(4, 2, 65)], chart)["colour"] == pytest.approx(1 / 4)
    passing = [*triads, note(0, 1, 71)]  # B for a quarter of the C chord passes by
    assert measured(passing, chart)["colour"] == 0.0
    assert measured([*triads, note(0, 2, 71)], chart)["colour"] == pytest.approx(2 / 4)


def test_a_fourth_that_stands_for_the_third_is_no_colour() -> None:
    chart = [ChordSpan(0.0, 4.0, "Csus4")]
    assert measured([note(0, 8, p) for p in (60, 65, 67)], chart)["colour"] == 0.0


def test_bars_add_up_to_the_song() -> None:
    song = Measured(BarLines.of(GRID, 4.0), [], np.zeros((0, 3)))
    sums = measure([note(0, 1, 60), note(1, 1, 62), note(4, 1, 64)], song)["density"]
    assert [value("density", sums, [bar]) for bar in (1, 2)] == [math.log2(2 / 4), math.log2(1 / 4)]
    assert value("density", sums, [1, 2]) == value("density", sums) == math.log2(3 / 8)


def test_silence_has_no_attributes() -> None:
    assert all(math.isnan(found) for found in measured([]).values())


def test_every_dial_has_a_least_step() -> None:
    assert set(LEAST_STEPS) == set(DIALS) and set(LIMITS) <= set(DIALS)
