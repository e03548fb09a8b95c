"""The gap closed, its bootstrap interval, and the shuffled pairs it starts from."""

from __future__ import annotations

import math

import numpy as np
import pytest

from train.evaluate.measures.gap import gap_closed, gap_difference, mean, shuffled_mean


def test_gap_closed_is_a_ratio_of_means() -> None:
    estimate = gap_closed([0.6, 0.8], [0.2, 0.4], [1.0, 0.8])
    assert estimate.value == pytest.approx(0.4 / 0.6)  # not the mean of 1/2 and 1
    assert (estimate.low, estimate.high) == pytest.approx((0.5, 1.0))
    assert estimate.n == 2


def test_gap_closed_leaves_undefined_songs_out() -> None:
    nan = float("nan")
    estimate = gap_closed([0.6, nan, 0.5], [0.2, 0.0, 0.3], [1.0, 1.0, nan])
    assert estimate.n == 1 and estimate.value == pytest.approx(0.5)
    assert math.isnan(gap_closed([0.5], [0.3], [0.3]).value)
    assert gap_closed([nan], [0.0], [1.0]).n == 0


def test_bootstrap_interval_agrees_with_the_normal_one() -> None:
    values = np.random.default_rng(5).normal(0.4, 0.1, 200)
    estimate = mean(values.tolist())
    half = 1.96 * values.std() / math.sqrt(200)
    assert estimate.low == pytest.approx(values.mean() - half, abs=0.002)
    assert estimate.high == pytest.approx(values.mean() + half, abs=0.002)
    assert estimate == mean(values.tolist())


def test_bootstrap_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    rng = np.random.default_rng(7)
    hits = 0
    for _ in range(200):
        shuffled = rng.uniform(0.2, 0.4, 30)
        true = rng.uniform(0.8, 1.0, 30)
        ours = shuffled + 0.5 * (true - shuffled) + rng.normal(0.0, 0.1, 30)
        estimate = gap_closed(ours.tolist(), shuffled.tolist(), true.tolist(), resamples=500)
        hits += estimate.low <= 0.5 <= estimate.high
    assert 175 <= hits <= 199


def test_a_paired_difference_is_narrower_than_the_two_gaps() -> None:
    rng = np.random.default_rng(9)
    ours = rng.uniform(0.3, 0.9, 40)
    less = ours - 0.07
    shuffled, true = np.full(40, 0.2), np.full(40, 0.9)
    difference = gap_difference(less.tolist(), ours.tolist(), shuffled.tolist(), true.tolist())
    assert difference.value == pytest.approx(-0.1)
    assert difference.high - difference.low == pytest.approx(0.0, abs=1e-9)
    gap = gap_closed(ours.tolist(), shuffled.tolist(), true.tolist())
    assert gap.high - gap.low > 0.1


@pytest.mark.parametrize("songs", [2, 3, 6, 20])
def test_shuffled_pairs_each_song_with_several_others(songs: int) -> None:
    pairs: list[tuple[int, int]] = []

    def score(song: int, result: int) -> float:
        pairs.append((song, result))
        return float(result)

    anchors = shuffled_mean(list(range(songs)), score)
    partners = [[b for a, b in pairs if a == song] for song in range(songs)]
    for song, others in enumerate(partners):
        assert song not in others
        assert len(others) == len(set(others)) == min(5, songs - 1)
        assert anchors[song] == pytest.approx(np.mean(others))


def test_one_song_cannot_be_shuffled() -> None:
    assert math.isnan(shuffled_mean([0], lambda a, b: 1.0)[0])
