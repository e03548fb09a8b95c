"""The chord network's field: sums and best sequences against all sequences, counted one by one."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
import torch

from appliance.composing.chord_sequence import best_sequence
from appliance.networks.chord_rows import (
    CHORD_STATES,
    CIRCLE_ROWS,
    NO_CHORD_STATE,
    PLAIN_ROWS,
    ChordScores,
    GivenChords,
)
from train.networks.chords import ChordConfig, ChordNetwork, log_partition, sequence_score

FEW = (0, 7, 12, 31, NO_CHORD_STATE)
"""Only these states are likely in the tests, so that all their sequences can be counted."""


@pytest.fixture
def network() -> ChordNetwork:
    torch.manual_seed(0)
    network = ChordNetwork(ChordConfig(width=8, dilations=(1, 2)))
    torch.nn.init.normal_(network.steps)
    torch.nn.init.normal_(network.rest)
    return network.eval()


@pytest.fixture
def scored(network: ChordNetwork) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    chords = torch.full((1, CHORD_STATES, 5), -60.0)
    chords[:, list(FEW)] = torch.randn(1, len(FEW), 5)
    return chords, torch.randn(1, 5), network.transitions().detach()


def counted(
    chords: torch.Tensor, change: torch.Tensor, table: torch.Tensor, states: tuple[int, ...]
) -> float:
    """The score of a sequence, term by term."""
    total = 0.0
    for slot, state in enumerate(states):
        total += float(chords[0, state, slot])
        if slot and state != states[slot - 1]:
            total += float(table[states[slot - 1], state]) + float(change[0, slot])
    return total


def test_the_sum_is_that_of_all_sequences(scored: tuple[torch.Tensor, ...]) -> None:
    chords, change, table = scored
    every = [counted(chords, change, table, states) for states in product(FEW, repeat=5)]
    found = log_partition(chords, change, table, torch.tensor([5]))
    assert float(found) == pytest.approx(np.logaddexp.reduce(every), abs=1e-3)
    shorter = [counted(chords, change, table, states) for states in product(FEW, repeat=3)]
    found = log_partition(chords, change, table, torch.tensor([3]))
    assert float(found) == pytest.approx(np.logaddexp.reduce(shorter), abs=1e-3)


def test_the_score_of_a_sequence_and_the_best_one(scored: tuple[torch.Tensor, ...]) -> None:
    chords, change, table = scored
    every = {s: counted(chords, change, table, s) for s in product(FEW, repeat=5)}
    best = max(every, key=lambda s: every[s])
    found = sequence_score(chords, change, table, torch.tensor([best]), torch.ones(1, 5))
    assert float(found) == pytest.approx(every[best], abs=1e-4)
    scores = ChordScores(
        chords[0].numpy(), change[0].numpy(), np.zeros((12, 12, 5), np.float32), table.numpy()
    )
    assert tuple(best_sequence(scores, GivenChords.none(5))) == best
    fixed = np.array([-1, 31, -1, 7, -1])
    allowed = {s: v for s, v in every.items() if s[1] == 31 and s[3] == 7}
    answer = best_sequence(scores, GivenChords(fixed, np.full(5, -1)))
    assert tuple(answer) == max(allowed, key=lambda s: allowed[s])


def test_all_keys_are_alike(network: ChordNetwork) -> None:
    circle, plain = torch.randn(1, CIRCLE_ROWS, 12, 16), torch.randn(1, PLAIN_ROWS, 16)
    chords, change, bass = network(circle, plain)
    up_chords, up_change, up_bass = network(circle.roll(5, dims=2), plain)
    moved = chords[:, :-1].reshape(1, -1, 12, 16).roll(5, dims=2).flatten(1, 2)
    assert torch.allclose(up_chords[:, :-1], moved, atol=1e-5)
    assert torch.allclose(up_chords[:, -1], chords[:, -1], atol=1e-5)
    assert torch.allclose(up_change, change, atol=1e-5) and torch.allclose(
        up_bass, bass.roll(5, 2), atol=1e-5
    )
    table = network.transitions()
    inner = table[:-1, :-1].reshape(10, 12, 10, 12)
    assert torch.equal(inner, inner.roll((3, 3), dims=(1, 3)))
