"""The engine child as the daemon sees it: started, given orders, watched, ended, started again.

Nothing here waits. A child that has been ended is reaped before another one starts, so never two of them
work at once, and a death is told only when nobody writes into the work folder any more.
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
"""Longer than any engine takes to load, even from a slow disk."""


class Death(NamedTuple):
    """A child has ended: how, and with which order under way."""

    order: Order | None
    why: str
    meant: bool
    """Whether the daemon ended it for reasons that are not the order's."""


class Worker:
    """One engine child. ``on_message`` and ``on_death`` are called from :meth:`tend` and the selector."""

    def __init__(
        self,
        selector: selectors.BaseSelector,
    ) -> None:
        self._selector = selector
        self._on_message: Callable[[Message], None] = _unheard
        self._on_death: Callable[[Death], None] = _unheard
        self._process: subprocess.Popen[bytes] | None = None
        self._channel: socket.socket | None = None
        self._why = ""
        self._meant = False
        self._until_s = float("inf")
        self.ready: Ready | None = None
        self.tuning = Tuning(1.0, "")
        self.order: Order | None = None

    def listen(self, on_message: Callable[[Message], None], on_death: Callable[[Death], None]) -> None:
        """Whom to tell what the child says, and that it has ended."""
        self._on_message, self._on_death = on_message, on_death

    @property
    def running(self) -> bool:
        """Whether there is a child, be it one that is about to end."""
        return self._process is not None

    @property
    def idle(self) -> bool:
        """Whether an order can be given."""
        return self.ready is not None and self.order is None and self._channel is not None

    @property
    def pid(self) -> int:
        """The child's process number; 0 without one."""
        return 0 if self._process is None else self._process.pid

    def start(self, setup: Setup, now_s: float) -> None:
        """Starts a child. Raises OSError where that is impossible."""
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
        self._channel, self._why, self._meant = ours, "", False
        self._until_s = now_s + START_LIMIT_S
        self._selector.register(ours, selectors.EVENT_READ, self._readable)
        log(INFO, "Engine starts.", pid=self._process.pid)
        with suppress(OSError):  # one that died at once is noticed by its end
            send(ours, setup)

    def give(self, order: Order, until_s: float) -> None:
        """Hands over an order that may take until ``until_s``. Only when :attr:`idle`."""
        assert self._channel is not None and self.idle
        self.order, self._until_s = order, until_s
        with suppress(OSError):  # as above
            send(self._channel, order)

    def allow(self, until_s: float) -> None:
        """Sets anew how long the order may take."""
        self._until_s = until_s

    def end(self, why: str, *, meant: bool) -> None:
        """Kills the child and its decoder. ``meant``: the order has no part in it."""
        if self._process is None or self._channel is None:
            return
        log(INFO if meant else WARNING, "Engine is ended.", pid=self._process.pid, why=why)
        self._why, self._meant = why, meant
        self._hang_up()

    def tend(self, now_s: float) -> None:
        """Ends what takes too long and tells of deaths."""
        if self._process is None:
            return
        if self._channel is not None and now_s >= self._until_s:
            what = "took too long" if self.order is not None else "did not get ready"
            self.end(what, meant=False)
        code = self._process.poll()
        if code is None:
            return
        self._drain()
        self._hang_up()
        why = self._why or _ending(code)
        death = Death(self.order, why, self._meant)
        self._process, self.ready, self.order, self._until_s = None, None, None, float("inf")
        self._on_death(death)

    def _drain(self) -> None:
        """What the child said before it died counts, unless it was ended."""
        while self._channel is not None and self._readable(selectors.EVENT_READ):
            pass

    def _readable(self, mask: int) -> bool:
        """Takes one message; False if there was none."""
        if self._channel is None:
            return False
        try:
            message = receive(self._channel)
        except BlockingIOError:
            return False
        except (OSError, ValueError, KeyError, TypeError) as error:
            log(WARNING, "Engine said what cannot be understood.", reason=str(error))
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
        """Closes the channel and sees to it that the whole session ends."""
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


def _unheard(_: object) -> None:
    """Until somebody listens."""
