"""The Samba share of systemd/README.md, served by a real smbd as it stands there, but for who may log in."""

from __future__ import annotations

import getpass
import grp
import os
import re
import shutil
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.watch.clients import free_port, listening
from support.watch.clients.smb import CONFIG

pytestmark = pytest.mark.service

Share = tuple[Path, list[str]]


@pytest.fixture
def share(root: Path, tmp_path: Path) -> Iterator[Share]:
    """The shared folder, and a client's command line that lacks only what to do."""
    for program in ("smbd", "smbclient"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed")
    page = (root / "systemd" / "README.md").read_text()
    (example,) = re.findall(r"```ini\n(\[backline\]\n.*?)```", page, re.DOTALL)
    folder = tmp_path / "srv"
    (folder / "inbox").mkdir(parents=True)
    group = grp.getgrgid(os.getgid()).gr_name
    ours = {"/srv/backline": str(folder), "valid users = @backline": "guest ok = yes"}
    for theirs, our in {**ours, "force group = backline": f"force group = {group}"}.items():
        assert theirs in example
        example = example.replace(theirs, our)
    port, server = free_port(), tmp_path / "server"
    server.mkdir()
    everything = CONFIG.partition("[inbox]")[0].format(port=port, root=server, user=getpass.getuser())
    settings = server / "smb.conf"
    settings.write_text(everything + example + f"force user = {getpass.getuser()}\n")
    with (
        (server / "out").open("wb") as out,
        subprocess.Popen(
            ["smbd", "--foreground", "--no-process-group", f"--configfile={settings}"],
            stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True,
        ) as process,
    ):  # fmt: skip
        try:
            listening(port, process, server / "out")
            yield (
                folder,
                ["smbclient", "//127.0.0.1/backline", "-p", str(port), "-N", "-s", str(settings), "-c"],
            )
        finally:
            process.terminate()


def test_files_and_folders_are_the_groups(share: Share, tmp_path: Path) -> None:
    folder, client = share
    vocal = tmp_path / "take.wav"
    vocal.write_bytes(b"RIFF")
    vocal.chmod(0o600)
    subprocess.run(
        [*client, f"put {vocal} inbox/take.wav; mkdir inbox/choir"], check=True, stdout=subprocess.PIPE
    )
    mode = stat.S_IMODE((folder / "inbox" / "take.wav").stat().st_mode)
    assert mode & 0o640 == 0o640
    assert mode & 0o113 == 0, "nobody else writes, nothing can be run"
    mode = stat.S_IMODE((folder / "inbox" / "choir").stat().st_mode)
    assert mode & 0o2770 == 0o2770


def test_what_desktops_leave_stays_out(share: Share, tmp_path: Path) -> None:
    folder, client = share
    (tmp_path / "x").touch()
    for name in (".DS_Store", "._take.wav", "Thumbs.db"):
        subprocess.run([*client, f"put {tmp_path / 'x'} inbox/{name}"], stdout=subprocess.PIPE)
    assert list((folder / "inbox").iterdir()) == []
