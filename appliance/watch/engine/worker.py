"""The daemon's side of the engine process: start it, send orders, watch it, end it.

No call blocks. A process that was killed is reaped before another one starts, so two never work at once, and
its death is reported only when no process writes to the work folder any more.
"""

from __future__ import annotations

import os
import selectors
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import NamedTuple

from appliance.watch.engine.messages import Done, Failed, Message, Order, Ready, Setup, Tuning, receive, send
from appliance.watch.reports.logs import INFO, WARNING, log

START_LIMIT_S = 600.0
"""Time limit for loading the engine, long enough for a slow disk."""


class Death(NamedTuple):
    """The end of an engine process: its running order, if any, and why it ended."""

    order: Order | None
    why: str
    intended: bool
    """Whether the daemon ended it for a reason that is not the order's fault."""


class Worker:
    """One engine process. Callbacks (:meth:`listen`) are called from :meth:`poll` and from the selector."""

    def __init__(
        self,
        selector: selectors.BaseSelector,
    ) -> None:
        self._selector = selector
        self._on_message: Callable[[Message], None] = _ignore
        self._on_death: Callable[[Death], None] = _ignore
        self._process: subprocess.Popen[bytes] | None = None
        self._channel: socket.socket | None = None
        self._why = ""
        self._intended = False
        self._until_s = float("inf")
        self.ready: Ready | None = None
        self.tuning = Tuning(1.0, "")
        self.order: Order | None = None

    def listen(self, on_message: Callable[[Message], None], on_death: Callable[[Death], None]) -> None:
        """Set the callbacks for messages and for the end of the process."""
        self._on_message, self._on_death = on_message, on_death

    @property
    def running(self) -> bool:
        """Whether there is a process, including one that was killed and is not reaped yet."""
        return self._process is not None

    @property
    def idle(self) -> bool:
        """Whether the engine can take an order."""
        return self.ready is not None and self.order is None and self._channel is not None

    @property
    def pid(self) -> int:
        """The process id; 0 without a process."""
        return 0 if self._process is None else self._process.pid

    def start(self, setup: Setup, now_s: float) -> None:
        """Start a process. Raises OSError."""
        assert self._process is None
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        command = [sys.executable, "-m", "appliance.watch.engine.child", str(os.getpid())]
        hidden = ("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID")
        try:
            self._process = subprocess.Popen(
                [*command, str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                pass_fds=(theirs.fileno(),),
                cwd="/",
                env={name: value for name, value in os.environ.items() if name not in hidden},
                start_new_session=True,
            )
        except BaseException:
            ours.close()
            raise
        finally:
            theirs.close()
        ours.setblocking(False)
        self._channel, self._why, self._intended = ours, "", False
        self._until_s = now_s + START_LIMIT_S
        self._selector.register(ours, selectors.EVENT_READ, self._readable)
        log(INFO, "Engine starts.", pid=self._process.pid)
        with suppress(OSError):  # poll() notices a process that died at once
            send(ours, setup)

    def give(self, order: Order, until_s: float) -> None:
        """Send an order with the deadline ``until_s`` (monotonic seconds). Only when :attr:`idle`."""
        assert self._channel is not None and self.idle
        self.order, self._until_s = order, until_s
        with suppress(OSError):  # as above
            send(self._channel, order)

    def set_deadline(self, until_s: float) -> None:
        """Change the deadline of the running order."""
        self._until_s = until_s

    def end(self, why: str, *, intended: bool) -> None:
        """Kill the process and its decoder. ``intended`` means that the order is not at fault."""
        if self._process is None or self._channel is None:
            return
        log(INFO if intended else WARNING, "Engine is ended.", pid=self._process.pid, why=why)
        self._why, self._intended = why, intended
        self._hang_up()

    def poll(self, now_s: float) -> None:
        """Kill a process that takes too long, and report the end of one."""
        if self._process is None:
            return
        if self._channel is not None and now_s >= self._until_s:
            what = "took too long" if self.order is not None else "did not get ready"
            self.end(what, intended=False)
        code = self._process.poll()
        if code is None:
            return
        self._drain()
        self._hang_up()
        why = self._why or _ending(code)
        death = Death(self.order, why, self._intended)
        self._process, self.ready, self.order, self._until_s = None, None, None, float("inf")
        self._on_death(death)

    def _drain(self) -> None:
        """Process the messages that the process sent before it died, unless the daemon killed it."""
        while self._channel is not None and self._readable(selectors.EVENT_READ):
            pass

    def _readable(self, mask: int) -> bool:
        """Process one message; returns False if there was none."""
        if self._channel is None:
            return False
        try:
            message = receive(self._channel)
        except BlockingIOError:
            return False
        except (OSError, ValueError, KeyError, TypeError) as error:
            log(WARNING, "The engine sent an invalid message.", reason=str(error))
            message = None
        if message is None:
            self._hang_up()
            return False
        if isinstance(message, Ready):
            self.ready, self._until_s = message, float("inf")
            self.tuning = Tuning(1.0, message.profile)
        elif isinstance(message, Tuning):
            self.tuning = message
        elif isinstance(message, Done | Failed):
            self.order, self._until_s = None, float("inf")
        self._on_message(message)
        return True

    def _hang_up(self) -> None:
        """Close the channel and kill the whole session."""
        if self._channel is None or self._process is None:
            return
        self._selector.unregister(self._channel)
        self._channel.close()
        self._channel = None
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)


def _ending(code: int) -> str:
    if code >= 0:
        return f"ended with status {code}"
    with suppress(ValueError):
        return f"was killed by {signal.Signals(-code).name}"
    return f"was killed by signal {-code}"


def _ignore(_: object) -> None:
    """The default callback."""
