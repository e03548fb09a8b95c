"""Links, pipes, sockets, devices, folders named like audio, and files without read permission."""

from __future__ import annotations

import os
import socket
import stat
from contextlib import suppress
from pathlib import Path

CANARY = b"nobody may read this\n"


def strange_kinds(inbox: Path, outside: Path, good: bytes) -> list[bytes]:
    """Create them in ``inbox``, and their targets in ``outside``; returns the plain files among them."""
    outside.mkdir(exist_ok=True)
    for name in ("secret.wav", "secret.txt", "backline.toml"):
        (outside / name).write_bytes(CANARY)
    _links(inbox, outside)
    _no_files(inbox)
    return [*_hard_links(inbox, good), *_folders(inbox, good), *_closed(inbox, good)]


def _links(inbox: Path, outside: Path) -> None:
    targets = {
        "outside.wav": outside / "secret.wav",
        "passwd.wav": "/etc/passwd",
        "dangling.wav": "nowhere.wav",
        "loop.wav": "loop.wav",
        "endless.wav": "/dev/zero",
        "self.wav": "/proc/self/environ",
        "tree": outside,
        "root": "/",
        "up": "..",
        "round": ".",
        "inside.wav": "linked/one.wav",
        "x" * 100 + ".wav": "/" + "y/" * 1000,
    }
    for name, target in targets.items():
        (inbox / name).symlink_to(target)
    beside = inbox / "links beside"
    beside.mkdir()
    (beside / "backline.toml").symlink_to(outside / "backline.toml")
    (beside / "link.txt").symlink_to(outside / "secret.txt")


def _no_files(inbox: Path) -> None:
    os.mkfifo(inbox / "pipe.wav")
    os.mkfifo(inbox / "pipe.toml")
    here = Path.cwd()
    os.chdir(inbox)  # a socket's path must be short
    try:
        with socket.socket(socket.AF_UNIX) as server:
            server.bind("socket.wav")
    finally:
        os.chdir(here)
    if os.geteuid() == 0:
        with suppress(OSError):
            os.mknod(inbox / "zero.wav", stat.S_IFCHR | 0o666, os.makedev(1, 5))
            os.mknod(inbox / "disk.wav", stat.S_IFBLK | 0o666, os.makedev(7, 200))


def _hard_links(inbox: Path, good: bytes) -> list[bytes]:
    folder = inbox / "linked"
    folder.mkdir()
    (folder / "one.wav").write_bytes(good)
    os.link(folder / "one.wav", folder / "two.wav")
    os.link(folder / "one.wav", inbox / "three.wav")
    return [b"linked/one.wav", b"linked/two.wav", b"three.wav"]


def _folders(inbox: Path, good: bytes) -> list[bytes]:
    (inbox / "folder.wav" / "empty.flac").mkdir(parents=True)
    (inbox / "folder.wav" / "vocal.wav").write_bytes(good[:500])
    (inbox / "marked.wav").write_bytes(good[:700])
    (inbox / "marked.wav.done").mkdir()
    (inbox / "marked.toml").mkdir()
    deep = inbox.joinpath(*["deep"] * 12)
    deep.mkdir(parents=True)
    (deep / "vocal.wav").write_bytes(good)  # deeper than the service scans
    (inbox / "thing").mkdir()
    (inbox / "thing.wav").write_bytes(good[:600])
    # The first rejected file has the name that the others need for a folder.
    (inbox / "thing" / "thing.wav").mkdir()
    (inbox / "thing" / "thing.wav" / "inner.wav").write_bytes(good[:640])
    return [b"folder.wav/vocal.wav", b"marked.wav", b"thing.wav", b"thing/thing.wav/inner.wav"]


def _closed(inbox: Path, good: bytes) -> list[bytes]:
    """Files and a folder without read permission; :func:`hostile.corpus.give_away` keeps their modes."""
    (inbox / "closed.wav").write_bytes(good)
    (inbox / "closed.wav").chmod(0)
    folder = inbox / "closed folder"
    folder.mkdir()
    (folder / "vocal.wav").write_bytes(good)
    folder.chmod(0)
    return [b"closed.wav"]
