"""Measures this CPU step by step while the engine is idle.

The service is ready at once, a vocal waits for one step at most (a few seconds to compile a graph), and no
render disturbs the measurements. Each run is recorded on disk before it begins: if measuring crashes the
engine, for example for lack of memory, it is not repeated endlessly. An error here never fails an order.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from appliance.errors import BacklineError
from appliance.watch.engine.messages import Setup, Tuning
from appliance.watch.reports.logs import NOTICE, WARNING, log

if TYPE_CHECKING:
    from appliance.rendering.engine import Engine
    from appliance.tuning.profile import Profile

MAX_TRIES = 3
"""Number of runs for a profile; after them the profile is used as it is."""


class IdleTuning:
    """The measurements that ``engine`` still has to make; none if it has a finished profile."""

    def __init__(self, engine: Engine, setup: Setup) -> None:
        self._engine, self._folder, self._threads = engine, Path(setup.profiles), setup.threads or None
        known = engine.profile
        open_ = known is None or (not known.finished and known.tries < MAX_TRIES)
        self._steps: Iterator[Profile] | None = None
        self.pending = setup.tune and bool(setup.profiles) and open_
        """Whether there is something left to measure."""

    def step(self) -> Tuning:
        """Make one step of measuring; returns the progress for the daemon."""
        try:
            share = self._next()
        except (BacklineError, RuntimeError, OSError, MemoryError) as error:
            log(WARNING, "This CPU could not be measured; the work continues.", reason=error)
            self.pending = False
            share = 1.0
        return Tuning(share, self._engine.profile.sha256 if self._engine.profile else "")

    def _next(self) -> float:
        """Make one step; returns the share of the budget that is spent, 1 when measuring has ended."""
        from appliance.tuning.measuring import BUDGET_S
        from appliance.tuning.store import write_profile
        from appliance.tuning.table import profile_sentence

        if self._steps is None:
            self._profile = self._begin()
            write_profile(self._folder, self._profile)
            return 0.0
        profile = next(self._steps, None)
        if profile is not None:
            self._profile = profile
            return min(0.99, profile.seconds / BUDGET_S)
        self.pending = False
        write_profile(self._folder, self._profile)
        self._engine.follow(self._profile)
        log(NOTICE, profile_sentence(self._profile))
        return 1.0

    def _begin(self) -> Profile:
        """Begin a run; returns the profile so far, with this run counted."""
        from appliance.networks.cache import cache_folder
        from appliance.tuning.measuring import tune_pack
        from appliance.tuning.profile import Profile
        from appliance.tuning.profile_key import key_of

        pack, known = self._engine.pack, self._engine.profile
        self._steps = tune_pack(pack, self._threads, cache_folder(), known=known)
        if known is not None:
            return known.model_copy(update={"tries": known.tries + 1})
        return Profile(key=key_of(pack, self._threads), graphs={}, finished=False)
