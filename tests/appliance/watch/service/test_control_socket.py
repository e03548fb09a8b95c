"""The control socket: no client, however hostile or slow, stops the daemon's loop."""

from __future__ import annotations

import os
import selectors
import socket
import stat
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from appliance.errors import OutputError, UsageError
from appliance.watch.service import control
from appliance.watch.service.control import LONGEST_REQUEST, SOCKET_NAME, Control, Peer, ask

Asked = list[tuple[dict[str, Any], Peer]]


class Loop:
    """A loop that only answers requests."""

    def __init__(self, state: Path) -> None:
        self.asked: Asked = []
        self.now_s = 0.0
        self.selector = selectors.DefaultSelector()
        self.control = Control(state, self.selector, self.answer, lambda: self.now_s)

    def answer(self, request: dict[str, Any], peer: Peer) -> Mapping[str, Any]:
        self.asked.append((request, peer))
        if request["ask"] == "pause":
            raise UsageError("Not now.")
        return {"echo": request, "long": "x" * request.get("size", 0)}

    def turn(self, seconds: float = 0.0) -> None:
        for key, mask in self.selector.select(seconds):
            key.data(mask)

    def while_(self, work: Callable[[], Any]) -> Any:
        """Run ``work`` in a thread, and the loop until it has ended."""
        results: list[Any] = []

        def run() -> None:
            try:
                results.append(work())
            except Exception as error:
                results.append(error)

        thread = threading.Thread(target=run)
        thread.start()
        while thread.is_alive():
            self.turn(0.01)
        if isinstance(results[0], Exception):
            raise results[0]
        return results[0]


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """A folder whose path is too long for a socket address."""
    folder = tmp_path / ("deep" * 30)
    folder.mkdir()
    return folder


@pytest.fixture
def loop(state: Path) -> Iterator[Loop]:
    made = Loop(state)
    yield made
    made.control.close()
    made.selector.close()


def raw(state: Path) -> socket.socket:
    client = socket.socket(socket.AF_UNIX)
    folder = os.open(state, os.O_RDONLY)
    client.connect(f"/proc/self/fd/{folder}/{SOCKET_NAME}")
    os.close(folder)
    client.settimeout(10)
    return client


def test_question_and_answer(loop: Loop, state: Path) -> None:
    path = os.fsdecode(b"a\n\xff.wav")
    reply = loop.while_(lambda: ask(state, {"ask": "requeue", "path": path}))
    assert reply["echo"] == {"ask": "requeue", "path": path}
    ((_, peer),) = loop.asked
    assert peer == (os.getpid(), os.getuid(), os.getgid())
    assert stat.S_IMODE((state / SOCKET_NAME).stat().st_mode) == 0o660
    assert len(loop.while_(lambda: ask(state, {"ask": "history", "size": 5_000_000}))["long"]) == 5_000_000


def test_refusals_are_sentences(loop: Loop, state: Path) -> None:
    with pytest.raises(OutputError, match=r"^Not now\.$"):
        loop.while_(lambda: ask(state, {"ask": "pause"}))
    with pytest.raises(OutputError, match="accepts status"):
        loop.while_(lambda: ask(state, {"ask": "format disk"}))


@pytest.mark.parametrize("line", [b"nonsense\n", b"[1]\n", b"[" * 50_000 + b"\n", b"\xff\n", b"\n"])
def test_nonsense_is_answered(loop: Loop, state: Path, line: bytes) -> None:
    with raw(state) as client:
        client.sendall(line)
        reply = loop.while_(lambda: client.recv(1000))
    assert b'"ok": false' in reply
    assert loop.asked == []


def test_an_endless_line_is_cut_off(loop: Loop, state: Path) -> None:
    with raw(state) as client:
        client.setblocking(False)
        for _ in range(1000):
            try:
                client.send(b"x" * LONGEST_REQUEST)
            except BlockingIOError:
                pass
            except (BrokenPipeError, ConnectionResetError):
                break
            loop.turn()
        else:
            pytest.fail("the daemon read on and on")


def test_slow_clients_are_dropped_and_block_nobody(loop: Loop, state: Path) -> None:
    silent, deaf = raw(state), raw(state)
    deaf.sendall(b'{"ask": "history", "size": 50000000}\n')  # it never reads the reply
    for _ in range(20):
        loop.turn()
    assert loop.while_(lambda: ask(state, {"ask": "status"}))["echo"]
    loop.now_s += control.CLIENT_TIMEOUT_S + 1
    loop.control.drop_slow_clients()
    assert len(loop.selector.get_map()) == 1  # the listener is left
    silent.close()
    deaf.close()


def test_who_waited_for_a_slow_daemon_is_answered(loop: Loop, state: Path) -> None:
    with raw(state) as client:
        client.sendall(b'{"ask": "status"}\n')
        loop.turn()  # accepts only; then the loop is busy for a while
        loop.now_s += control.CLIENT_TIMEOUT_S + 1
        loop.control.drop_slow_clients()
        assert b'"ok": true' in client.recv(1000)


def test_a_crowd_is_turned_away(loop: Loop, state: Path) -> None:
    crowd = []
    for _ in range(control.MAX_CLIENTS + 5):
        crowd.append(raw(state))
        loop.turn()
    assert len(loop.selector.get_map()) == control.MAX_CLIENTS + 1
    for client in crowd:
        client.close()
    for _ in range(control.MAX_CLIENTS):
        loop.turn()
    assert loop.while_(lambda: ask(state, {"ask": "status"}))["echo"]


def test_nobody_listens(state: Path) -> None:
    assert ask(state, {"ask": "status"}) is None
    assert ask(state / "missing", {"ask": "status"}) is None


def test_the_socket_of_a_killed_daemon_is_replaced(state: Path) -> None:
    killed = socket.socket(socket.AF_UNIX)
    folder = os.open(state, os.O_RDONLY)
    killed.bind(f"/proc/self/fd/{folder}/{SOCKET_NAME}")
    os.close(folder)
    killed.close()
    assert ask(state, {"ask": "status"}) is None
    loop = Loop(state)
    assert loop.while_(lambda: ask(state, {"ask": "status"}))["echo"]
    loop.control.close()
    assert not (state / SOCKET_NAME).exists()
