"""The Viterbi algorithm: the best path through states, step by step.

Sources: Viterbi, *Error bounds for convolutional codes*, IEEE Trans. Information Theory 13, 1967; Rabiner,
*A tutorial on hidden Markov models*, Proc. IEEE 77, 1989, section III.B. Scores are logarithms or rewards:
they add up, and the path with the highest sum wins. Of equal sums, the lowest state or the first option wins.

The caller computes the transitions, because fast ways depend on their structure. The result for one step is
an *arrival*: for every state, the best score with which it can be reached, and the state it is reached from.

Shapes: T steps, S states, N options.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Scores = NDArray[np.floating[Any]]
States = NDArray[np.integer[Any]]
Arrival = tuple[Scores, States]
"""For every state, the best score with which it is reached, and the state it is reached from: (S,) each."""


class Trellis:
    """The best path into each of S ``states``. Old steps can be taken out before all steps are known."""

    def __init__(self, states: int, dtype: type[np.floating[Any]] = np.float64) -> None:
        self.scores: Scores = np.zeros(states, dtype)
        """Score of the best path into each state, (S,)."""
        self._kind = np.min_scalar_type(states - 1)
        self._sources: list[States] = []

    def __len__(self) -> int:
        """Number of steps that are not taken out yet."""
        return len(self._sources)

    def step(self, arrival: Arrival, gains: Scores) -> None:
        """Add a step; ``gains`` (S,) are the scores of its states."""
        scores, sources = arrival
        self._sources.append(sources.astype(self._kind))
        self.scores = scores + gains

    def take(self, count: int | None = None) -> NDArray[np.intp]:
        """Take out the oldest ``count`` steps (default: all): their states on the best path, (``count``,).

        If more steps follow, the states are only correct if all paths that may still win agree up to there.
        That is so if enough steps lie in between.
        """
        path = np.empty(len(self._sources), np.intp)
        state = int(self.scores.argmax())
        for t in range(len(path) - 1, -1, -1):
            path[t] = state
            state = int(self._sources[t][state])
        taken = path[:count]
        self._sources = self._sources[len(taken) :]
        return taken


def best_path(gains: Scores, arrive: Callable[[Scores, int], Arrival]) -> NDArray[np.intp]:
    """The path (T,) through ``gains`` (T, S) with the highest sum.

    ``arrive`` maps the scores (S,) before a step, and the number of the step (1 to T - 1), to its arrival.
    """
    trellis = Trellis(gains.shape[1], gains.dtype.type)
    everywhere = np.arange(gains.shape[1])
    for t, gain in enumerate(gains):
        trellis.step(arrive(trellis.scores, t) if t else (trellis.scores, everywhere), gain)
    return trellis.take()


def from_anywhere(scores: Scores, cost: Scores) -> Arrival:
    """The arrival if every state can be reached from every state, at ``cost`` (S to, S from)."""
    arriving = scores - cost
    return arriving.max(axis=1), arriving.argmax(axis=1)


def from_options(scores: Scores, sources: States, costs: Scores) -> Arrival:
    """The arrival if every state can be reached from its N ``sources`` (N, S), at ``costs`` (N,)."""
    options = scores[sources] - costs[:, None]
    choice = options.argmax(axis=0)
    states = np.arange(sources.shape[1])
    return options[choice, states], sources[choice, states]
