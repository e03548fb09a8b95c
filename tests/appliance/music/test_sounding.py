"""Which pitches sound in which frames, compared with the definition computed frame by frame."""

from __future__ import annotations

import numpy as np
import pytest

from appliance.music.sounding import chroma_and_bass, coverage


@pytest.mark.parametrize("seed", range(5))
def test_coverage_is_the_share_of_a_frame(seed: int) -> None:
    rng = np.random.default_rng(seed)
    pitch = np.arange(40, 52)
    start = rng.uniform(-5, 22, 12)
    end = start + rng.uniform(0, 9, 12)
    found = coverage(pitch, start, end, 20)
    assert found.shape == (128, 20) and found.dtype == np.float32
    wanted = np.zeros((128, 20))
    for p, a, b in zip(pitch, start, end, strict=True):
        for frame in range(20):
            wanted[p, frame] = max(0.0, min(b, frame + 1) - max(a, frame))
    np.testing.assert_allclose(found, wanted, atol=1e-6)


def test_two_notes_of_a_pitch_fill_a_frame_at_most() -> None:
    found = coverage(np.array([60, 60]), np.array([0.5, 1.0]), np.array([2.0, 3.0]), 3)
    assert found[60].tolist() == [0.5, 1.0, 1.0]


def test_the_bass_is_the_lowest_pitch_that_sounds_long_enough() -> None:
    covered = np.zeros((128, 3), np.float32)
    covered[[60, 72], 0] = 0.75
    covered[[47, 60], 1] = 0.25, 1.0
    rows = chroma_and_bass(covered)
    assert rows[:12, 0].tolist() == [1.0] + [0.0] * 11  # octaves add up, to 1 at most
    assert rows[12:, 0].tolist() == [0.75] + [0.0] * 11
    assert np.flatnonzero(rows[:, 1]).tolist() == [0, 11, 12]
    assert not rows[:, 2].any()
