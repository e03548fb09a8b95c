"""The life of a job: its states, and which may follow which.

::

    waiting -> working -> published -> done         rendered; the source is put away
                  |-> waiting                       an error that may pass, or a restart
    waiting, working -> rejecting -> rejected       cannot be used; moved out with a reason
                                  -> quarantined    killed its workers; moved out with a reason
    waiting, working -> gone                        the vocal vanished or was replaced
    done, rejected, quarantined, gone -> waiting    dropped again, or asked for again
    done -> published                               dropped again while its result still lies there
"""

from __future__ import annotations

from typing import Literal

JobState = Literal["waiting", "working", "published", "done", "rejecting", "rejected", "quarantined", "gone"]

STATES: tuple[JobState, ...] = (
    *("waiting", "working", "published", "done"),
    *("rejecting", "rejected", "quarantined", "gone"),
)

FOLLOWS: dict[JobState, frozenset[JobState]] = {
    "waiting": frozenset({"working", "rejecting", "gone"}),
    "working": frozenset({"waiting", "published", "rejecting", "gone"}),
    "published": frozenset({"done"}),
    "done": frozenset({"waiting", "published"}),
    "rejecting": frozenset({"rejected", "quarantined"}),
    "rejected": frozenset({"waiting"}),
    "quarantined": frozenset({"waiting"}),
    "gone": frozenset({"waiting"}),
}
"""Which states may follow each."""

FINAL: frozenset[JobState] = frozenset({"done", "rejected", "quarantined", "gone"})
"""States in which nothing is left to do."""

ON_ITS_WAY: frozenset[JobState] = frozenset({"waiting", "working", "published", "rejecting"})
"""States in which something is left to do."""
