"""Random calls of the journal for its tests: the same number and state give the same call."""

from __future__ import annotations

import hashlib
import itertools
import random
from typing import Any

from appliance.watch.disk.found import FoundFile
from appliance.watch.journal.journal import Journal
from appliance.watch.journal.states import FOLLOWS

VOCALS = 12
"""Number of paths. Each has two contents, so vocals are dropped again and replaced."""


def move(journal: Journal, number: int) -> str:
    """Make one valid call of the journal's API; returns its kind."""
    choice = random.Random(number)
    if choice.random() < 0.3:
        return _add(journal, choice)
    jobs = [job for state in FOLLOWS for job in journal.in_state(state)]
    if not jobs or choice.random() < 0.05:
        journal.pause(f"pause {number}") if choice.random() < 0.5 else journal.resume()
        return "pause"
    job = choice.choice(jobs)
    calls: dict[str, list[Any]] = {
        "waiting": [
            lambda: journal.start(job.id),
            lambda: journal.record_gone(job.id, "gone"),
            lambda: journal.defer(job.id, "later", 5.0),
            lambda: journal.reject(job.id, "no"),
            lambda: journal.rename(job.id, b"other-%d" % number),
        ],
        "working": [
            lambda: journal.record_progress(job.id, choice.random(), 3.0),
            lambda: journal.record_published(job.id),
            lambda: journal.record_published(job.id),
            lambda: journal.retry(job.id, "again", number + 0.5, worker_died=choice.random() < 0.5),
            lambda: journal.record_interrupted(job.id, number + 0.5, last=choice.random() < 0.5),
            lambda: journal.quarantine(job.id, "killer"),
        ],
        "published": [lambda: journal.record_done(job.id, b"archive/x")],
        "rejecting": [lambda: journal.record_rejected(job.id, b"rejected/x")],
        "done": [lambda: journal.requeue(job.id), lambda: journal.record_still_there(job.id, job.found)],
    }
    choice.choice(calls.get(job.state, [lambda: journal.requeue(job.id)]))()
    return job.state


def _add(journal: Journal, choice: random.Random) -> str:
    path = b"sub/vocal-%d.wav" % choice.randrange(VOCALS)
    content = choice.randrange(2)
    found = FoundFile(path, 1, choice.randrange(5), 100, choice.randrange(5), 0)
    digest = hashlib.sha256(path + bytes([content])).hexdigest()
    because = "wrong" if choice.random() < 0.1 else ""
    journal.add(found, digest, "pack", "{}", path[:-4], path[:-4] + b"-%d" % content, because)
    return "add"


def dump(journal: Journal) -> tuple[Any, ...]:
    """All jobs and facts of the journal, and its last 20 transitions."""
    tables = ("jobs ORDER BY id", "transitions ORDER BY id DESC LIMIT 20", "facts")
    return tuple(journal._db.execute(f"SELECT * FROM {table}").fetchall() for table in tables)


def check_ways(journal: Journal) -> None:
    """Check the invariants of jobs and transitions."""
    jobs = [job for state in FOLLOWS for job in journal.in_state(state)]
    assert len({(job.key, job.wanted) for job in jobs}) == len(jobs)
    waiting = [job.place for job in jobs if job.state == "waiting"]
    assert len(set(waiting)) == len(waiting)
    for job in jobs:
        steps = journal.transitions(job.id)
        assert steps[0].before == "" and steps[0].after == "waiting"
        assert steps[-1].after == job.state
        for before, after in itertools.pairwise(steps):
            assert before.after == after.before
            assert after.after in FOLLOWS[after.before]  # type: ignore[index]
        assert job.attempts >= 0 and 0.0 <= job.progress <= 1.0
        assert (job.finished_s is not None) == (job.state in ("done", "rejected", "quarantined", "gone"))
