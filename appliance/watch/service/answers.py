"""What the daemon answers to those who ask over the socket."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from appliance.errors import OutputError, UsageError
from appliance.watch.disk.folders import exists
from appliance.watch.journal.states import FINAL
from appliance.watch.reports.logs import NOTICE, log
from appliance.watch.service.control import Peer
from appliance.watch.service.telling import asked_job, history_facts

if TYPE_CHECKING:
    from appliance.watch.service.daemon import Daemon

_LONGEST_HISTORY = 100_000
_LONGEST_REASON = 500


class Answers:
    """One method a request. Raises BacklineError where the request makes no sense."""

    def __init__(self, daemon: Daemon) -> None:
        self._daemon = daemon

    def answer(self, request: dict[str, Any], peer: Peer) -> Mapping[str, Any]:
        """The reply to ``request``, which asks for one of ``control.REQUESTS``."""
        asked = str(request["ask"])
        if asked not in ("status", "history"):
            log(NOTICE, "Asked.", what=asked, pid=peer.pid, uid=peer.uid, gid=peer.gid)
        reply: Mapping[str, Any] = getattr(self, "_" + asked.replace("-", "_"))(request)
        return reply

    def _status(self, request: dict[str, Any]) -> dict[str, Any]:
        return {"status": self._daemon.outlets.snapshot(time.monotonic()).to_json()}

    def _history(self, request: dict[str, Any]) -> dict[str, Any]:
        limit = request.get("limit", 20)
        if not isinstance(limit, int) or not 1 <= limit <= _LONGEST_HISTORY:
            raise UsageError(f"limit: a number from 1 to {_LONGEST_HISTORY:,}.")
        return {"jobs": history_facts(self._daemon.journal, limit)}

    def _requeue(self, request: dict[str, Any]) -> dict[str, Any]:
        daemon = self._daemon
        job = asked_job(daemon.journal, request)
        if job.state in FINAL:
            if not exists(daemon.config.folders.inbox, job.relpath):
                raise OutputError(f"{job.shown} is not in the inbox; move it back there, which is enough.")
        elif job.state != "waiting":
            raise OutputError(f"{job.shown} is {job.state} and needs no queue.")
        daemon.journal.requeue(job.id)
        daemon.intake.again(job.relpath)
        return {"vocal": job.shown}

    def _pause(self, request: dict[str, Any]) -> dict[str, Any]:
        reason = str(request.get("reason") or "paused by hand")[:_LONGEST_REASON]
        self._daemon.journal.pause(reason)
        self._daemon.pauses.set("asked", reason)
        return {}

    def _resume(self, request: dict[str, Any]) -> dict[str, Any]:
        self._daemon.journal.resume()
        self._daemon.pauses.set("asked", None)
        return {}

    def _scan_now(self, request: dict[str, Any]) -> dict[str, Any]:
        self._daemon.intake.last_look_s = None
        return {}

    def _reload(self, request: dict[str, Any]) -> dict[str, Any]:
        self._daemon.signals.reload = True
        return {}
