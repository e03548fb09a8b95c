"""A temporary SSH server on the loopback interface, and ``sftp``."""

from __future__ import annotations

import getpass
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from support.watch.clients import Between, Copy, cut_off, free_port, listening, missing, run

SLOWLY_S = 2.5
"""Duration of a slow copy."""
SEPARATION = Path("/run/sshd")
"""The server's privilege separation folder, which the system's service normally creates."""


@contextmanager
def served(root: Path) -> Iterator[dict[str, Copy]]:
    """A temporary server with its keys in ``root``, and the ways to copy through it."""
    port, user = free_port(), getpass.getuser()
    root.mkdir(mode=0o700)
    for key in ("host", "user"):
        run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", root / key)
    shutil.copyfile(root / "user.pub", root / "authorized")
    if os.geteuid() == 0:
        SEPARATION.mkdir(mode=0o755, exist_ok=True)
    (root / "config").write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {root}/host\nPidFile {root}/pid\n"
        f"AuthorizedKeysFile {root}/authorized\nStrictModes no\nUsePAM no\nUseDNS no\n"
        "PasswordAuthentication no\nKbdInteractiveAuthentication no\nPermitRootLogin yes\n"
        "MaxStartups 100\nSubsystem sftp internal-sftp\n"
    )
    server_path = shutil.which("sshd")
    assert server_path is not None
    with (
        (root / "out").open("wb") as out,
        subprocess.Popen(
            [server_path, "-D", "-e", "-f", root / "config"], stdin=subprocess.DEVNULL, stdout=out, stderr=out
        ) as server,
    ):
        try:
            listening(port, server, root / "out")
            options = ("StrictHostKeyChecking=no", f"UserKnownHostsFile={root}/known", "LogLevel=ERROR")
            command = ["sftp", "-q", "-P", str(port), "-i", f"{root}/user", "-F", "none"]
            command += [word for option in options for word in ("-o", option)]
            yield _ways(command, f"{user}@127.0.0.1", root)
        finally:
            server.terminate()


def _ways(command: list[str], where: str, root: Path) -> dict[str, Copy]:
    def batch(name: str, words: str) -> list[str]:
        file = root / f"batch {name}"
        file.write_text(words + "\n")
        return ["-b", str(file), where]

    def narrow(vocal: Path) -> str:
        return str(max(1, int(vocal.stat().st_size * 8 / 1024 / SLOWLY_S)))

    def put(vocal: Path, inbox: Path, name: str, between: Between) -> None:
        run(*command, *batch(name, f"put {vocal} {inbox / name}"))

    def put_slowly(vocal: Path, inbox: Path, name: str, between: Between) -> None:
        run(*command, "-l", narrow(vocal), *batch(name, f"put {vocal} {inbox / name}"))

    def put_resumed(vocal: Path, inbox: Path, name: str, between: Between) -> None:
        slow = [*command, "-B", "4096", "-R", "1", "-l", narrow(vocal)]
        words = batch(name, f"put {vocal} {inbox / name}")
        if cut_off([*slow, *words], inbox / name, vocal):
            between()
            run(*command, *batch(name, f"reput {vocal} {inbox / name}"))

    return {f"sftp_{way.__name__}": way for way in (put, put_slowly, put_resumed)}


def lacking() -> str:
    """Why sftp cannot be used; '' if it can."""
    if os.geteuid() != 0 and not SEPARATION.is_dir():
        return f"{SEPARATION} is not there and only root can make it"
    return missing("sshd", "sftp", "ssh-keygen")
