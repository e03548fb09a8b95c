"""Files that real programs copy into the inbox are accepted once, when complete, and archived unchanged.

Each copy pauses in the middle for several settle times, and the test checks that nothing was accepted. The
inbox is on a local file system, where the service detects writers and gaps, and on one that it regards as a
network share, where only settling and the content count.
"""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np
import pytest
import soundfile
from support.vocals import sung
from support.watch.clients import Copy, local, rsync, sftp, smb
from support.watch.invariants import sha256, when_quiet
from support.watch.service import Service

pytestmark = pytest.mark.service

SETTLE_S = 0.4
SETTINGS = {
    "intake": {"settle_s": SETTLE_S, "patience_s": 3600.0, "silent_tail_s": 3600.0},
    "work": {"attempts": 100},
}
HEADER_BYTES = 256
SERVED = [f"smb_{way}_{strict}" for way in ("put", "put_slowly", "put_resumed") for strict in ("no", "yes")]
SERVED += [f"sftp_{way}" for way in ("put", "put_slowly", "put_resumed")]


class Station:
    """A running service, the servers that write to its inbox, and the dropped vocals."""

    def __init__(self, service: Service, held: ExitStack) -> None:
        self.service, self.held = service, held
        self.dropped: dict[str, str] = {}
        self.ways: dict[str, Copy] = {**local.WAYS, **rsync.WAYS}

    @property
    def inbox(self) -> Path:
        return self.service.root / "inbox"

    def way(self, name: str) -> Copy:
        """The way to copy with this name; starts its server if needed, skips if a program is missing."""
        client = {"smb": smb, "rsync": rsync, "sftp": sftp}.get(name.partition("_")[0], local)
        reason = client.lacking()
        if name == "moved_over":
            reason = local.lacking_elsewhere(self.inbox)
        if reason:
            pytest.skip(reason)
        if name in ("moved_over", "marked"):
            return {"moved_over": local.moved_over, "marked": local.marked}[name]
        if name not in self.ways:
            root = self.service.root / f"server-{name}"
            if client is smb:
                strict = name.endswith("yes")
                self.ways |= self.held.enter_context(smb.served(self.inbox, root, strict_allocate=strict))
            else:
                self.ways |= self.held.enter_context(sftp.served(root))
        return self.ways[name]

    def copied(self, way: str, vocal: Path) -> None:
        """Copy ``vocal`` in that way and check the result."""
        name, copy = f"{way}.wav", self.way(way)
        with vocal.open("r+b") as file:  # make each recording different
            file.seek(HEADER_BYTES + 6 * len(self.dropped))
            file.write(b"\x01")
        lines = self.service.log.count("\n")

        def between() -> None:
            time.sleep(3 * SETTLE_S)
            self.not_taken(name, lines)

        copy(vocal, self.inbox, name, between)
        self.dropped[name] = sha256(vocal)
        self.service.until(lambda: f"name={name} to=" in self.service.log, f"for {name}")
        said = self.service.log.splitlines()[lines:]
        assert sum("Published." in line and f"name={name} " in line for line in said) == 1
        assert not any("Rejected." in line for line in said)
        assert sha256(self.service.root / "archive" / name) == sha256(vocal)
        receipt = self.service.root / "outbox" / way / f"{way}.receipt.json"
        assert json.loads(receipt.read_text())["vocal"]["sha256"] == sha256(vocal)

    def not_taken(self, name: str, lines: int) -> None:
        """Check that the incomplete file was neither published nor rejected; an attempt may have failed."""
        said = [line for line in self.service.log.splitlines()[lines:] if f"name={name} " in line]
        early = [line for line in said if any(w in line for w in ("Published.", "Rejected.", "Put away."))]
        assert early == [], "\n".join(said)


@contextmanager
def overlaid(inbox: Path) -> Iterator[None]:
    """Mount a file system over the inbox on which the service cannot detect writers and gaps."""
    places = [inbox.with_name(f"inbox {part}") for part in ("lower", "upper", "work")]
    for place in places:
        place.mkdir()
    options = "lowerdir={},upperdir={},workdir={}".format(*places)
    if (
        os.geteuid() != 0
        or subprocess.run(
            ["mount", "-t", "overlay", "overlay", "-o", options, inbox], check=False, capture_output=True
        ).returncode
    ):
        pytest.skip("only root can mount a file system here")
    try:
        (inbox / ".backline").touch()
        yield
    finally:
        subprocess.run(["umount", "-l", inbox], check=True)


@pytest.fixture(scope="module")
def vocal(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """1.2 MB, more than any program buffers."""
    path = tmp_path_factory.mktemp("vocals") / "song.wav"
    soundfile.write(path, np.stack([sung(2.0, 96_000)] * 2, 1), 96_000, subtype="PCM_24")
    return path


@pytest.fixture(scope="module", params=["local", pytest.param("share", marks=pytest.mark.privileged)])
def station(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, fake_pack: Path
) -> Iterator[Station]:
    root = tmp_path_factory.mktemp(request.param)
    with Service(root, fake_pack, SETTINGS) as service, ExitStack() as held:
        if request.param == "share":
            held.enter_context(overlaid(root / "inbox"))
        service.start()
        station = Station(service, held)
        service.until(lambda: "Ready." in service.log)
        yield station
        service.until_quiet()
        assert service.stop() == 0
        assert when_quiet(service.config.folders, station.dropped) == []


@pytest.mark.parametrize("way", [*local.WAYS, "moved_over", *rsync.WAYS, *SERVED])
def test_none_is_taken_early_or_twice(station: Station, vocal: Path, way: str) -> None:
    station.copied(way, vocal)


def test_a_vocal_waits_for_its_marker(tmp_path: Path, fake_pack: Path, vocal: Path) -> None:
    settings = {**SETTINGS, "intake": {**SETTINGS["intake"], "require_done_marker": True}}
    with Service(tmp_path, fake_pack, settings) as service, ExitStack() as held:
        service.start()
        service.until(lambda: "Ready." in service.log)
        Station(service, held).copied("marked", vocal)
        assert (tmp_path / "archive" / "marked.wav.done").is_file()
        assert service.stop() == 0
        assert service.log.count("its done marker is missing") == 1
