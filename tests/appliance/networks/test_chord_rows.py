"""What the chord network is told of each beat."""

from __future__ import annotations

import numpy as np
import pytest

from appliance.music.score import BeatGrid
from appliance.networks.chord_rows import PLAIN_ROWS, GivenChords, chord_rows, slot_edges

GRID = BeatGrid(tuple(float(k) for k in range(13)), (0, 4, 8, 12), 1.0, 4)


def plain_rows(given: GivenChords | None = None) -> np.ndarray:
    edges_s = slot_edges(GRID, 12.0)
    given = given or GivenChords.none(len(edges_s) - 1)
    silence, no_plan = np.zeros((64, 260), np.float32), np.zeros((24, 65), np.float32)
    plain = chord_rows(silence, no_plan, edges_s, GRID, given)[1]
    assert plain.shape == (PLAIN_ROWS, 12)
    return plain


def test_it_is_told_where_the_song_begins_and_ends() -> None:
    begins, ends = plain_rows()[10:12]
    assert begins[0] == ends[-1] == 1.0
    assert begins[4] == ends[-5] == pytest.approx(np.exp(-1.0))
    assert np.all(np.diff(begins) < 0) and np.array_equal(begins, ends[::-1])


def test_it_is_told_the_place_in_the_bar_and_what_is_given() -> None:
    state = np.full(12, -1)
    state[2:4] = 7  # G major
    rows = plain_rows(GivenChords(state, state))
    assert rows[6].tolist() == [1, 0, 0, 0] * 3
    np.testing.assert_allclose(rows[4], [0, 1, 0, -1] * 3, atol=1e-6)
    assert rows[8].tolist() == [0, 0, 1, 1] + [0] * 8
