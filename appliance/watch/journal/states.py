"""The states of a job and the allowed transitions.

::

    waiting -> working -> published -> done         rendered; the vocal is moved to the archive
                  |-> waiting                       temporary error, or restart
    waiting, working -> rejecting -> rejected       unusable; moved to rejected with a reason
                                  -> quarantined    crashed the engine; moved to rejected with a reason
    waiting, working -> gone                        the vocal was removed or replaced
    done, rejected, quarantined, gone -> waiting    dropped again, or requeued
    done -> published                               dropped again while its result still exists
"""

from __future__ import annotations

from typing import Literal

JobState = Literal["waiting", "working", "published", "done", "rejecting", "rejected", "quarantined", "gone"]

INTERRUPTED = "the service was interrupted"
STOPPED = "the service stops"
RENEWED = "pack or settings have changed"
NO_TROUBLE = (INTERRUPTED, STOPPED, RENEWED)
"""Reasons of a retry that say nothing against the job or the computer."""

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
"""The states that may follow each state."""

FINAL: frozenset[JobState] = frozenset({"done", "rejected", "quarantined", "gone"})
"""States of a finished job."""

ACTIVE: frozenset[JobState] = frozenset({"waiting", "working", "published", "rejecting"})
"""States of an unfinished job."""
