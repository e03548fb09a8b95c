"""The control socket: a unix socket in the state folder that takes requests to the running daemon.

Request and reply are one line of JSON each. A request is an object with ``"ask"``, a reply one with ``"ok"``;
if that is false, ``"error"`` is a sentence. File permissions (0660) control access; the daemon logs clients.

==============  =======================================  =========================================
ask             with                                     reply
==============  =======================================  =========================================
``status``                                               ``status``: :meth:`.Snapshot.to_json`
``history``     ``limit``                                ``jobs``: :func:`.telling.history_facts`
``requeue``     ``job`` (number) or ``path`` (string)    ``vocal``: its path in printable form
``pause``       ``reason``
``resume``
``scan-now``
``reload``
==============  =======================================  =========================================

A path is a string as :func:`os.fsdecode` returns it.

The server runs in the daemon's selector loop and never blocks: lines have a maximum length, and slow clients
are dropped. The ``data`` of each selector key is a function that the loop calls with the event mask.
"""

from __future__ import annotations

import json
import os
import selectors
import socket
import struct
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from appliance.errors import BacklineError, OutputError

SOCKET_NAME = "backline.sock"
REQUESTS = ("status", "history", "requeue", "pause", "resume", "scan-now", "reload")

LONGEST_REQUEST = 65_536
"""Bytes of a request: a path may have 4,096 bytes, each escaped."""

LONGEST_REPLY = 64 << 20
"""Bytes of a reply (64 MiB)."""
MAX_CLIENTS = 16
CLIENT_TIMEOUT_S = 10.0


class Peer(NamedTuple):
    """Process, user and group number of a client, as the kernel reports them."""

    pid: int
    uid: int
    gid: int


Answer = Callable[[dict[str, Any], Peer], Mapping[str, Any]]
"""Takes a request and returns the reply without ``"ok": true``; a BacklineError becomes ``"error"``."""


@dataclass(slots=True)
class _Client:
    socket: socket.socket
    peer: Peer
    since_s: float
    received: bytearray = field(default_factory=bytearray)
    to_send: memoryview | None = None


class Control:
    """The server of the control socket. ``answer`` runs in the loop's thread and must be quick.

    Call :meth:`drop_slow_clients` regularly. ``clock`` returns monotonic seconds. Raises OutputError if the
    socket cannot be created.
    """

    def __init__(
        self, state: Path, selector: selectors.BaseSelector, answer: Answer, clock: Callable[[], float]
    ) -> None:
        self._path = state / SOCKET_NAME
        self._selector = selector
        self._answer = answer
        self._clock = clock
        self._clients: dict[int, _Client] = {}
        self._listener = _listen(state)
        selector.register(self._listener, selectors.EVENT_READ, self._accept)

    def close(self) -> None:
        """Drop all clients, stop listening and remove the socket."""
        for client in list(self._clients.values()):
            self._drop(client)
        self._selector.unregister(self._listener)
        self._listener.close()
        with suppress(OSError):
            self._path.unlink()

    def drop_slow_clients(self) -> None:
        """Drop clients that send no request or do not read their reply for too long.

        Each is served once more before, because this loop may have been the slow one.
        """
        now_s = self._clock()
        for client in list(self._clients.values()):
            if now_s - client.since_s > CLIENT_TIMEOUT_S:
                self._serve(client, selectors.EVENT_READ)
                self._drop(client)

    def _accept(self, mask: int) -> None:
        try:
            connection, _ = self._listener.accept()
        except OSError:
            return  # the client has closed already, or no descriptor is free: the next round retries
        if len(self._clients) >= MAX_CLIENTS:
            connection.close()
            return
        connection.setblocking(False)
        client = _Client(connection, _peer(connection), self._clock())
        self._clients[connection.fileno()] = client
        self._selector.register(connection, selectors.EVENT_READ, lambda mask: self._serve(client, mask))

    def _serve(self, client: _Client, mask: int) -> None:
        try:
            if client.to_send is not None:
                self._send(client)
            else:
                self._receive(client)
        except BlockingIOError:
            pass
        except OSError:
            self._drop(client)

    def _receive(self, client: _Client) -> None:
        data = client.socket.recv(LONGEST_REQUEST)
        client.received += data
        line, newline, _ = client.received.partition(b"\n")
        if newline:
            client.to_send = memoryview(self._reply(bytes(line), client.peer))
            self._selector.modify(
                client.socket, selectors.EVENT_WRITE, self._selector.get_key(client.socket).data
            )
            self._send(client)
        elif not data or len(client.received) > LONGEST_REQUEST:
            self._drop(client)

    def _send(self, client: _Client) -> None:
        assert client.to_send is not None
        client.to_send = client.to_send[client.socket.send(client.to_send) :]
        if not client.to_send:
            self._drop(client)

    def _reply(self, line: bytes, peer: Peer) -> bytes:
        try:
            request = json.loads(line)
            if not isinstance(request, dict) or request.get("ask") not in REQUESTS:
                raise OutputError(f"Unknown request; the daemon accepts {', '.join(REQUESTS)}.")
            reply = {"ok": True, **self._answer(request, peer)}
        except BacklineError as error:
            reply = {"ok": False, "error": str(error)}
        except (ValueError, RecursionError):
            reply = {"ok": False, "error": "The request is not a line of JSON."}
        return json.dumps(reply).encode("ascii") + b"\n"

    def _drop(self, client: _Client) -> None:
        if self._clients.pop(client.socket.fileno(), None) is not None:
            self._selector.unregister(client.socket)
            client.socket.close()


def ask(state: Path, request: Mapping[str, Any], timeout_s: float = 10.0) -> dict[str, Any] | None:
    """Send ``request`` to the daemon; returns its reply, or None if no daemon listens.

    Raises OutputError if the daemon refuses or does not answer in time, or this user may not ask it.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        client.settimeout(timeout_s)
        try:
            with _ShortName(state) as name:
                client.connect(name)
            client.sendall(json.dumps(request).encode("ascii") + b"\n")
            line = _line(client)
        except (FileNotFoundError, ConnectionRefusedError, NotADirectoryError):
            return None
        except PermissionError as error:
            raise OutputError(
                f"{state / SOCKET_NAME}: this user has no access; run the command as root or as a member of "
                "its group."
            ) from error
        except OSError as error:
            raise OutputError(
                f"The daemon at {state} does not answer ({error}); see 'systemctl status backline'."
            ) from error
    reply: dict[str, Any] = json.loads(line)
    if not reply.pop("ok", False):
        raise OutputError(str(reply.get("error", "The daemon refused.")))
    return reply


def _line(client: socket.socket) -> bytes:
    received = bytearray()
    while not received.endswith(b"\n"):
        data = client.recv(1 << 16)
        if not data or len(received) > LONGEST_REPLY:
            raise ConnectionError("it closed the connection")
        received += data
    return bytes(received)


def _listen(state: Path) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
    try:
        with suppress(FileNotFoundError):
            (state / SOCKET_NAME).unlink()  # left by a killed daemon, as we hold the journal's lock
        mask = os.umask(0o117)
        try:
            with _ShortName(state) as name:
                listener.bind(name)
        finally:
            os.umask(mask)
        listener.listen(MAX_CLIENTS)
    except OSError as error:
        listener.close()
        raise OutputError(
            f"{state / SOCKET_NAME} cannot be created: {error.strerror}; check the folder's permissions."
        ) from error
    return listener


class _ShortName:
    """The socket's path through a descriptor of its folder: a socket address has at most 107 bytes."""

    def __init__(self, state: Path) -> None:
        self._folder = os.open(state, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)

    def __enter__(self) -> str:
        return f"/proc/self/fd/{self._folder}/{SOCKET_NAME}"

    def __exit__(self, *_: object) -> None:
        os.close(self._folder)


def _peer(connection: socket.socket) -> Peer:
    data = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    return Peer(*struct.unpack("3i", data))
