"""The daemon's replies to requests on the control socket."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from appliance.errors import OutputError, UsageError
from appliance.watch.disk.folders import exists
from appliance.watch.inbox.intake import Intake
from appliance.watch.journal.journal import Journal
from appliance.watch.journal.states import FINAL
from appliance.watch.reports.logs import NOTICE, log
from appliance.watch.service.control import Peer
from appliance.watch.service.pauses import Pauses
from appliance.watch.service.snapshot import Snapshot
from appliance.watch.service.telling import asked_job, history_facts

_LONGEST_HISTORY = 100_000
_LONGEST_REASON = 500


class Answers:
    """One method per request. An invalid request raises BacklineError.

    ``snapshot`` returns the daemon's current status; ``reload`` makes it read the settings again.
    """

    def __init__(
        self,
        journal: Journal,
        intake: Intake,
        pauses: Pauses,
        inbox: Path,
        snapshot: Callable[[], Snapshot],
        reload: Callable[[], None],
    ) -> None:
        self._journal, self._intake, self._pauses, self._inbox = journal, intake, pauses, inbox
        self._snapshot, self._read_settings = snapshot, reload

    def answer(self, request: dict[str, Any], peer: Peer) -> Mapping[str, Any]:
        """The reply to ``request``, one of ``control.REQUESTS``. Raises BacklineError if it is invalid."""
        asked = str(request["ask"])
        if asked not in ("status", "history"):
            log(NOTICE, "Asked.", what=asked, pid=peer.pid, uid=peer.uid, gid=peer.gid)
        reply: Mapping[str, Any] = getattr(self, "_" + asked.replace("-", "_"))(request)
        return reply

    def _status(self, request: dict[str, Any]) -> dict[str, Any]:
        return {"status": self._snapshot().to_json()}

    def _history(self, request: dict[str, Any]) -> dict[str, Any]:
        limit = request.get("limit", 20)
        if not isinstance(limit, int) or not 1 <= limit <= _LONGEST_HISTORY:
            raise UsageError(f"limit must be a number from 1 to {_LONGEST_HISTORY:,}.")
        return {"jobs": history_facts(self._journal, limit)}

    def _requeue(self, request: dict[str, Any]) -> dict[str, Any]:
        job = asked_job(self._journal, request)
        if job.state in FINAL:
            if not exists(self._inbox, job.relpath):
                raise OutputError(
                    f"{job.shown} is not in the inbox; move it back there, and it is queued by itself."
                )
        elif job.state != "waiting":
            raise OutputError(f"{job.shown} is {job.state} already; wait until that has ended.")
        self._journal.requeue(job.id)
        self._intake.offer_again(job.relpath)
        return {"vocal": job.shown}

    def _pause(self, request: dict[str, Any]) -> dict[str, Any]:
        reason = str(request.get("reason") or "paused by hand")[:_LONGEST_REASON]
        self._journal.pause(reason)
        self._pauses.set("asked", reason)
        return {}

    def _resume(self, request: dict[str, Any]) -> dict[str, Any]:
        self._journal.resume()
        self._pauses.set("asked", None)
        return {}

    def _scan_now(self, request: dict[str, Any]) -> dict[str, Any]:
        self._intake.last_scan_s = None
        return {}

    def _reload(self, request: dict[str, Any]) -> dict[str, Any]:
        self._read_settings()
        return {}
