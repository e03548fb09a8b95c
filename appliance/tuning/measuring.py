"""Measuring, one piece after the other, within a budget; after each piece there is a profile.

Whoever measures decides when the next piece is done, so that a service can do its work in between: time
between two pieces does not count.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from appliance.errors import BacklineError
from appliance.networks.setting import GraphSetting
from appliance.packs.pack import Pack
from appliance.tuning.choice import Measured, chosen, snr_db
from appliance.tuning.profile import GraphProfile, Profile, ProfileKey
from appliance.tuning.profile_key import key_of
from appliance.tuning.workbench import Array, Bench, Trial, Workbench

BUDGET_S = 60.0
MOST_ROUNDS = 11
DRAWS = 2
"""So many inputs must agree."""

Clock = Callable[[], float]


class Budget:
    """Seconds that may be spent, by ``clock``."""

    def __init__(self, seconds: float, clock: Clock) -> None:
        self.seconds, self.clock = seconds, clock
        self.spent_s = self.last_s = 0.0

    @property
    def left_s(self) -> float:
        """What is left."""
        return self.seconds - self.spent_s

    @contextmanager
    def spending(self) -> Iterator[None]:
        """What is done meanwhile counts; how long it took is ``last_s``."""
        began_s = self.clock()
        yield
        self.last_s = self.clock() - began_s
        self.spent_s += self.last_s


def tuned(
    key: ProfileKey, bench: Bench, budget_s: float, clock: Clock, known: Profile | None = None
) -> Iterator[Profile]:
    """The profile after each piece of measuring; the last one is finished if the time was enough for it.

    What ``known``, a profile that was not finished, measured is not measured again.

    A graph may use half of what is left, so that one which is slow to compile leaves time to the others.
    Nothing is begun that would end late, should it take as long as the last of its kind.
    """
    budget = Budget(budget_s, clock)
    graphs = {} if known is None else {n: graph for n, graph in known.graphs.items() if not graph.unmeasured}
    tries = 1 if known is None else known.tries + 1

    def profile(finished: bool = False) -> Profile:
        return Profile(
            key=key, graphs=dict(graphs), finished=finished, tries=tries, seconds=round(budget.spent_s, 1)
        )

    names = [name for name in bench.graphs if name not in graphs]
    for name in names:
        share = 1.0 if name == names[-1] else 0.5
        comparison = _Comparison(name, bench, budget, budget.left_s * (1 - share))
        for _ in comparison.pieces(key.threads):
            yield profile()
        graphs[name] = comparison.result()
        yield profile()
    yield profile(finished=not any(graph.unmeasured for graph in graphs.values()))


@dataclass
class _Comparison:
    """One graph: its settings side by side. ``reserve_s`` of the budget are for the other graphs."""

    graph: str
    bench: Bench
    budget: Budget
    reserve_s: float
    _found: list[Measured] = field(default_factory=list)
    _trials: dict[GraphSetting, Trial] = field(default_factory=dict)
    _outputs: list[Array] = field(default_factory=list)
    """As shipped."""

    def pieces(self, threads: int) -> Iterator[None]:
        """Compiles each setting and compares its output, then times them all, round after round.

        A setting that is the only one possible is timed once.
        """
        with self.budget.spending():
            offered = settings(threads, self.bench.precisions(self.graph))
        slowest_s = 0.0
        for setting in offered:
            # Twice, as what cannot be timed afterwards was compiled in vain.
            if self._left_s <= 2 * slowest_s:
                self._found.append(Measured(setting))
                continue
            with self.budget.spending():
                self._prepare(setting)
            slowest_s = max(slowest_s, self.budget.last_s)
            yield
            if not self._trials:
                return
        put_off = any(found.snr_db is None and not found.trouble for found in self._found)
        round_s = 0.0
        for number in range(MOST_ROUNDS):
            alone = len(self._trials) == 1 and (number > 0 or put_off)
            if alone or self._left_s <= round_s:
                return
            with self.budget.spending():
                self._round(list(self._trials)[:: 1 if number % 2 == 0 else -1])
            round_s = self.budget.last_s
            yield

    def result(self) -> GraphProfile:
        """What to do with this graph, by what was measured so far."""
        return chosen(self._found[0], self._found[1:])

    @property
    def _left_s(self) -> float:
        return self.budget.left_s - self.reserve_s

    def _prepare(self, setting: GraphSetting) -> None:
        try:
            trial = self.bench.trial(self.graph, setting)
            outputs = [output for draw in range(DRAWS) for output in trial(draw)]
        except (BacklineError, RuntimeError) as error:
            self._found.append(Measured(setting, trouble=f"it does not work here: {error}"[:500]))
            return
        self._outputs = self._outputs or outputs
        agreement = min(snr_db(*pair) for pair in zip(self._outputs, outputs, strict=True))
        self._found.append(Measured(setting, snr_db=agreement))
        self._trials[setting] = trial

    def _round(self, order: list[GraphSetting]) -> None:
        for setting in order:
            trial = self._trials[setting]
            began_s = self.budget.clock()
            trial(0)
            took_s = self.budget.clock() - began_s
            index = next(i for i, found in enumerate(self._found) if found.setting == setting)
            times_s = (*self._found[index].times_s, took_s)
            self._found[index] = replace(self._found[index], times_s=times_s)


def settings(threads: int, precisions: tuple[str, ...]) -> list[GraphSetting]:
    """What to compare: as shipped with all threads first, then with half of them, a quarter and so on,
    then other precisions with all."""
    fewer, found = threads // 2, [GraphSetting(threads=threads)]
    while fewer:
        found.append(GraphSetting(threads=fewer))
        fewer //= 2
    return [*found, *(GraphSetting.model_validate({"precision": p, "threads": threads}) for p in precisions)]


def measured(
    pack: Pack,
    threads: int | None = None,
    cache: Path | None = None,
    budget_s: float = BUDGET_S,
    known: Profile | None = None,
) -> Iterator[Profile]:
    """The profile for ``pack`` here, with ``threads`` at most, piece by piece as :func:`tuned`."""
    key = key_of(pack, threads)
    bench = Workbench(pack, GraphSetting(threads=key.threads), cache)
    return tuned(key, bench, budget_s, time.perf_counter, known)
