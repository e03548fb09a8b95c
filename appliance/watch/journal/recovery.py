"""After a kill, a crash or a power cut: what each unfinished job becomes.

The journal says how far a job had come, the outbox whether its result got there. A result that lies
whole in the outbox was published, even if the journal did not hear of it; it is never rendered again.
What is ``published`` or ``rejecting`` stays so: putting the vocal away can be repeated, and the daemon
does that for everything in :meth:`~appliance.watch.journal.journal.Journal.unfinished`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from appliance.watch.journal.journal import Journal
from appliance.watch.journal.rows import Job
from appliance.watch.settings.config import Work

FREE_INTERRUPTIONS = 3
"""So often a job is taken up at once after the service died over it; then others go first."""


class Recovered(NamedTuple):
    """Jobs by what became of them."""

    published: tuple[Job, ...] = ()
    interrupted: tuple[Job, ...] = ()
    unfinished: tuple[Job, ...] = ()


def backoff_s(tries: int, work: Work) -> float:
    """Seconds to wait after the ``tries``-th error that may pass (from 1 on)."""
    return float(min(work.retry_most_s, work.retry_base_s * 2.0 ** min(max(tries - 1, 0), 64)))


def recover(journal: Journal, has_result: Callable[[Job], bool], now_s: float, work: Work) -> Recovered:
    """Bring the journal in order before the first job starts; ``now_s`` is unix seconds.

    ``has_result`` says whether a job's own result lies whole in the outbox. That the service died is not
    the vocal's fault, so it is no attempt. Only one that was being rendered at several such deaths in a
    row (memory running out takes the whole service along) waits, and lets all others go first.
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
