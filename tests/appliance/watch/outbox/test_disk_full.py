"""A full disk in each folder: the work pauses, reports it, and resumes by itself."""

from __future__ import annotations

import os
import resource
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import pytest
import soundfile
from support.vocals import sung
from support.watch.invariants import at_any_moment, sha256, when_quiet
from support.watch.service import Service

pytestmark = pytest.mark.service

SIZE_KB = 100_000
"""Size of the small file system; it must have room for a result, or the vocal would be rejected."""


@pytest.fixture
def song(tmp_path: Path) -> Path:
    path = tmp_path / "vocal"
    soundfile.write(path, sung(3.0), 44_100, format="WAV")
    return path


def nothing_is_blamed(service: Service, song: Path) -> None:
    """No vocal is lost or rejected, and no result is incomplete."""
    assert at_any_moment(service.config.folders, {"song": sha256(song)}) == []
    counts = service.status()["counts"]
    assert not any(counts.get(state) for state in ("rejected", "rejecting", "quarantined", "gone"))


@pytest.mark.parametrize("largest_bytes", [200_000, 700_000, 900_000])
def test_files_that_may_not_grow(fake_pack: Path, tmp_path: Path, song: Path, largest_bytes: int) -> None:
    """A limit on file size simulates a full disk without root or a mount.

    The decoded vocal has 529 kB, each result 794 kB, the working sound 1,058 kB.
    """
    with Service(tmp_path / "root", fake_pack) as service:
        service.start(("prlimit", f"--fsize={largest_bytes}:unlimited"))
        service.drop(song, "song.wav")
        service.until(lambda: "The disk refuses" in service.log, "for the pause")
        nothing_is_blamed(service, song)
        status = service.status()
        for pid in (service.process.pid, status["engine_pid"]):
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        service.until_quiet()
        assert when_quiet(service.config.folders, {"song": sha256(song)}) == []
        assert service.status()["counts"] == {"done": 1}


def _mounted(place: Path) -> bool:
    command = ["mount", "-t", "tmpfs", "-o", f"size={SIZE_KB}k", "none", place]
    return subprocess.run(command, check=False).returncode == 0


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    place = tmp_path / "small"
    place.mkdir()
    if os.geteuid() != 0 or not _mounted(place):
        pytest.skip("only root can mount a small file system here")
    yield place
    subprocess.run(["umount", "-l", place], check=True)


def with_room(place: Path, kilobytes: int) -> IO[bytes]:
    """Leave this much free space in ``place`` until the returned, unnamed file is closed."""
    filler = tempfile.TemporaryFile(dir=place)  # noqa: SIM115  the caller closes it
    os.posix_fallocate(filler.fileno(), 0, (SIZE_KB - kilobytes) * 1024)
    return filler


@pytest.mark.privileged
@pytest.mark.parametrize(
    ("which", "kilobytes"),
    [("outbox", 300), ("outbox", 700), ("archive", 100), ("rejected", 8), ("state", 1000)],
)
def test_a_full_file_system(
    small: Path, fake_pack: Path, tmp_path: Path, song: Path, which: str, kilobytes: int
) -> None:
    service = Service(tmp_path / "root", fake_pack, {"space": {"least_free_mb": 0, "resume_free_mb": 0}})
    (service.root / which).rmdir()
    (service.root / which).symlink_to(small)
    if which == "rejected":
        song.write_bytes(b"RIFF" + bytes(range(256)) * 100)
    with service:
        filler = with_room(small, kilobytes)
        service.start()
        if which == "state":  # the service cannot start without room for its journal
            service.until(lambda: service.status().get("state") == "idle")
            subprocess.run(["dd", "if=/dev/zero", f"of={small / 'filler'}"], check=False, capture_output=True)
        service.drop(song, "song.wav")
        told = ("free some space", "GB of disk", "cannot be put away", "cannot be used")
        service.until(lambda: any(word in service.log for word in told), "for trouble")
        assert at_any_moment(service.config.folders, {"song": sha256(song)}) == []
        filler.close()
        service.until_quiet()
        assert when_quiet(service.config.folders, {"song": sha256(song)}) == []
        assert service.status()["counts"] == {"rejected" if which == "rejected" else "done": 1}
        assert service.stop() == 0
