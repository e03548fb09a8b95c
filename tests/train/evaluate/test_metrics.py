"""Harmony, consonance and rhythm on notes whose metrics are worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from train.data.rhythm import rhythm
from train.evaluate.material.pieces import Sung
from train.evaluate.measures.metrics import consonance, coverage, harmony, pitch_class_vectors


def test_pitch_class_vectors_hold_seconds_per_class() -> None:
    vectors = pitch_class_vectors([Sung(0.25, 1.1, 60), Sung(0.0, 0.5, 72), Sung(0.9, 9.0, 67)], 1.2)
    expected = np.zeros((3, 12))
    expected[:, 0] = [0.25 + 0.5, 0.5, 0.1]
    expected[:, 7] = [0.0, 0.1, 0.2]
    np.testing.assert_allclose(vectors, expected, atol=1e-12)


def test_harmony_is_the_mean_cosine_of_windows_where_both_sound() -> None:
    written = [Sung(0.0, 1.0, 60), Sung(0.0, 1.0, 64), Sung(1.5, 2.0, 60)]
    result = [Sung(0.0, 0.5, 48), Sung(0.5, 1.0, 60), Sung(0.5, 1.0, 64), Sung(1.0, 1.5, 61)]
    # C against C E: 1/sqrt 2; C E against C E: 1; then one side is silent.
    assert harmony(result, written, 2.0) == pytest.approx((1 / math.sqrt(2) + 1) / 2)
    assert coverage(result, written, 2.0) == pytest.approx(2 / 3)


def test_harmony_of_silence_is_nought_and_of_nothing_written_undefined() -> None:
    assert harmony([], [Sung(0, 1, 60)], 1.0) == 0.0
    assert coverage([], [Sung(0, 1, 60)], 1.0) == 0.0
    assert math.isnan(harmony([Sung(0, 1, 60)], [], 1.0))
    assert math.isnan(coverage([Sung(0, 1, 60)], [], 1.0))


def test_consonance_counts_sung_time_within_a_tenth_of_a_second() -> None:
    voice = [Sung(1.0, 2.0, 60), Sung(2.0, 3.0, 62)]
    # An octave away, 0.3 s plus 0.1 s on both sides; D only until 2.1 s; E never sung.
    result = [Sung(1.3, 1.6, 48), Sung(1.5, 2.0, 74), Sung(2.0, 3.0, 64)]
    assert consonance(voice, result) == pytest.approx((0.5 + 0.1) / 2.0)


def test_consonance_does_not_count_a_moment_twice() -> None:
    result = [Sung(0.0, 0.9, 60), Sung(0.2, 0.4, 72), Sung(0.3, 0.9, 48)]
    assert consonance([Sung(0.0, 1.0, 60)], result) == pytest.approx(1.0)


def test_consonance_of_silence_is_nought_and_of_nothing_sung_undefined() -> None:
    assert consonance([Sung(0, 1, 60)], []) == 0.0
    assert math.isnan(consonance([], [Sung(0, 1, 60)]))


def test_rhythm_uses_the_bar_each_onset_falls_into() -> None:
    bars = [0.0, 1.2, 3.6]  # steps of 0.1 s, then of 0.2 s
    on = [0.0, 0.124, 0.476, 1.2, 1.449, 3.59]
    off = [0.126, 0.45, 1.30, 1.451]
    outside = [-0.01, 3.6, 4.0]
    assert rhythm([*on, *off, *outside], bars) == pytest.approx(6 / 10)


def test_rhythm_of_random_onsets_is_chance() -> None:
    onsets = np.random.default_rng(1).uniform(0.0, 48.0, 40_000)
    assert rhythm(onsets.tolist(), np.arange(0.0, 49.0, 2.0).tolist()) == pytest.approx(0.5, abs=0.01)
    assert rhythm([], [0.0, 2.0]) == 0.5
    assert math.isnan(rhythm([0.5], []))
