"""Recovery after a kill, a crash or a power cut: the new state of each unfinished job.

A complete result in the outbox counts as published, even if the journal has no record of that; it is not
rendered again. Jobs that are ``published`` or ``rejecting`` keep their state, because moving the vocal can be
repeated: the daemon does so for all of :meth:`~appliance.watch.journal.journal.Journal.unfinished`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from appliance.watch.journal.journal import Journal
from appliance.watch.journal.rows import Job
from appliance.watch.settings.config import Work

FREE_INTERRUPTIONS = 3
"""Number of service crashes after which a job is due at once; after further ones it waits."""


class Recovered(NamedTuple):
    """Jobs by their new state."""

    published: tuple[Job, ...] = ()
    interrupted: tuple[Job, ...] = ()
    unfinished: tuple[Job, ...] = ()


def backoff_s(tries: int, work: Work) -> float:
    """Seconds to wait after the ``tries``-th temporary error, counted from 1: doubled each time."""
    return float(min(work.retry_most_s, work.retry_base_s * 2.0 ** min(max(tries - 1, 0), 64)))


def recover(journal: Journal, has_result: Callable[[Job], bool], now_s: float, work: Work) -> Recovered:
    """Update the journal before the first job starts; ``now_s`` is unix seconds.

    ``has_result`` tells whether a job's complete result is in the outbox. A crash of the service does not
    count as an attempt of the job. But a job that was running at several crashes may have caused them (by
    exhausting the memory, for example), so it waits at the end of the queue. Raises JournalError, OSError.
    """
    published, interrupted = [], []
    for job in journal.in_state("working"):
        if has_result(job):
            published.append(journal.record_published(job.id, "found complete after an interruption"))
            continue
        again = job.interruptions + 1 - FREE_INTERRUPTIONS
        at_s = now_s + backoff_s(again, work) if again > 0 else now_s
        interrupted.append(journal.record_interrupted(job.id, at_s, last=again > 0))
    return Recovered(tuple(published), tuple(interrupted), tuple(journal.unfinished()))
