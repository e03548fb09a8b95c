"""Asking the running daemon: a unix socket in the state folder, one line of JSON each way.

A request is an object with ``"ask"``, the reply one with ``"ok"``; where that is false, ``"error"`` is a
sentence. Who may open the socket is a matter of file permissions (0660); who asked is told to the
daemon's log.

==============  =======================================  =========================================
ask             with                                     reply
==============  =======================================  =========================================
``status``                                               ``status``: :meth:`.Status.to_json`
``history``     ``limit``                                ``jobs``: :func:`.telling.history_facts`
``requeue``     ``job`` (number) or ``path`` (string)    ``vocal``: its path, for people
``pause``       ``reason``
``resume``
``scan-now``
``reload``
==============  =======================================  =========================================

A path is a string as :func:`os.fsdecode` makes it.

The server lives in the daemon's selector loop and never blocks: lines are bounded, and a client that is
slow is dropped. Keys of the selector carry as ``data`` a function that takes the event mask; the loop
calls it.
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
"""Bytes: a path may have 4,096, each escaped."""

LONGEST_REPLY = 64 << 20
MOST_CLIENTS = 16
CLIENT_PATIENCE_S = 10.0


class Peer(NamedTuple):
    """Who asks: process, user and group number, as the kernel says."""

    pid: int
    uid: int
    gid: int


Answer = Callable[[dict[str, Any], Peer], Mapping[str, Any]]
"""Takes a request, returns what the reply says beside ``"ok": true``; a BacklineError becomes the error."""


@dataclass(slots=True)
class _Client:
    socket: socket.socket
    peer: Peer
    since_s: float
    received: bytearray = field(default_factory=bytearray)
    to_send: memoryview | None = None


class Control:
    """The server. ``answer`` is called in the loop's thread and must be quick.

    Call :meth:`sweep` now and then: it drops clients that are too slow. ``clock`` is monotonic seconds.
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
        """Stop listening; the socket's name goes."""
        for client in list(self._clients.values()):
            self._drop(client)
        self._selector.unregister(self._listener)
        self._listener.close()
        with suppress(OSError):
            self._path.unlink()

    def sweep(self) -> None:
        """Drop clients that have been silent, or have not read their reply, for too long.

        Each is served once more before: it may be this loop that was slow.
        """
        now_s = self._clock()
        for client in list(self._clients.values()):
            if now_s - client.since_s > CLIENT_PATIENCE_S:
                self._serve(client, selectors.EVENT_READ)
                self._drop(client)

    def _accept(self, mask: int) -> None:
        try:
            connection, _ = self._listener.accept()
        except OSError:
            return  # it has hung up already, or no descriptor is free: the next round tries again
        if len(self._clients) >= MOST_CLIENTS:
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
                raise OutputError(f"The daemon understands {', '.join(REQUESTS)}.")
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
    """The daemon's reply to ``request``; None if no daemon listens there.

    Raises OutputError if it does not answer in time, refuses, or may not be asked by this user.
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
                f"{state / SOCKET_NAME} may not be used by this user; ask as root or in its group."
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
            raise ConnectionError("it hung up")
        received += data
    return bytes(received)


def _listen(state: Path) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
    try:
        with suppress(FileNotFoundError):
            (state / SOCKET_NAME).unlink()  # left by one that was killed; the journal's lock says so
        mask = os.umask(0o117)
        try:
            with _ShortName(state) as name:
                listener.bind(name)
        finally:
            os.umask(mask)
        listener.listen(MOST_CLIENTS)
    except OSError as error:
        listener.close()
        raise OutputError(f"{state / SOCKET_NAME} cannot be made: {error.strerror}.") from error
    return listener


class _ShortName:
    """The socket's address through a descriptor of its folder: an address may have 107 bytes only."""

    def __init__(self, state: Path) -> None:
        self._folder = os.open(state, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)

    def __enter__(self) -> str:
        return f"/proc/self/fd/{self._folder}/{SOCKET_NAME}"

    def __exit__(self, *_: object) -> None:
        os.close(self._folder)


def _peer(connection: socket.socket) -> Peer:
    data = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    return Peer(*struct.unpack("3i", data))
