"""The ``.run`` file: shell header, opener, probe and the release as tar.gz, concatenated."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Mapping
from pathlib import Path

from appliance.releases.contents import PLATFORM, release_comment
from appliance.signatures.minisign import signature_of
from appliance.system.cpu import FLOOR_FLAGS
from bundle.compiled.opener import OPENER, PROBE
from bundle.contents.opener import FOLDER
from bundle.release import Release
from bundle.tools.archive import write_tar_gz
from bundle.tools.elf import Version
from bundle.tools.signing import SigningKey

HEADER = Path(__file__).with_name("header.sh")

END_OF_CHECK = "\n}\n"
"""Ends the first command of the header, which compares the hash of the rest with the recorded one."""

SYSTEMS: dict[str, dict[str, Version]] = {
    "Debian": {"10": (2, 28), "11": (2, 31), "12": (2, 36), "13": (2, 41)},
    "Ubuntu": {"20.04": (2, 31), "22.04": (2, 35), "24.04": (2, 39)},
    "RHEL, Rocky or Alma": {"8": (2, 28), "9": (2, 34), "10": (2, 39)},
    "openSUSE Leap": {"15": (2, 31), "16": (2, 40)},
}
"""The C library version of each release of each system, oldest release first."""


def file_name(version: str) -> str:
    """The name of the ``.run`` file of ``version``."""
    return f"backline-{version}-{PLATFORM}.run"


def systems(floor: Version) -> str:
    """The oldest release of each system that has C library ``floor`` or later, such as "Debian 12"."""
    first = (
        f"{name} {next((number for number, has in releases.items() if has >= floor), '(a future release)')}"
        for name, releases in SYSTEMS.items()
    )
    return ", ".join(first)


def write_run_file(release: Release, dist: Path, key: SigningKey, time_s: int) -> Path:
    """Write the ``.run`` of ``release`` and its signature to ``dist``; each appears complete or not at all.

    ``time_s``, seconds since 1970, dates the entries of the archive.
    """
    dist.mkdir(parents=True, exist_ok=True)
    file = dist / file_name(release.version)
    opener, probe = (release.tree / FOLDER / name for name in (OPENER, PROBE))
    with tempfile.TemporaryDirectory(dir=dist, prefix=".run-") as aside:
        written = Path(aside) / file.name
        with written.open("wb") as stream:
            stream.write(header(release, key, opener.stat().st_size, probe.stat().st_size))
            for part in (opener, probe):
                stream.write(part.read_bytes())
            write_tar_gz(release.tree, stream, time_s)
        written.chmod(0o755)
        signature = key.sign(written, release_comment(release.version))
        written.replace(file)
        signature.replace(signature_of(file))
    return file


def header(release: Release, key: SigningKey, opener_bytes: int, probe_bytes: int) -> bytes:
    """``header.sh`` with every @NAME@ replaced.

    The offsets in it depend on its own length in bytes, so it is filled in until the length is stable.
    """
    facts = {
        "VERSION": release.version,
        "NAME": file_name(release.version),
        "GLIBC": ".".join(map(str, release.glibc)),
        "SYSTEMS": systems(release.glibc),
        "CPU_FLAGS": " ".join(sorted(FLOOR_FLAGS)),
        "INSTALLED_KB": str(release.size_bytes // 1024),
        "KEY": key.line,
        "KEY_ID": key.id,
        "RELEASE_BYTES": str(sum(path.stat().st_size for path in release.tree.rglob("*") if path.is_file())),
        "OPENER_BYTES": str(opener_bytes),
        "PROBE_BYTES": str(probe_bytes),
    }
    length = 0
    while True:
        places = {
            "HEADER_BYTES": str(length),
            "OPENER_AT": str(length + 1),
            "PROBE_AT": str(length + 1 + opener_bytes),
            "RELEASE_AT": str(length + 1 + opener_bytes + probe_bytes),
        }
        filled = _sealed(_filled(HEADER.read_text(), {**facts, **places}))
        if len(filled) == length:
            return filled
        length = len(filled)


def _filled(text: str, facts: Mapping[str, str]) -> str:
    for name, value in facts.items():
        text = text.replace(f"@{name}@", value)
    return text


def _sealed(text: str) -> bytes:
    """The header with the SHA-256 of everything after its first command, which compares that hash."""
    before, follows = text.split(END_OF_CHECK, 1)
    first_line = (before + END_OF_CHECK).count("\n") + 1
    digest = hashlib.sha256(follows.encode()).hexdigest()
    return _filled(text, {"FIRST_LINE": str(first_line), "HEADER_SHA256": digest}).encode()
