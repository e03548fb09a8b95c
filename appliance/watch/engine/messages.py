"""What daemon and engine child say to each other: one JSON object a packet (``SOCK_SEQPACKET``).

The daemon sends a :class:`Setup` once and then an :class:`Order` at a time; the engine answers with
:class:`Ready`, any number of :class:`Progress`, and ends each order with :class:`Done` or
:class:`Failed`. Between orders it may tell of its :class:`Tuning`.
"""

from __future__ import annotations

import json
import socket
from dataclasses import asdict, dataclass

from appliance.watch.engine.failures import Kind

SETTINGS_NAME = "settings.json"
"""File in the work folder of an order: the journal's canonical JSON."""

LONGEST_BYTES = 1 << 17


@dataclass(frozen=True, slots=True)
class Setup:
    """What the engine is to load, and what it may spend on decoding a recording.

    ``profiles`` is the folder of profiles for processors, '' for none; ``tune``: whether to measure for one.
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
    """Render the file ``source`` below ``inbox``, of hash ``sha256``, into the folder ``work/result``.

    ``title`` names the recording in sentences, ``stem`` is what its results are called. Paths may hold
    bytes that are no text, as Python keeps them (PEP 383). The settings lie in ``work``, as they can be
    longer than a packet. ``reserve_bytes`` of disk stay free.
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


@dataclass(frozen=True, slots=True)
class Ready:
    """The graphs are compiled and the decoder works; ``profile`` is the hash of the one that is followed."""

    pack: str
    version: str
    sha256: str
    styles: list[str]
    profile: str = ""


@dataclass(frozen=True, slots=True)
class Tuning:
    """Between two orders the processor is measured: the share that is done, the profile that is followed."""

    share: float
    profile: str


@dataclass(frozen=True, slots=True)
class Progress:
    """Share of the order that is done; the length of the audio, once it is known."""

    job: int
    share: float
    duration_s: float | None = None


@dataclass(frozen=True, slots=True)
class Done:
    """``work/result`` is whole and on the disk."""

    job: int


@dataclass(frozen=True, slots=True)
class Failed:
    """Nothing was made; ``job`` is 0 where it is the engine that does not start."""

    job: int
    kind: Kind
    sentence: str
    errno: int = 0


Message = Setup | Order | Ready | Tuning | Progress | Done | Failed

_KINDS = {kind.__name__: kind for kind in (Setup, Order, Ready, Tuning, Progress, Done, Failed)}


def send(channel: socket.socket, message: Message) -> None:
    """Sends a message whole or raises OSError."""
    channel.send(json.dumps({"say": type(message).__name__, **asdict(message)}).encode("ascii"))


def receive(channel: socket.socket) -> Message | None:
    """The next message; None when the other side is gone. BlockingIOError where none is there yet."""
    try:
        data = channel.recv(LONGEST_BYTES)
    except ConnectionResetError:
        return None
    if not data:
        return None
    words = json.loads(data)
    message: Message = _KINDS[words.pop("say")](**words)
    return message
