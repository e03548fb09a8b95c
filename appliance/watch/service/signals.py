"""Signals as flags: each signal writes a byte to a pipe, which the main loop reads."""

from __future__ import annotations

import os
import selectors
import signal
from contextlib import suppress

_TAKEN = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD)


class Signals:
    """``stops`` counts SIGTERM and SIGINT; SIGHUP sets ``reload``, which the loop resets.

    SIGCHLD only wakes the loop. Create it in the main thread.
    """

    def __init__(self, selector: selectors.BaseSelector) -> None:
        self.stops = 0
        self.reload = False
        self._selector = selector
        self._read, self._write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._before = {number: signal.signal(number, _nothing) for number in _TAKEN}
        self._wakeup = signal.set_wakeup_fd(self._write, warn_on_full_buffer=False)
        selector.register(self._read, selectors.EVENT_READ, self._readable)

    def close(self) -> None:
        """Restore the previous handlers."""
        signal.set_wakeup_fd(self._wakeup)
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._selector.unregister(self._read)
        os.close(self._read)
        os.close(self._write)

    def ask_for_reload(self) -> None:
        """Set ``reload``, as SIGHUP does."""
        self.reload = True

    def _readable(self, mask: int) -> None:
        with suppress(BlockingIOError):
            for number in os.read(self._read, 4096):
                if number in (signal.SIGTERM, signal.SIGINT):
                    self.stops += 1
                elif number == signal.SIGHUP:
                    self.reload = True


def _nothing(number: int, frame: object) -> None:
    """Without a handler, Python does not write the signal to the pipe."""
