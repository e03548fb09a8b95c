"""Status and history: as JSON for programs, and as lines for the terminal."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any

from appliance.errors import UsageError
from appliance.watch.disk.found import shown
from appliance.watch.journal.reader import Reader
from appliance.watch.journal.rows import Job
from appliance.watch.reports.logs import plain

MAX_SHOWN = 20
"""Number of files of each list that the terminal shows."""

_LEFT_WORDS = {
    "unfinished": ("unfinished copy", "unfinished copies"),
    "project": ("file of music software", "files of music software"),
    "picture": ("picture", "pictures"),
    "document": ("document", "documents"),
}


def down_facts(journal: Reader | None, now_s: float) -> dict[str, Any]:
    """The status from the journal while no daemon runs; ``now_s`` is unix seconds.

    Keys are those of :meth:`.Snapshot.to_json`, without those that only a daemon knows.
    """
    counts = journal.counts() if journal else {}
    oldest_s = journal.oldest_waiting_s() if journal else None
    return {
        "state": "down",
        "paused": journal.pause_reason() if journal else None,
        "waiting": counts.get("waiting", 0) + counts.get("working", 0),
        "oldest_waiting_s": None if oldest_s is None else max(0.0, now_s - oldest_s),
        "counts": counts,
        "rejected": counts.get("rejected", 0) + counts.get("quarantined", 0),
    }


def history_facts(journal: Reader | None, limit: int) -> list[dict[str, Any]]:
    """The last ``limit`` finished jobs, newest first."""
    return [job_facts(job) for job in journal.history(limit)] if journal else []


def job_facts(job: Job) -> dict[str, Any]:
    """A job as JSON: paths in printable form, times in unix seconds."""
    return {
        "job": job.id,
        "vocal": job.shown,
        "state": job.state,
        "reason": plain(job.reason),
        "result": shown(job.name),
        "moved_to": None if job.moved_to is None else shown(job.moved_to),
        "key": job.key,
        "settings": json.loads(job.settings),
        "attempts": job.attempts,
        "duration_s": job.duration_s,
        "queued_s": job.queued_s,
        "started_s": job.started_s,
        "finished_s": job.finished_s,
    }


def asked_job(journal: Reader, request: Mapping[str, Any]) -> Job:
    """The job of a request such as ``{"job": 12}`` or ``{"path": "sub/song.wav"}``. Raises UsageError."""
    number, path = request.get("job"), request.get("path")
    if isinstance(number, int) and abs(number) < 2**63:
        job, asked = journal.job(number), str(number)
    elif isinstance(path, str):
        job, asked = journal.by_path(_as_bytes(path)), ascii(path)
    else:
        raise UsageError("Name the job by its number or by its vocal's path in the inbox.")
    if job is None:
        raise UsageError(f"There is no job {asked}; see 'backline history'.")
    return job


def status_lines(facts: Mapping[str, Any]) -> list[str]:
    """The status as lines for the terminal; unknown values are left out."""
    lines = [f"state       {facts['state']}" + (f": {facts['paused']}" if facts["paused"] else "")]
    if (pack := facts.get("pack")) is not None:
        profile = pack.get("profile") or pack.get("plan")  # a daemon of an earlier release calls it plan
        followed = f", profile {profile[:8]}" if profile else ""
        lines.append(f"pack        {pack['name']} {pack['version']}{followed}")
    if facts.get("pack_trouble"):
        lines.append(f"WRONG PACK  {facts['pack_trouble']}")
    if (job := facts.get("running")) is not None:
        left = "" if job["left_s"] is None else f", {_span(job['left_s'])} left"
        lines.append(f"running     {job['name']} ({job['progress']:.0%}{left})")
    oldest_s, counts = facts["oldest_waiting_s"], facts["counts"]
    lines.append(
        f"queue       {facts['waiting']}" + ("" if oldest_s is None else f", oldest {_span(oldest_s)}")
    )
    lines.append(
        f"so far      {counts.get('done', 0)} done, {counts.get('rejected', 0)} rejected, "
        f"{counts.get('quarantined', 0)} quarantined"
    )
    if "inbox_there" in facts:
        lines += _inbox_lines(facts)
    if facts.get("free_mb") is not None:
        lines.append(f"free space  {facts['free_mb']:,} MB")
    if "troubles" in facts:
        lines += _named_lines("trouble", facts["troubles"], facts["trouble_count"])
    elif facts.get("trouble"):  # of a daemon of an earlier release
        lines.append(f"trouble     {facts['trouble']}")
    return lines


def _inbox_lines(facts: Mapping[str, Any]) -> list[str]:
    age_s = facts["scan_age_s"]
    seen = "not scanned yet" if age_s is None else f"scanned {_span(age_s)} ago"
    lines = [f"inbox       {seen if facts['inbox_there'] else 'missing'}, {facts['settling']} settling"]
    lines += _named_lines("unreadable", facts.get("unread", {}), facts["scan_troubles"])
    lines += _named_lines("not yet", facts["held"], facts["held_count"])
    lines += _named_lines("not used", facts.get("unused", {}), facts.get("unused_count", 0))
    lines += _named_lines("ignored", facts.get("ignored", {}), facts.get("ignored_count", 0))
    if left := facts.get("left"):
        known = {kind: count for kind, count in left.items() if kind in _LEFT_WORDS}
        words = [f"{count} {_LEFT_WORDS[kind][count != 1]}" for kind, count in known.items()]
        lines.append(f"left alone  {', '.join(words)}")
    return lines


def _named_lines(title: str, named: Mapping[str, str], count: int) -> list[str]:
    """A line for each name with its reason, and how many more there are."""
    listed = list(named.items())[:MAX_SHOWN]
    lines = [f"{title:<12}{name}: {why}" for name, why in listed]
    if (more := count - len(listed)) > 0:
        lines.append(f"{title if not listed else '':<12}{'and ' if listed else ''}{more} more")
    return lines


def _as_bytes(path: str) -> bytes:
    try:
        return os.fsencode(path)
    except UnicodeEncodeError as error:
        raise UsageError(f"{path!a} is not a path.") from error


def _span(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 90 * 60:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"
