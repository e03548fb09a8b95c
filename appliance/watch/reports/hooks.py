"""Hooks: commands of the administrator that run after a result, a rejection or a pause.

The command line is split as by a shell but runs without one. ``BACKLINE_*`` environment variables describe
the event. One hook runs at a time, for a minute at most. A hook can neither delay nor fail a job.
"""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
from collections import deque
from collections.abc import Mapping
from contextlib import suppress

from appliance.errors import OutputError
from appliance.watch.reports.logs import INFO, WARNING, log

LIMIT_S = 60.0
MAX_WAITING = 100
"""Events that may wait: if every hook hangs, the queue must not fill the memory."""


class Hooks:
    """Runs ``commands`` (event to command line) when events occur. Call :meth:`poll` often."""

    def __init__(self, commands: Mapping[str, str]) -> None:
        self.commands = commands
        self._waiting: deque[tuple[str, dict[str, str]]] = deque()
        self._running: subprocess.Popen[bytes] | None = None
        self._event = ""
        self._until_s = 0.0
        self.troubles: dict[str, str] = {}
        """By event: why its last hook failed; gone once one of that event succeeds."""

    def trigger(self, event: str, **facts: str | bytes | int) -> None:
        """Queue the hook of ``done``, ``rejected`` or ``paused``; ``facts`` become environment variables."""
        if not self.commands.get(event):
            return
        if len(self._waiting) >= MAX_WAITING:
            log(WARNING, "A hook was dropped: too many are waiting.", event=event)
            return
        self._waiting.append((event, {f"BACKLINE_{key.upper()}": _text(v) for key, v in facts.items()}))

    def poll(self, now_s: float) -> None:
        """Kill a hook that has run too long and start the next one. ``now_s`` is monotonic seconds."""
        if self._running is not None:
            if self._running.poll() is None:
                if now_s >= self._until_s:
                    self._end(f"ran longer than {LIMIT_S:.0f} s")
                return
            if self._running.returncode:
                log(WARNING, "A hook failed.", event=self._event, code=self._running.returncode)
                self.troubles[self._event] = f"the command failed with status {self._running.returncode}"
            else:
                self.troubles.pop(self._event, None)
            self._running = None
        while self._waiting and self._running is None:
            self._start(*self._waiting.popleft(), now_s)

    @property
    def busy(self) -> bool:
        """Whether a hook runs or waits."""
        return self._running is not None or bool(self._waiting)

    def stop(self) -> None:
        """Kill the running hook and drop the waiting ones."""
        self._waiting.clear()
        if self._running is not None and self._running.poll() is None:
            self._end("the service stops")

    def _start(self, event: str, facts: dict[str, str], now_s: float) -> None:
        environment = {**os.environ, "BACKLINE_EVENT": event, **facts}
        environment.pop("NOTIFY_SOCKET", None)  # a hook must not notify systemd as the service
        try:
            self._running = subprocess.Popen(
                shlex.split(self.commands.get(event, "")),
                stdin=subprocess.DEVNULL,
                stdout=2,
                env=environment,
                start_new_session=True,
            )
        except (OSError, ValueError, IndexError) as error:
            log(WARNING, "A hook cannot be started.", event=event, reason=str(error))
            self.troubles[event] = f"the command cannot be started: {error}"
            return
        self._event, self._until_s = event, now_s + LIMIT_S
        log(INFO, "Hook started.", event=event, pid=self._running.pid)

    def _end(self, reason: str) -> None:
        assert self._running is not None
        log(WARNING, "A hook was killed.", event=self._event, reason=reason)
        self.troubles[self._event] = f"the command was ended: {reason}"
        with suppress(ProcessLookupError):
            os.killpg(self._running.pid, signal.SIGKILL)
        self._running.wait()
        self._running = None


def run_now(event: str, command: str, environment: Mapping[str, str]) -> None:
    """Run one hook and wait for it. Raises OutputError unless it succeeds within :data:`LIMIT_S` seconds."""
    try:
        words = shlex.split(command)
        with subprocess.Popen(
            words,
            stdin=subprocess.DEVNULL,
            env={**environment, "BACKLINE_EVENT": event},
            start_new_session=True,
        ) as hook:
            try:
                code = hook.wait(LIMIT_S)
            except subprocess.TimeoutExpired:
                os.killpg(hook.pid, signal.SIGKILL)
                raise
    except (OSError, ValueError, IndexError, subprocess.TimeoutExpired) as error:
        raise OutputError(f"hooks.{event}: the command cannot be run ({error}); check it.") from error
    if code:
        raise OutputError(f"hooks.{event}: the command failed with status {code}: {command}")


def _text(value: str | bytes | int) -> str:
    text = os.fsdecode(value) if isinstance(value, bytes) else str(value)
    return text.replace("\0", "")
