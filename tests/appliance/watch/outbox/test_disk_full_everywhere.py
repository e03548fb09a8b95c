"""A disk that becomes full at each place where a file is created or written.

A small file system in memory has room for a limited number of files (each creation fails once) or of pages
(each write fails too). For each number the service starts once. It must pause, reject no vocal, and finish by
itself when there is room again.

What is written where, and by which process:

- outbox, by the engine: decoder check, work folder, settings, decoded sound, working sound, stems, mix, MIDI,
  receipt, for each take. :func:`test_the_engine`
- outbox, by the daemon: sub-folder, result's name. archive and rejected, on another file system: sub-folder,
  work folder, copy, its name; folder with ``reason.txt``. :func:`test_the_daemon`
- state: the journal and its WAL at each transaction. :func:`test_the_journal`

Hashing writes nothing, and a move within one file system only needs a name in a folder.
"""

from __future__ import annotations

import errno
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import soundfile
from support.vocals import sung
from support.watch.dropped import drop
from support.watch.in_process import InProcess, config_of
from support.watch.invariants import at_any_moment, sha256, when_quiet

from appliance.composing.wishes import Wishes
from appliance.errors import OutputError
from appliance.rendering.engine import Engine
from appliance.rendering.publication import Publication
from appliance.watch.engine.child import _check_decoder, _Work
from appliance.watch.engine.messages import Done, Order, Setup
from appliance.watch.journal.file import JournalError
from appliance.watch.outbox.publishing import fresh_work
from appliance.watch.settings.config import Config

pytestmark = [pytest.mark.slow, pytest.mark.privileged]

PAGE = 4096
PLENTY = "size=100m,nr_inodes=10000"


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    place = tmp_path / "small"
    place.mkdir()
    if os.geteuid() != 0 or subprocess.run(["mount", "-t", "tmpfs", "none", place], check=False).returncode:
        pytest.skip("only root can mount a small file system here")
    yield place
    subprocess.run(["umount", "-l", place], check=True)


def room(place: Path, options: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{options}", place], check=True)


def limits(place: Path, kind: str, free: int) -> str:
    """Mount options that leave room for ``free`` more files or pages."""
    found = os.statvfs(place)
    if kind == "files":
        return f"size=100m,nr_inodes={found.f_files - found.f_ffree + free}"
    used = (found.f_blocks - found.f_bfree) * found.f_frsize
    return f"size={used + free * PAGE},nr_inodes=10000"


@pytest.mark.parametrize(("kind", "step"), [("files", 1), ("pages", 40)])
def test_the_engine(
    small: Path, tmp_path: Path, fake_pack: Path, monkeypatch: pytest.MonkeyPatch, kind: str, step: int
) -> None:
    """The real engine on one order of two takes, without its check of the free space beforehand."""
    monkeypatch.setattr(Publication, "need_bytes", lambda self, count: None)
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    soundfile.write(inbox / "song.wav", sung(1.0), 44_100)
    named = ("song.wav", "song.wav", "song", sha256(inbox / "song.wav"))
    setup = Setup(str(fake_pack), str(small), 1, 1 << 30, 100, 600.0)
    engine, free, tries = Engine(fake_pack, 1), 1, 0
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, theirs:
        while True:
            room(small, PLENTY)
            work = fresh_work(small, 1, Wishes(takes=2).to_json())
            order = Order(1, "0" * 64, str(inbox), *named, str(work), -(1 << 30), 0o664, 0o2775, None)
            room(small, limits(small, kind, free))
            said = _Work(engine, setup, order, theirs).do()
            drain(ours)
            if isinstance(said, Done):
                break
            assert said.kind == "disk" and said.errno == errno.ENOSPC, said
            tries += 1
            _check_decoder(setup)  # a full disk is no failure of the decoder
            free += step
    assert tries > 8


def drain(channel: socket.socket) -> None:
    """Read all progress messages, so that the channel does not fill up."""
    channel.setblocking(False)
    with suppress(BlockingIOError):
        while channel.recv(1 << 16):
            pass


@pytest.mark.parametrize("kind", ["files", "pages"])
@pytest.mark.parametrize("which", ["outbox", "archive", "rejected"])
def test_the_daemon(small: Path, tmp_path: Path, which: str, kind: str) -> None:
    free = 1  # 0 means unlimited here
    while short_of_room(small, tmp_path / f"life-{free}", which, kind, free):
        free += 1
    assert free > 2


def short_of_room(small: Path, root: Path, which: str, kind: str, free: int) -> bool:
    """Run the daemon with little room, then with plenty; returns whether there was trouble at first."""
    config, dropped = fresh(small, root, which)
    room(small, limits(small, kind, free))
    daemon = InProcess(config)
    trouble = False
    for _ in range(20):
        daemon.round()
        trouble = trouble or daemon.pauses.active("disk") or bool(daemon.putting_away.troubles)
    assert at_any_moment(config.folders, dropped) == [], free
    room(small, PLENTY)
    finished(daemon, dropped)
    return trouble


def fresh(small: Path, root: Path, which: str) -> tuple[Config, dict[str, str]]:
    """Folders, one of them the emptied small file system, and three vocals."""
    room(small, PLENTY)
    for entry in small.iterdir():
        shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
    root.mkdir()
    (root / which).symlink_to(small)
    config = config_of(root)
    return config, drop(root)


def finished(daemon: InProcess, dropped: dict[str, str]) -> None:
    """With enough room, all vocals are finished."""
    daemon.run(20_000)
    assert daemon.journal.counts() == {"done": 2, "rejected": 1}
    assert daemon.pauses.reason is None and not daemon.putting_away.troubles
    daemon.close()
    assert when_quiet(daemon.config.folders, dropped) == []


@pytest.mark.parametrize("kind", ["files", "pages"])
def test_the_journal(small: Path, tmp_path: Path, kind: str) -> None:
    """Without room for the journal's files the daemon does not start; later each transaction may fail."""
    refused, stuck, free = 0, 0, 1
    while True:
        config, dropped = fresh(small, tmp_path / f"life-{free}", "state")
        room(small, limits(small, kind, free))
        try:
            daemon = InProcess(config)
        except OutputError:
            refused += 1
            room(small, PLENTY)
            daemon = InProcess(config)
        trouble = False
        for _ in range(20):
            try:
                daemon.round()
            except JournalError:
                trouble = True
        assert at_any_moment(config.folders, dropped) == [], free
        room(small, PLENTY)
        finished(daemon, dropped)
        stuck += trouble
        if not trouble and free > refused + 1:
            break
        free += 1
    assert refused > 1
    assert stuck > 10 or kind == "files"
