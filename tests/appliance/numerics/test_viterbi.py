"""The best path, compared with a search over all paths."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise, product

import numpy as np
import pytest
from numpy.typing import NDArray

from appliance.composing.plan_chart import chord_arrival
from appliance.numerics.viterbi import Trellis, best_path, from_anywhere, from_options

Array = NDArray[np.float64]


def best_of_all(gains: Array, cost: Callable[[int, int, int], float]) -> tuple[int, ...]:
    """The best path through ``gains`` (T, S); ``cost`` takes the step, the previous state and the state."""

    def worth(path: tuple[int, ...]) -> float:
        stay = sum(float(gain[state]) for gain, state in zip(gains, path, strict=True))
        return stay - sum(cost(t, a, b) for t, (a, b) in enumerate(pairwise(path), 1))

    return max(product(range(gains.shape[1]), repeat=len(gains)), key=worth)


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize(("steps", "states"), [(1, 3), (2, 5), (6, 4), (9, 2)])
def test_any_state_to_any(steps: int, states: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    gains, cost = rng.normal(size=(steps, states)), rng.uniform(0, 2, (steps, states, states))
    found = best_path(gains, lambda scores, t: from_anywhere(scores, cost[t]))
    assert tuple(found) == best_of_all(gains, lambda t, a, b: cost[t, b, a])


@pytest.mark.parametrize("seed", range(10))
def test_a_change_at_a_price(seed: int) -> None:
    rng = np.random.default_rng(seed)
    gains, price = rng.normal(size=(7, 3)), rng.uniform(0, 2, 7)
    own = np.arange(3)

    def arrive(scores: Array, t: int) -> tuple[Array, NDArray[np.intp]]:
        sources = np.stack([own, np.full(3, scores.argmax())])
        return from_options(scores, sources, np.array([0.0, price[t]]))

    assert tuple(best_path(gains, arrive)) == best_of_all(gains, lambda t, a, b: price[t] * (a != b))


@pytest.mark.parametrize("seed", range(5))
def test_chords_over_basses(seed: int) -> None:
    """The chart's transitions on two chords: another chord costs 3, another bass alone 2."""
    gains = np.random.default_rng(seed).normal(0, 4, (3, 24)).astype(np.float32)

    def cost(_: int, a: int, b: int) -> float:
        return 0.0 if a == b else 2.0 if a // 12 == b // 12 else 3.0

    assert tuple(best_path(gains, lambda scores, _: chord_arrival(scores))) == best_of_all(gains, cost)


def test_of_equal_paths_the_first_state_wins() -> None:
    assert best_path(np.zeros((4, 3)), lambda s, _: from_anywhere(s, np.zeros((3, 3)))).tolist() == [0] * 4


def test_parts_that_are_taken_early_are_parts_of_the_whole() -> None:
    rng = np.random.default_rng(1)
    gains, cost = rng.normal(size=(400, 5)), rng.uniform(0, 2, (400, 5, 5))
    whole = best_path(gains, lambda scores, t: from_anywhere(scores, cost[t]))
    trellis, taken = Trellis(5), []
    for t, gain in enumerate(gains):
        trellis.step(from_anywhere(trellis.scores, cost[t] if t else np.zeros((5, 5))), gain)
        if len(trellis) == 80:
            taken.append(trellis.take(30))
            assert len(trellis) == 50
    taken.append(trellis.take())
    assert len(trellis) == 0 and len(taken) > 10
    assert np.concatenate(taken).tolist() == whole.tolist()


def test_pointers_are_as_small_as_the_states_allow() -> None:
    """An hour of chords has ten thousand steps of 1308 states."""
    trellis = Trellis(1308, np.float32)
    trellis.step((trellis.scores, np.arange(1308)), np.zeros(1308, np.float32))
    assert trellis._sources[0].nbytes == 2 * 1308
    assert trellis.scores.dtype == np.float32
