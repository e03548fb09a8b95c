"""Variations of a plan: certain parts stay, repeated melodies vary alike, the noise has its stated size."""

from __future__ import annotations

import numpy as np

from appliance.composing.plan_variation import decide, vary
from appliance.vocal.features import CHROMA, FEATURE_ROWS

FRAMES = 400


def sung(seed: int = 0, frames: int = FRAMES) -> np.ndarray:
    """Features of a melody that changes pitch class every half second and repeats after half the song."""
    rng = np.random.default_rng(seed)
    half = np.repeat(rng.integers(12, size=frames // 2 // 2), 8)
    pitch_classes = np.concatenate([half, half])
    features = np.zeros((FEATURE_ROWS, len(pitch_classes)), np.float32)
    features[CHROMA.start + pitch_classes, np.arange(len(pitch_classes))] = 1.0
    return features


def test_a_decision_keeps_the_order_and_leaves_the_middle() -> None:
    plan = np.linspace(0.0, 1.0, 24 * 10, dtype=np.float32).reshape(24, 10)
    found = decide(plan)
    assert (np.diff(found.ravel()) >= 0).all()
    assert np.abs(found - 0.5).mean() > 1.5 * np.abs(plan - 0.5).mean()
    # logit(0.4) = -0.405; 3 · -0.405 + 1 = -0.216, the logit of 0.446.
    assert np.isclose(decide(np.full((24, 1), 0.4, np.float32)), 0.446, atol=1e-3).all()


def test_seed_zero_and_temperature_zero_are_the_likeliest_plan() -> None:
    plan = np.random.default_rng(1).random((24, FRAMES), np.float32)
    assert vary(plan, sung(), 0, 1.0) is plan
    assert vary(plan, sung(), 5, 0.0) is plan


def test_a_seed_gives_one_plan_and_another_seed_another() -> None:
    plan = np.full((24, FRAMES), 0.5, np.float32)
    again = [vary(plan, sung(), seed, 1.0) for seed in (3, 3, 4)]
    assert np.array_equal(again[0], again[1])
    assert np.abs(again[0] - again[2]).mean() > 0.05


def test_the_noise_is_standard_normal_in_logits() -> None:
    plan = np.full((24, FRAMES), 0.5, np.float32)
    drawn = np.stack([vary(plan, sung(seed), seed, 0.7) for seed in range(1, 41)]).astype(np.float64)
    logits = np.log(drawn / (1 - drawn))
    assert abs(logits.mean()) < 0.05
    assert abs(logits.std() - 0.7) < 0.05


def test_what_is_sure_stays() -> None:
    plan = np.zeros((24, FRAMES), np.float32)
    plan[[0, 4, 7, 12]] = 1.0
    drawn = vary(plan, sung(), 9, 1.0)
    assert ((drawn > 0.5) == (plan > 0.5)).mean() > 0.999


def test_where_the_melody_returns_the_same_harmony_returns() -> None:
    plan = np.full((24, FRAMES), 0.5, np.float32)
    drawn = vary(plan, sung(), 11, 1.0)
    first, second = drawn[:, 40:160], drawn[:, 240:360]  # away from the seams of the two halves
    assert np.allclose(first, second, atol=1e-5)
    assert np.abs(first[:, 40:] - first[:, :-40]).mean() > 0.05, "and elsewhere it is another"


def test_harmonies_are_not_redrawn_from_frame_to_frame() -> None:
    plan = np.full((24, FRAMES), 0.5, np.float32)
    drawn = vary(plan, sung(), 12, 1.0)
    step = np.abs(np.diff(drawn, axis=1)).mean()
    far = np.abs(drawn[:, 40:] - drawn[:, :-40]).mean()
    assert step < 0.35 * far
