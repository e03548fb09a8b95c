"""Notifications to systemd: ready, watchdog, reloading, stopping, and a status line (sd_notify(3)).

They are datagrams to the socket in ``$NOTIFY_SOCKET``; without it nothing is sent. No call raises or blocks,
because a service manager that does not listen must not stop the work.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Mapping
from contextlib import suppress

from appliance.watch.reports.logs import plain

_FED_SHARE = 0.25
"""Interval between watchdog messages as a share of its period; systemd recommends a half."""


class Notifier:
    """Notifies the service manager that ``environment`` names."""

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        address = environment.get("NOTIFY_SOCKET", "")
        self._address = "\0" + address[1:] if address.startswith("@") else address
        self.watchdog_s = _watchdog_s(environment)
        self._socket: socket.socket | None = None
        self._fed_s: float | None = None
        self._status = ""
        if self._address:
            with suppress(OSError):
                self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
                self._socket.setblocking(False)

    def ready(self) -> None:
        """The service is ready; this also ends a reload."""
        self._send("READY=1")

    def stopping(self) -> None:
        """The service is stopping."""
        self._send("STOPPING=1")

    def reloading(self) -> None:
        """The service reloads its settings until :meth:`ready` is called (``Type=notify-reload``)."""
        self._send(f"RELOADING=1\nMONOTONIC_USEC={time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000}")

    def status(self, sentence: str) -> None:
        """Set the line for ``systemctl status``; sent only if it changed."""
        if sentence != self._status:
            self._status = sentence
            self._send(f"STATUS={plain(sentence)}")

    def feed_watchdog(self, now_s: float) -> None:
        """Send the watchdog message if it is due. ``now_s`` is monotonic seconds."""
        if self.watchdog_s is None:
            return
        if self._fed_s is None or now_s - self._fed_s >= _FED_SHARE * self.watchdog_s:
            self._fed_s = now_s
            self._send("WATCHDOG=1")

    def _send(self, message: str) -> None:
        if self._socket is not None:
            with suppress(OSError):
                self._socket.sendto(message.encode("utf-8", "replace"), os.fsencode(self._address))


def _watchdog_s(environment: Mapping[str, str]) -> float | None:
    """The watchdog's period in seconds; None without a watchdog or if it watches another process."""
    try:
        usec = int(environment.get("WATCHDOG_USEC", "0"))
        pid = int(environment.get("WATCHDOG_PID", str(os.getpid())))
    except ValueError:
        return None
    return usec / 1e6 if usec > 0 and pid == os.getpid() else None
