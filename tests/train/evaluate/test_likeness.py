"""How alike takes are, against cases that can be counted by hand."""

from __future__ import annotations

import pytest

from appliance.music.score import Note
from train.evaluate.measures.likeness import among, harmony_alike, onsets_alike


def notes(*starts_and_pitches: tuple[float, int]) -> list[Note]:
    return [Note(start_s, start_s + 0.5, pitch, 80, "keys") for start_s, pitch in starts_and_pitches]


C_MAJOR = notes((0.0, 60), (0.0, 64), (0.5, 60), (0.5, 67))


def test_the_same_music_is_alike() -> None:
    assert harmony_alike(C_MAJOR, C_MAJOR, 1.0) == pytest.approx(1.0)
    assert onsets_alike(C_MAJOR, C_MAJOR) == pytest.approx(1.0)


def test_harmony_is_a_cosine_in_each_half_second() -> None:
    other = notes((0.0, 72), (0.0, 65), (0.5, 62), (0.5, 69))
    # First half second: C+E with C+F share one of two tones, 0.5; second: C+G with D+A share none.
    assert harmony_alike(C_MAJOR, other, 1.0) == pytest.approx(0.25)
    assert harmony_alike(C_MAJOR, [], 1.0) == 0.0


def test_onsets_are_moments_whatever_their_pitch() -> None:
    one = notes((0.0, 60), (0.01, 64), (1.0, 60), (2.0, 60), (3.0, 60))
    other = notes((0.04, 48), (1.5, 48))
    # One moment in common, of four and of two: precision 1/4, recall 1/2.
    assert onsets_alike(one, other) == pytest.approx(2 * 0.25 * 0.5 / 0.75)
    assert onsets_alike(one, []) == 0.0


def test_pairs_are_averaged() -> None:
    assert among([1.0, 2.0, 4.0], lambda one, other: other - one) == pytest.approx((1 + 3 + 2) / 3)
