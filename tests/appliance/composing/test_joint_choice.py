"""Takes of one job are those that differ most among more candidates."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from support.chord_hearing import Hears
from support.readings import reading

from appliance.composing.chosen_harmony import likeliest, redraw
from appliance.composing.harmony import state_of
from appliance.composing.joint_choice import harmony_likeness, rhythm_likeness, unlike, unlike_seeds
from appliance.composing.reading import Reading
from appliance.composing.wishes import Wishes
from appliance.music.rhythm_plan import BarRhythm
from appliance.music.score import BeatGrid
from appliance.networks.condition_rows import FIRST_CONDITION_ROWS

PACK: Any = SimpleNamespace(dials=lambda: SimpleNamespace(styles={}), has_dials=False)


def hears(composes: bool = True) -> Any:
    """Graphs that compose chords but know no rhythm plans."""
    states = [state_of("", root) for root in (0, 0, 5, 5, 7, 7, 0)]
    graphs: Any = Hears(states, composes=composes)
    graphs.condition_rows = FIRST_CONDITION_ROWS
    return graphs


def heard(graphs: Any) -> Reading:
    """A song of seven seconds, a beat each."""
    grid = BeatGrid(tuple(float(k) for k in range(8)), (0, 4), 1.0, 4)
    melody = np.random.default_rng(1).uniform(0, 1, (64, 152)).astype(np.float32)
    about = replace(reading(), grid=grid, features=melody, heard=np.full((24, 38), 0.3, np.float32))
    return likeliest(graphs, about)


def test_the_choice_is_that_of_the_determinant() -> None:
    """Each step compared with the determinants of all ways to take it."""
    rng = np.random.default_rng(3)
    for _ in range(20):
        features = rng.normal(size=(7, 9))
        features /= np.linalg.norm(features, axis=1, keepdims=True)
        alike = features @ features.T
        found = unlike(alike, 4)
        assert found[0] == 0 and len(set(found)) == 4
        for step in range(1, 4):
            before = found[:step]
            sets = {k: np.linalg.det(alike[np.ix_([*before, k], [*before, k])]) for k in range(7)}
            assert found[step] == max(sets, key=lambda k: sets[k])
        assert found[:2] == unlike(alike, 2)  # the takes of a smaller job


def test_repetitions_come_last_and_in_their_order() -> None:
    alike = np.ones((5, 5))
    assert unlike(alike, 3) == [0, 1, 2]
    alike[3, :3] = alike[:3, 3] = alike[3, 4] = alike[4, 3] = 0.2
    assert unlike(alike, 4) == [0, 3, 1, 2]


def test_likeness_of_harmony_and_rhythm() -> None:
    c, g = np.zeros((24, 4)), np.zeros((24, 4))
    c[[0, 4, 7]], g[[7, 11, 2]] = 1.0, 1.0
    half = c.copy()
    half[:, 2:] = g[:, 2:]
    np.testing.assert_allclose(
        harmony_likeness([c, g, half]), [[1, 1 / 3, 2 / 3], [1 / 3, 1, 2 / 3], [2 / 3, 2 / 3, 1]]
    )
    bar = BarRhythm(((0, 24), (12,), ()))
    plans = [replace(reading(), rhythm=rhythm) for rhythm in ((bar, bar), (bar, None), (), ())]
    np.testing.assert_allclose(
        rhythm_likeness(plans), [[1, 0.5, 0, 0], [0.5, 1, 0, 0], [0, 0, 1, 1], [0, 0, 1, 1]]
    )


def test_chosen_takes_differ_more_than_those_that_follow() -> None:
    graphs = hears()
    wishes = Wishes(takes=3, variety=0.3)
    song = heard(graphs)
    chosen = unlike_seeds(graphs, PACK, song, wishes)
    assert chosen[0] == 0 and len(set(chosen)) == 3 and max(chosen) < 16
    assert chosen == unlike_seeds(graphs, PACK, song, wishes)
    assert chosen[:2] == unlike_seeds(graphs, PACK, song, Wishes(takes=2, variety=0.3))

    def alike(seeds: list[int]) -> float:
        plans = [redraw(graphs, song, seed, 0.3).plan for seed in seeds]
        return float(np.mean([harmony_likeness(pair)[0, 1] for pair in map(list, combinations(plans, 2))]))

    assert alike(chosen) < alike([0, 1, 2]) - 0.05


@pytest.mark.parametrize(("seed", "takes"), [(0, 1), (7, 3), (2**60, 20)])
def test_where_nothing_differs_the_next_seed_follows(seed: int, takes: int) -> None:
    graphs = hears(composes=False)
    found = unlike_seeds(graphs, PACK, heard(graphs), Wishes(seed=seed, takes=takes))
    assert found == list(range(seed, seed + takes))
