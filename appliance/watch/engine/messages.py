"""Messages between daemon and engine process: one JSON object per packet (``SOCK_SEQPACKET``).

The daemon sends one :class:`Setup`, then one :class:`Order` at a time. The engine answers with
:class:`Ready`, sends :class:`Progress`, and ends each order with :class:`Done` or :class:`Failed`. Between
orders it may send :class:`Tuning`.
"""

from __future__ import annotations

import json
import socket
from dataclasses import asdict, dataclass

from appliance.watch.engine.failures import Kind

SETTINGS_NAME = "settings.json"
"""File in the work folder of an order with its settings, the journal's canonical JSON."""

LONGEST_BYTES = 1 << 17


@dataclass(frozen=True, slots=True)
class Setup:
    """The pack to load, and the limits of decoding.

    ``profiles`` is the folder of profiles, '' for none; ``tune`` tells whether to measure this CPU.
    """

    pack: str
    work: str
    threads: int
    memory_bytes: int
    cpu_s: int
    wall_s: float
    profiles: str = ""
    tune: bool = False


@dataclass(frozen=True, slots=True)
class Order:
    """Render the file ``source`` below ``inbox``, with hash ``sha256``, to the folder ``work/result``.

    ``title`` is the recording's name in errors, ``stem`` the name of its results. Invalid UTF-8 in paths is
    escaped as in PEP 383. The settings are a file in ``work``, because they can be longer than a packet.
    ``reserve_bytes`` of disk space must remain free. ``reference`` is the file below ``inbox`` that the
    settings name with ``like_name``, '' for none.
    """

    job: int
    key: str
    inbox: str
    source: str
    title: str
    stem: str
    sha256: str
    work: str
    reserve_bytes: int
    file_mode: int
    folder_mode: int
    group_id: int | None
    reference: str = ""


@dataclass(frozen=True, slots=True)
class Ready:
    """The graphs are compiled and the decoder works; ``profile`` is the hash of the profile in use."""

    pack: str
    version: str
    sha256: str
    styles: list[str]
    profile: str = ""


@dataclass(frozen=True, slots=True)
class Tuning:
    """Progress of measuring the CPU: the share that is done, and the hash of the profile in use."""

    share: float
    profile: str


@dataclass(frozen=True, slots=True)
class Progress:
    """The share of the order that is done; the length of the audio in seconds, once known."""

    job: int
    share: float
    duration_s: float | None = None


@dataclass(frozen=True, slots=True)
class Done:
    """``work/result`` is complete and synced to the disk."""

    job: int


@dataclass(frozen=True, slots=True)
class Failed:
    """There is no result; ``job`` is 0 if the engine itself cannot start."""

    job: int
    kind: Kind
    sentence: str
    errno: int = 0


Message = Setup | Order | Ready | Tuning | Progress | Done | Failed

_KINDS = {kind.__name__: kind for kind in (Setup, Order, Ready, Tuning, Progress, Done, Failed)}


def send(channel: socket.socket, message: Message) -> None:
    """Send a message. Raises OSError."""
    channel.send(json.dumps({"say": type(message).__name__, **asdict(message)}).encode("ascii"))


def receive(channel: socket.socket) -> Message | None:
    """The next message; None if the other side has closed the channel. Raises BlockingIOError if none is
    there yet on a non-blocking channel."""
    try:
        data = channel.recv(LONGEST_BYTES)
    except ConnectionResetError:
        return None
    if not data:
        return None
    words = json.loads(data)
    message: Message = _KINDS[words.pop("say")](**words)
    return message
