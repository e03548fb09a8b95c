"""In which order cases are measured, and how many times: interleaved, so that drift hits all alike.

A machine grows warm, or somebody logs in: whoever measures A ten times and then B ten times measures
that. Here a round takes every case once, and every other round goes backwards.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

Case = TypeVar("Case")


def one_round(cases: Sequence[Case], number: int) -> list[Case]:
    """The cases in the order of round ``number``, counted from 0."""
    return list(cases) if number % 2 == 0 else list(reversed(cases))


def rounds(
    cases: Sequence[Case],
    most: int,
    budget_s: float,
    clock: Callable[[], float],
    once: Callable[[Case], bool] = lambda _: False,
) -> Iterator[tuple[int, Case]]:
    """(round, case), round after round: at least one, at most ``most``, and none that would end late.

    ``budget_s`` counts from the first case; a further round is begun only if it fits, should it take as
    long as those of its cases took the first time. Cases that are measured ``once`` are in round 0 alone.
    """
    began = clock()
    took: dict[int, float] = {}
    for number in range(most):
        chosen = [i for i, case in enumerate(cases) if number == 0 or not once(case)]
        needed = sum(took.get(i, 0.0) for i in chosen)
        if number and (not chosen or clock() - began + needed > budget_s):
            return
        for index in one_round(chosen, number):
            started = clock()
            yield number, cases[index]
            took[index] = clock() - started
