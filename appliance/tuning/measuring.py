"""Measure graph settings step by step within a time budget; each step yields a profile.

The caller decides when the next step runs, so the service can render a job in between. Time between two steps
does not count.
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
from appliance.tuning.choice import Measurement, choose, snr_db
from appliance.tuning.profile import GraphProfile, Profile, ProfileKey
from appliance.tuning.profile_key import key_of
from appliance.tuning.workbench import Array, Bench, Trial, Workbench

BUDGET_S = 60.0
MAX_ROUNDS = 11
DRAWS = 2
"""Number of random inputs on which outputs are compared."""

Clock = Callable[[], float]


class Budget:
    """A time budget in seconds, measured with ``clock``."""

    def __init__(self, seconds: float, clock: Clock) -> None:
        self.seconds, self.clock = seconds, clock
        self.spent_s = self.last_s = 0.0

    @property
    def left_s(self) -> float:
        """Seconds that are left."""
        return self.seconds - self.spent_s

    @contextmanager
    def spending(self) -> Iterator[None]:
        """Count the time of the block; its duration is ``last_s``."""
        began_s = self.clock()
        yield
        self.last_s = self.clock() - began_s
        self.spent_s += self.last_s


def tune(
    key: ProfileKey, bench: Bench, budget_s: float, clock: Clock, known: Profile | None = None
) -> Iterator[Profile]:
    """Measure the graphs of ``bench``; yields the profile after each step.

    The last profile is finished if the budget was sufficient. Graphs that ``known``, an unfinished profile,
    has measured are not measured again.

    Each graph but the last may use half of the time left, so that a graph that compiles slowly leaves time
    for the others. A step begins only if a step as long as the previous one of its kind would end in time.
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
        for _ in comparison.steps(key.threads):
            yield profile()
        graphs[name] = comparison.result()
        yield profile()
    yield profile(finished=not any(graph.unmeasured for graph in graphs.values()))


@dataclass
class _Comparison:
    """Compares the settings of one graph. ``reserve_s`` of the budget is kept for the other graphs."""

    graph: str
    bench: Bench
    budget: Budget
    reserve_s: float
    _found: list[Measurement] = field(default_factory=list)
    _trials: dict[GraphSetting, Trial] = field(default_factory=dict)
    _outputs: list[Array] = field(default_factory=list)
    """Outputs of the shipped setting."""

    def steps(self, threads: int) -> Iterator[None]:
        """Compile each setting and compare its output, then time all settings in rounds.

        If there is only one setting, it is timed once.
        """
        with self.budget.spending():
            offered = candidates(threads, self.bench.precisions(self.graph))
        slowest_s = 0.0
        for setting in offered:
            # Twice: compiling is useless unless time is left for the rounds.
            if self._left_s <= 2 * slowest_s:
                self._found.append(Measurement(setting))
                continue
            with self.budget.spending():
                self._prepare(setting)
            slowest_s = max(slowest_s, self.budget.last_s)
            yield
            if not self._trials:
                return
        skipped = any(found.snr_db is None and not found.trouble for found in self._found)
        round_s = 0.0
        for number in range(MAX_ROUNDS):
            alone = len(self._trials) == 1 and (number > 0 or skipped)
            if alone or self._left_s <= round_s:
                return
            with self.budget.spending():
                self._round(list(self._trials)[:: 1 if number % 2 == 0 else -1])
            round_s = self.budget.last_s
            yield

    def result(self) -> GraphProfile:
        """The choice for this graph from the measurements so far."""
        return choose(self._found[0], self._found[1:])

    @property
    def _left_s(self) -> float:
        return self.budget.left_s - self.reserve_s

    def _prepare(self, setting: GraphSetting) -> None:
        try:
            trial = self.bench.trial(self.graph, setting)
            outputs = [output for draw in range(DRAWS) for output in trial(draw)]
        except (BacklineError, RuntimeError) as error:
            self._found.append(Measurement(setting, trouble=f"it does not run on this CPU: {error}"[:500]))
            return
        self._outputs = self._outputs or outputs
        agreement = min(snr_db(*pair) for pair in zip(self._outputs, outputs, strict=True))
        self._found.append(Measurement(setting, snr_db=agreement))
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


def candidates(threads: int, precisions: tuple[str, ...]) -> list[GraphSetting]:
    """The settings to compare: shipped with all ``threads``, a half, a quarter …; then ``precisions``."""
    fewer, found = threads // 2, [GraphSetting(threads=threads)]
    while fewer:
        found.append(GraphSetting(threads=fewer))
        fewer //= 2
    return [*found, *(GraphSetting.model_validate({"precision": p, "threads": threads}) for p in precisions)]


def tune_pack(
    pack: Pack,
    threads: int | None = None,
    cache: Path | None = None,
    budget_s: float = BUDGET_S,
    known: Profile | None = None,
) -> Iterator[Profile]:
    """Measure ``pack`` on this CPU with at most ``threads`` threads, step by step; see :func:`tune`.

    ``cache`` is the folder of compiled graphs, ``known`` an unfinished profile to continue.
    """
    key = key_of(pack, threads)
    bench = Workbench(pack, GraphSetting(threads=key.threads), cache)
    return tune(key, bench, budget_s, time.perf_counter, known)
