"""How long notes sound in each cell of a time line."""

from __future__ import annotations

import numpy as np
import pytest

from appliance.music.score import Note
from train.corpus.timeline import chroma, overlaps


def random_notes(seed: int) -> list[Note]:
    rng = np.random.default_rng(seed)
    starts = rng.uniform(-1, 11, 30)
    return [Note(s, s + rng.uniform(0, 3), int(rng.integers(40, 80)), 80, "keys") for s in starts.tolist()]


@pytest.mark.parametrize("seed", range(5))
def test_chroma_is_the_time_each_pitch_class_sounds(seed: int) -> None:
    notes, edges = random_notes(seed), np.sort(np.random.default_rng(seed).uniform(0, 10, 8))
    wanted = np.zeros((7, 12))
    for note in notes:
        for cell in range(7):
            overlap = min(note.end_s, edges[cell + 1]) - max(note.start_s, edges[cell])
            wanted[cell, note.pitch % 12] += max(0.0, overlap)
    np.testing.assert_allclose(chroma(notes, edges), wanted, atol=1e-12)


def test_pairs_come_note_by_note() -> None:
    notes = [Note(0.5, 2.5, 60, 80, "keys"), Note(0.0, 1.0, 64, 80, "keys")]
    cell, pitch, overlap = overlaps(notes, np.arange(4.0))
    assert cell.tolist() == [0, 1, 2, 0]
    assert pitch.tolist() == [60, 60, 60, 64]
    assert overlap.tolist() == [0.5, 1.0, 0.5, 1.0]


def test_a_note_that_hardly_reaches_a_cell_is_not_counted_there() -> None:
    note = Note(0.9999, 2.0001, 60, 80, "keys")
    assert overlaps([note], np.arange(4.0))[0].tolist() == [0, 1, 2]
    assert overlaps([note], np.arange(4.0), slack_s=1e-3)[0].tolist() == [1]


def test_no_notes_and_no_cells() -> None:
    assert chroma([], np.arange(4.0)).tolist() == np.zeros((3, 12)).tolist()
    assert chroma(random_notes(0), np.zeros(1)).shape == (0, 12)
