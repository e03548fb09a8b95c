"""Health check of the service: it must start in time and report a loaded pack."""

from __future__ import annotations

import json
import subprocess
import time
from typing import Any

from appliance.errors import ReleaseError
from appliance.releases.layout import Layout
from appliance.releases.systemd_units import SystemdUnits

READY_LIMIT_S = 600.0
"""Time for the service to become ready: the time that it allows its engine to load."""

ANSWER_LIMIT_S = 120.0
"""Time from ready to a healthy status. The service restarts an engine that dies within it."""

_POLL_INTERVAL_S = 0.5
_STATUS_LIMIT_S = 30.0


def check_health(
    layout: Layout, ready_limit_s: float = READY_LIMIT_S, answer_limit_s: float = ANSWER_LIMIT_S
) -> str:
    """Restart the service and wait until it is healthy; returns a sentence for the user.

    Nothing is restarted where systemd does not run. Raises ReleaseError if the service stays unhealthy.
    """
    systemd = SystemdUnits(layout)
    if not systemd.systemd_runs:
        return "systemd does not run here, so the service was not started; it starts with the computer."
    systemd.restart(ready_limit_s)
    give_up_s = time.monotonic() + answer_limit_s
    while trouble := _trouble(_status(layout)):
        if time.monotonic() > give_up_s:
            raise ReleaseError(f"The service started, but {trouble}")
        time.sleep(_POLL_INTERVAL_S)
    return "The service is ready and answers."


def _trouble(facts: dict[str, Any]) -> str:
    """Why a service with this status is unhealthy; '' if it is healthy.

    A missing inbox or a full disk is not the release's fault; a pack that does not load may be.
    """
    state, pack = facts.get("state"), facts.get("pack")
    if not facts or state in (None, "down", "starting"):
        return "does not answer."
    if trouble := facts.get("pack_trouble"):
        return f"says: {trouble}"
    if pack is None:
        return f"has no pack loaded: {facts.get('paused') or 'it gives no reason.'}"
    return ""


def _status(layout: Layout) -> dict[str, Any]:
    """The status that the service reports; empty if there is none or it cannot be parsed."""
    try:
        done = subprocess.run(
            [str(layout.program), "status", "--json"], stdin=subprocess.DEVNULL, capture_output=True,
            timeout=_STATUS_LIMIT_S, check=False,
        )  # fmt: skip
        facts = json.loads(done.stdout)
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return {}
    return facts if isinstance(facts, dict) else {}
