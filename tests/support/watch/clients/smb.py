"""A temporary Samba server that shares the inbox on the loopback interface, and ``smbclient``."""

from __future__ import annotations

import getpass
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from support.watch.clients import Between, Copy, fed, free_port, listening, missing, run

CONFIG = """[global]
server role = standalone server
smb ports = {port}
interfaces = lo
bind interfaces only = yes
disable netbios = yes
load printers = no
printcap name = /dev/null
disable spoolss = yes
map to guest = Bad User
guest account = {user}
pid directory = {root}
lock directory = {root}
state directory = {root}
cache directory = {root}
private dir = {root}
ncalrpc dir = {root}/ncalrpc
log file = {root}/log
max log size = 0
[inbox]
path = {inbox}
guest ok = yes
read only = no
force user = {user}
strict allocate = {strict}
"""


@contextmanager
def served(inbox: Path, root: Path, *, strict_allocate: bool) -> Iterator[dict[str, Copy]]:
    """A temporary server with its files in ``root``, and the ways to copy through it."""
    port, strict = free_port(), "yes" if strict_allocate else "no"
    root.mkdir()
    settings = root / "smb.conf"
    settings.write_text(
        CONFIG.format(port=port, root=root, inbox=inbox, user=getpass.getuser(), strict=strict)
    )
    command = ["smbd", "--foreground", "--no-process-group", f"--configfile={settings}"]
    with (
        (root / "out").open("wb") as out,
        subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True
        ) as server,
    ):
        try:
            listening(port, server, root / "out")
            yield _ways(port, settings, strict, inbox)
        finally:
            server.terminate()


def _ways(port: int, settings: Path, strict: str, share: Path) -> dict[str, Copy]:
    client = ["smbclient", "//127.0.0.1/inbox", "-p", str(port), "-N", "-s", str(settings), "-c"]

    def there(file: Path) -> str:
        return str(file.relative_to(share)).replace("/", "\\")

    def put(vocal: Path, inbox: Path, name: str, between: Between) -> None:
        run(*client, f"put {vocal} {there(inbox / name)}")

    def put_slowly(vocal: Path, inbox: Path, name: str, between: Between) -> None:
        fed([*client, f"put - {there(inbox / name)}"], vocal, between)

    def put_resumed(vocal: Path, inbox: Path, name: str, between: Between) -> None:
        fed([*client, f"put - {there(inbox / name)}"], vocal, between, share=0.6)
        between()
        run(*client, f"reput {vocal} {there(inbox / name)}")

    return {f"smb_{way.__name__}_{strict}": way for way in (put, put_slowly, put_resumed)}


def lacking() -> str:
    """Why Samba cannot be used; '' if it can."""
    return missing("smbd", "smbclient")
