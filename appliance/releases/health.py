"""Does the service of the current release work: ready in time, and does it answer with a pack loaded?"""

from __future__ import annotations

import json
import subprocess
import time
from typing import Any

from appliance.errors import ReleaseError
from appliance.releases.layout import Layout
from appliance.releases.systemd_units import System

READY_LIMIT_S = 600.0
"""As long as the service gives its engine to load."""

ANSWER_LIMIT_S = 120.0
"""From ready to an answer that says so; an engine that dies is started again meanwhile."""

_ASK_EVERY_S = 0.5
_ONE_ANSWER_S = 30.0


def check_health(
    layout: Layout, ready_limit_s: float = READY_LIMIT_S, answer_limit_s: float = ANSWER_LIMIT_S
) -> str:
    """Starts the service anew and looks whether it works; a sentence. Raises ReleaseError."""
    system = System(layout)
    if not system.runs:
        return "systemd does not run here, so the service was not tried; it starts with the computer."
    system.restart(ready_limit_s)
    give_up_s = time.monotonic() + answer_limit_s
    while trouble := _trouble(_status(layout)):
        if time.monotonic() > give_up_s:
            raise ReleaseError(f"The service started, but {trouble}")
        time.sleep(_ASK_EVERY_S)
    return "The service is ready and answers."


def _trouble(facts: dict[str, Any]) -> str:
    """What keeps a service with this status from being healthy; '' if nothing does.

    A missing inbox or a full disk is no fault of the release; a pack that does not load may be.
    """
    state, pack = facts.get("state"), facts.get("pack")
    if not facts or state in (None, "down", "starting"):
        return "does not answer."
    if trouble := facts.get("pack_trouble"):
        return f"says: {trouble}"
    if pack is None:
        return f"has no pack loaded: {facts.get('paused') or 'it does not say why.'}"
    return ""


def _status(layout: Layout) -> dict[str, Any]:
    """What the service says of itself; empty where it says nothing that can be understood."""
    try:
        done = subprocess.run(
            [str(layout.program), "status", "--json"], stdin=subprocess.DEVNULL, capture_output=True,
            timeout=_ONE_ANSWER_S, check=False,
        )  # fmt: skip
        facts = json.loads(done.stdout)
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return {}
    return facts if isinstance(facts, dict) else {}
