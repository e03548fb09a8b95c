"""The installer where hardly anything is installed, or mounted as an administrator of a server mounts it.

Each message is read here word for word: it must be true, and say what to do.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from support.bundle_stand_in import Computer, need, new_key, run_file

from bundle.carriers.run_file import HEADER
from bundle.tools.signing import SigningKey

COMMANDS = (
    *("cat", "chmod", "cp", "df", "head", "id", "mkdir", "mktemp", "readlink", "rm", "rmdir"),
    *("sha256sum", "tail", "uname", "wc"),
)
"""All that the installer may call; each is in coreutils, and in busybox."""


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> SigningKey:
    need("minisign")
    return new_key(tmp_path_factory.mktemp("keys") / "ours")


@pytest.fixture(scope="module")
def file(key: SigningKey, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return run_file(tmp_path_factory.mktemp("file"), key, "1.9.0")


@pytest.fixture
def computer(tmp_path: Path) -> Computer:
    """A computer with nothing but a shell and :data:`COMMANDS`; ``id`` says that it is root."""
    (tmp_path / "bin").mkdir()
    for name in COMMANDS:
        (tmp_path / "bin" / name).symlink_to(shutil.which(name) or name)
    return Computer(tmp_path, path=str(tmp_path / "bin"))


def test_the_header_lists_what_it_needs() -> None:
    (line,) = (line for line in HEADER.read_text().splitlines() if line.startswith("COMMANDS="))
    assert tuple(line.removeprefix("COMMANDS='").removesuffix("'").split()) == COMMANDS


def test_coreutils_suffice(file: Path, computer: Computer) -> None:
    done = computer.install(file, "--yes")
    assert (done.returncode, done.stderr) == (0, "")
    assert (computer.prefix / "current").exists()
    assert computer.install(file, "--yes").returncode == 0, "once more, as an upgrade"


def test_busybox_suffices(file: Path, computer: Computer) -> None:
    need("busybox")
    for name in COMMANDS:
        (computer.folder / "bin" / name).unlink()
        (computer.folder / "bin" / name).symlink_to(shutil.which("busybox") or "")
    computer.shell = ("busybox", "sh")
    done = computer.install(file, "--yes")
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_is_missing(file: Path, computer: Computer, command: str) -> None:
    (computer.folder / "bin" / command).unlink()
    computer.answers.pop(command, None)
    done = computer.install(file, "--yes")
    assert done.returncode == 1
    assert done.stderr == f"backline: The command {command} is missing; install the package coreutils.\n"
    assert computer.untouched


def test_damage_is_told_from_a_missing_command(file: Path, computer: Computer, tmp_path: Path) -> None:
    data = file.read_bytes().replace(b"usage()", b"usagE()", 1)
    (tmp_path / file.name).write_bytes(data)
    done = computer.install(tmp_path / file.name, "--yes")
    assert done.stderr.endswith("is damaged, or was not run from a file; copy it again.\n")
    assert computer.untouched


def mounting() -> None:
    """Skip the test where no file system can be mounted."""
    words = ["unshare", "--mount", "mount", "-t", "tmpfs", "none", "/mnt"]
    if os.geteuid() != 0 or subprocess.run(words, capture_output=True, check=False).returncode:
        pytest.skip("needs root and a mount namespace")


@pytest.mark.parametrize("option", ["noexec", "ro"])
def test_the_disk_of_the_prefix(file: Path, computer: Computer, option: str) -> None:
    mounting()
    computer.prefix.mkdir()
    computer.before = f"mount -t tmpfs -o {option} none {computer.prefix}"
    done = computer.install(file, "--yes")
    assert done.returncode == 1
    name, prefix = file.name, computer.prefix
    says = {
        "noexec": f"No program can be started from {prefix}: if that disk is mounted noexec, remount it with "
        f"exec; otherwise {name} is damaged: copy it again.",
        "ro": f"{prefix}/staging cannot be written to; if that disk is mounted read-only, remount it.",
    }
    assert done.stderr == f"backline: {says[option]}\n"


def test_a_full_disk(file: Path, computer: Computer) -> None:
    """The space that df promised is gone when the release is unpacked."""
    mounting()
    computer.prefix.mkdir()
    kilobytes = file.stat().st_size // 1024 + 128
    computer.before = f"mount -t tmpfs -o size={kilobytes}k none {computer.prefix}"
    computer.answers["df"] = "echo none 1 1 99999999 1% /"
    done = computer.install(file, "--yes")
    assert done.returncode == 1
    assert "No space left on device" in done.stderr or "could not be copied" in done.stderr
    assert "damaged" not in done.stderr


def test_temporary_folders_are_not_used(file: Path, computer: Computer) -> None:
    """/tmp is noexec and read-only, and there is no /dev/shm."""
    mounting()
    home = computer.folder
    computer.before = (
        f"mkdir {home}/kept && mount --bind {home} {home} && mount -t tmpfs -o ro,noexec none /dev/shm"
        f" && mount -t tmpfs -o ro none /var/tmp"
    )
    done = computer.install(file, "--yes")
    assert (done.returncode, done.stderr) == (0, "")


def test_a_strict_umask(file: Path, computer: Computer) -> None:
    """What is installed can be read by the service's user all the same."""
    computer.shell = ("sh", "-c", 'umask 077; exec /bin/sh "$@"', "sh")
    done = computer.install(file, "--yes")
    assert done.returncode == 0
    release = computer.prefix / "releases" / "1.9.0"
    for path in (release, *release.rglob("*")):
        wanted = 0o755 if path.is_dir() or path.parent.name in ("bin", "libexec") else 0o644
        assert path.stat().st_mode & 0o777 == wanted, path
