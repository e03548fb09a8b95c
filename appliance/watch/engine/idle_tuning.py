"""Measuring this processor while the engine has nothing to render, a piece at a time.

So the service is ready at once, no vocal waits for more than a piece (a graph being compiled: seconds),
and what is measured is not disturbed by a render. Each try is noted on disk before it begins: an engine that
it kills, as where memory is short, does not try for ever. Nothing here can fail an order.
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

MOST_TRIES = 3
"""So often measuring is begun for a profile; what was found by then is followed afterwards."""


class IdleTuning:
    """The measuring that ``engine`` still has to do; none where it follows a finished profile."""

    def __init__(self, engine: Engine, setup: Setup) -> None:
        self._engine, self._folder, self._threads = engine, Path(setup.profiles), setup.threads or None
        known = engine.profile
        open_ = known is None or (not known.finished and known.tries < MOST_TRIES)
        self._pieces: Iterator[Profile] | None = None
        self.pending = setup.tune and bool(setup.profiles) and open_
        """Whether there is anything left to measure."""

    def piece(self) -> Tuning:
        """Measures a little. What to tell the daemon."""
        try:
            share = self._next()
        except (BacklineError, RuntimeError, OSError, MemoryError) as error:
            log(WARNING, "This processor could not be measured; the work goes on.", reason=error)
            self.pending = False
            share = 1.0
        return Tuning(share, self._engine.profile.sha256 if self._engine.profile else "")

    def _next(self) -> float:
        """Does a piece; the share of the budget that is spent, 1 when nothing is left to do."""
        from appliance.tuning.measuring import BUDGET_S
        from appliance.tuning.store import write_profile
        from appliance.tuning.table import profile_sentence

        if self._pieces is None:
            self._profile = self._begun()
            write_profile(self._folder, self._profile)
            return 0.0
        profile = next(self._pieces, None)
        if profile is not None:
            self._profile = profile
            return min(0.99, profile.seconds / BUDGET_S)
        self.pending = False
        write_profile(self._folder, self._profile)
        self._engine.follow(self._profile)
        log(NOTICE, profile_sentence(self._profile))
        return 1.0

    def _begun(self) -> Profile:
        """What an earlier try found, or nothing, with this try noted."""
        from appliance.networks.cache import cache_folder
        from appliance.tuning.measuring import tune_pack
        from appliance.tuning.profile import Profile
        from appliance.tuning.profile_key import key_of

        pack, known = self._engine.pack, self._engine.profile
        self._pieces = tune_pack(pack, self._threads, cache_folder(), known=known)
        if known is not None:
            return known.model_copy(update={"tries": known.tries + 1})
        return Profile(key=key_of(pack, self._threads), graphs={}, finished=False)
