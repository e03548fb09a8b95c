"""Beats of a band: found from the weights of its notes, believed only where the planner agrees."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from appliance.composing.band_beats import agree, band_beats, note_weights, plan_of
from appliance.grid import FRAME_RATE_HZ
from appliance.music.score import BeatGrid, Note

ROOTS = (36, 41, 43, 38)


def grid_of(bpm: float, meter: int, bars: int = 16) -> BeatGrid:
    beats_s = tuple(60.0 / bpm * k for k in range(meter * bars + 1))
    return BeatGrid(beats_s, tuple(range(0, meter * bars + 1, meter)), 1.0, meter)


def band(grid: BeatGrid) -> list[Note]:
    """A bass note that lasts for the bar, another chord in each bar, struck on every beat but the first."""
    beat_s = grid.beats_s[1]
    notes = []
    for bar, first in enumerate(grid.downbeats[:-1]):
        start_s, root = grid.beats_s[first], ROOTS[bar % 4]
        notes.append(Note(start_s, start_s + 0.95 * grid.meter * beat_s, root, 90, "bass"))
        for beat in range(1, grid.meter):
            at_s = start_s + beat * beat_s
            notes += [Note(at_s, at_s + 0.6 * beat_s, root + 24 + up, 70, "keys") for up in (0, 4, 7)]
    return sorted(notes)


@pytest.mark.slow
@pytest.mark.parametrize(("bpm", "meter"), [(92.0, 4), (120.0, 4), (104.0, 3), (144.0, 3)])
def test_beats_and_bars_are_found(bpm: float, meter: int) -> None:
    written = grid_of(bpm, meter)
    found = band_beats(band(written), written.beats_s[-1], written)
    assert agree(found, written)
    assert found.bpm / bpm == pytest.approx(1.0, rel=0.01) and found.meter == meter


def test_the_planner_may_count_twice_as_many_beats() -> None:
    written = grid_of(92.0, 4)
    beats_s = np.interp(np.arange(129) / 2, np.arange(65), written.beats_s)
    double = replace(written, beats_s=tuple(beats_s.tolist()), downbeats=tuple(range(0, 129, 8)))
    assert agree(written, double) and agree(double, written)
    assert band_beats(band(written), written.beats_s[-1], double).beats_s


@pytest.mark.slow
def test_beats_on_which_both_do_not_agree_are_not_sure() -> None:
    written = grid_of(92.0, 4)
    late = replace(written, beats_s=tuple(beat + 0.3 for beat in written.beats_s))
    other_bars = replace(written, downbeats=tuple(range(1, 65, 4)))
    other_tempo = grid_of(81.0, 4)
    for heard in (late, other_bars, other_tempo, BeatGrid(), replace(written, downbeats=())):
        assert not agree(written, heard)
        assert band_beats(band(written), written.beats_s[-1], heard) == BeatGrid()


def test_weights_stand_where_the_notes_begin() -> None:
    written = grid_of(92.0, 4)
    notes, duration_s = band(written), written.beats_s[-1]
    frames = 4 * int(np.ceil(duration_s * FRAME_RATE_HZ / 4))
    beat, downbeat = note_weights(notes, plan_of(notes, duration_s), frames)
    assert set(np.flatnonzero(beat)) == {int(note.start_s * FRAME_RATE_HZ) for note in notes}
    bars = [int(written.beats_s[k] * FRAME_RATE_HZ) for k in written.downbeats[:-1]]
    rest = np.delete(downbeat, bars)
    assert downbeat[bars].min() > 1.5 * rest.max() and downbeat.max() <= 1.0


def test_silence_has_no_beats() -> None:
    assert band_beats([], 10.0, grid_of(92.0, 4)) == BeatGrid()
