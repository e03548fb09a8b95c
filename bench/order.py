"""Order and number of measurements: cases are interleaved, so that drift affects all alike.

A machine that warms up or gets busy would favour the case measured first. So each round measures every case
once, and every other round goes backwards.
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
    max_rounds: int,
    budget_s: float,
    clock: Callable[[], float],
    once: Callable[[Case], bool] = lambda _: False,
) -> Iterator[tuple[int, Case]]:
    """Yield (round, case), round after round: at least one round and at most ``max_rounds``.

    A further round starts only if it should end within ``budget_s`` from the first case, judged by the latest
    time of each of its cases. Cases for which ``once`` is true are in round 0 only.
    """
    began = clock()
    took: dict[int, float] = {}
    for number in range(max_rounds):
        chosen = [i for i, case in enumerate(cases) if number == 0 or not once(case)]
        needed = sum(took.get(i, 0.0) for i in chosen)
        if number and (not chosen or clock() - began + needed > budget_s):
            return
        for index in one_round(chosen, number):
            started = clock()
            yield number, cases[index]
            took[index] = clock() - started
