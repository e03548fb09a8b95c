"""A span of one sound in another: nothing changes outside it, and the joins are even."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from support.bends import bends

from appliance.audio.blocks import recut
from appliance.audio.joining import JOIN_IN_S, JOIN_OUT_S, SampleSpan, joined

RATE_HZ = 44_100
TOTAL = 3 * RATE_HZ + 17
IN, OUT = round(JOIN_IN_S * RATE_HZ), round(JOIN_OUT_S * RATE_HZ)


def noise(seed: int) -> np.ndarray:
    return (0.1 * np.random.default_rng(seed).standard_normal((TOTAL, 2))).astype(np.float32)


def together(old: np.ndarray, new: np.ndarray, span: SampleSpan, block: int = 10_000) -> np.ndarray:
    return np.concatenate(list(joined(recut([old], block), recut([new], block + 777), span)))


@pytest.mark.parametrize(
    ("first", "stop"),
    [(50_000, 90_000), (0, 70_000), (60_000, TOTAL), (0, TOTAL), (70_000, 72_000)],
)
def test_only_the_span_changes(first: int, stop: int) -> None:
    old, new = noise(0), noise(1)
    made = together(old, new, SampleSpan(first, stop, TOTAL))
    assert made.shape == old.shape and made.dtype == np.float32
    np.testing.assert_array_equal(made[:first], old[:first])
    np.testing.assert_array_equal(made[stop:], old[stop:])
    inner = slice(first + (IN if first else 0), stop - (OUT if stop < TOTAL else 0))
    np.testing.assert_array_equal(made[inner], new[inner])


@pytest.mark.parametrize(("first", "stop"), [(70_000, 70_100), (5, 6), (9, 9)])
def test_a_span_that_is_shorter_than_its_joins(first: int, stop: int) -> None:
    old, new = noise(0), noise(1)
    made = together(old, new, SampleSpan(first, stop, TOTAL))
    np.testing.assert_array_equal(made[:first], old[:first])
    np.testing.assert_array_equal(made[stop:], old[stop:])


def test_a_join_does_not_click_and_a_cut_does() -> None:
    time_s = np.arange(TOTAL) / RATE_HZ
    old, new = (
        (0.3 * np.repeat(np.sin(2 * np.pi * hz * time_s + phase)[:, None], 2, axis=1)).astype(np.float32)
        for hz, phase in ((110.0, 0.3), (164.8, 2.0))
    )
    span = SampleSpan(50_011, 90_007, TOTAL)
    soft, cut = together(old, new, span), together(old, new, replace(span, joins=False))
    for border in (span.first, span.stop):
        frames = slice(border // 441 - 5, border // 441 + 2)
        assert bends(cut)[frames].max() > 100 * bends(soft)[frames].max()
        assert bends(soft)[frames].max() < 10 * np.median(bends(new))


def test_without_joins_the_span_is_cut_in() -> None:
    old, new = noise(0), noise(1)
    made = together(old, new, SampleSpan(50_000, 90_000, TOTAL, joins=False))
    np.testing.assert_array_equal(made, np.concatenate([old[:50_000], new[50_000:90_000], old[90_000:]]))


def test_the_block_size_does_not_matter() -> None:
    old, new, span = noise(0), noise(1), SampleSpan(50_000, 90_000, TOTAL)
    np.testing.assert_array_equal(together(old, new, span), together(old, new, span, 997))


def test_equal_sounds_pass_unchanged() -> None:
    old = noise(0)
    np.testing.assert_allclose(together(old, old, SampleSpan(50_000, 90_000, TOTAL)), old, atol=1e-7)


@pytest.mark.parametrize("shared", [0.0, 0.5, 0.9])
def test_the_power_stays_even_in_a_join(shared: float) -> None:
    """Averaged over a hundred pairs of sounds that share some of their power."""
    span, power = SampleSpan(10_000, 30_000, 44_100), np.zeros(OUT)
    for seed in range(100):
        rng = np.random.default_rng(seed)
        common, a, b = rng.standard_normal((3, 44_100, 2))
        old, new = (np.sqrt(shared) * common + np.sqrt(1 - shared) * x for x in (a, b))
        sounds = ([x.astype(np.float32)] for x in (old, new))
        made = np.concatenate(list(joined(*sounds, span)))
        power += np.square(made[30_000 - OUT : 30_000]).mean(axis=1) / 100
    level_db = 10 * np.log10(power[: OUT // 8 * 8].reshape(8, -1).mean(axis=1))
    assert np.abs(level_db).max() < 0.3
