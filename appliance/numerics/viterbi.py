"""The best path through states, one step after the other.

Viterbi, *Error bounds for convolutional codes*, IEEE Trans. Information Theory 13, 1967; Rabiner, *A tutorial
on hidden Markov models*, Proc. IEEE 77, 1989, section III.B. All scores are logarithms or rewards: they add
up, and the highest sum wins. Of equal sums the lowest state, or the first option, wins.

How states follow each other is for the caller to say, since that is what makes it fast: a step is an
*arrival*, for every state the best score with which it can be reached, and the state it is reached from.

Letters: T steps, S states, N options.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Scores = NDArray[np.floating[Any]]
States = NDArray[np.integer[Any]]
Arrival = tuple[Scores, States]
"""Of every state, (S,) each: the best score with which it is reached, and where from."""


class Trellis:
    """The best paths into each of S ``states``; one may be taken before all steps are known."""

    def __init__(self, states: int, dtype: type[np.floating[Any]] = np.float64) -> None:
        self.scores: Scores = np.zeros(states, dtype)
        """Of the best path into each state, (S,)."""
        self._kind = np.min_scalar_type(states - 1)
        self._sources: list[States] = []

    def __len__(self) -> int:
        """Steps whose states are not taken yet."""
        return len(self._sources)

    def step(self, arrival: Arrival, gains: Scores) -> None:
        """Adds a step in which being in a state is worth ``gains`` (S,)."""
        scores, sources = arrival
        self._sources.append(sources.astype(self._kind))
        self.scores = scores + gains

    def take(self, count: int | None = None) -> NDArray[np.intp]:
        """The states (``count``,) of the oldest steps on the best path; no more is kept of these steps.

        By default of all steps. What is taken while later steps are to come is right if all paths that
        may yet win have met before: with enough steps in between.
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

    ``arrive`` takes the scores (S,) of the states and the number of the step that is entered, 1 to T - 1.
    """
    trellis = Trellis(gains.shape[1], gains.dtype.type)
    everywhere = np.arange(gains.shape[1])
    for t, gain in enumerate(gains):
        trellis.step(arrive(trellis.scores, t) if t else (trellis.scores, everywhere), gain)
    return trellis.take()


def from_anywhere(scores: Scores, cost: Scores) -> Arrival:
    """Every state is reached from every state at ``cost`` (S to, S from)."""
    arriving = scores - cost
    return arriving.max(axis=1), arriving.argmax(axis=1)


def from_options(scores: Scores, sources: States, costs: Scores) -> Arrival:
    """Every state is reached from the best of its N ``sources`` (N, S), at ``costs`` (N,)."""
    options = scores[sources] - costs[:, None]
    choice = options.argmax(axis=0)
    states = np.arange(sources.shape[1])
    return options[choice, states], sources[choice, states]
