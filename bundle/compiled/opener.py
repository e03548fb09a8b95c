"""The opener: a static program that verifies a release file and unpacks it before anything else is there.

``opener/`` holds its source. libsodium verifies the signature, zlib decompresses, and musl is the C library,
so it runs on every Linux. ``c_library`` is linked dynamically and prints the version of the C library.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from bundle.compiled.compiler import Compiler, run
from bundle.compiled.sources import Lock

SOURCES = Path(__file__).with_name("opener")

LINKED = ("libsodium", "zlib")
"""The sources linked into the opener, besides musl."""

BROUGHT = {"musl": "lib/libc/musl/COPYRIGHT", "zig": "LICENSE"}
"""What the compiler itself links into both programs, with the file that holds its licence."""

OPENER, PROBE = "opener", "c_library"
"""The programs."""

PROBE_TARGET = "x86_64-linux-gnu.2.17"
"""Older than any system that could be meant, so that the probe starts and says what is there."""

_SODIUM = (
    *("crypto_core", "crypto_generichash", "crypto_hash", "crypto_onetimeauth", "crypto_pwhash"),
    *("crypto_scalarmult", "crypto_sign", "crypto_stream", "crypto_verify", "randombytes", "sodium"),
)
"""Folders of libsodium; what no function of ours reaches is left out of the program."""

_ZLIB = ("adler32", "crc32", "inffast", "inflate", "inftrees", "zutil")

_FLAGS = ("-Os", "-s", "-std=gnu11", "-ffunction-sections", "-fdata-sections", "-Wl,--gc-sections")


def make_opener(
    lock: Lock, compiler: Compiler, work: Path, made: Path, unpacked: Callable[[str], Path]
) -> None:
    """Compile both programs into the folder ``made``; ``unpacked`` gives the root of a source."""
    static = work / "bin-static"
    compiler.programs(static, "x86_64-linux-musl", work / "prefix-static")
    variables = compiler.variables(static, lock.date_s)
    sodium = _configured(unpacked("libsodium"), lock.sources["libsodium"].version)
    zlib = unpacked("zlib")
    include = sodium / "src" / "libsodium" / "include"
    parts = [path for name in _SODIUM for path in (sodium / "src" / "libsodium" / name).rglob("*.c")]
    parts += [zlib / f"{name}.c" for name in _ZLIB]
    own = [SOURCES / f"{name}.c" for name in ("main", "unpack", "verify")]
    run(
        [
            *("cc", *_FLAGS, "-static", "-w", f"-I{include}", f"-I{include / 'sodium'}", f"-I{zlib}"),
            *("-DCONFIGURED=1", "-DNATIVE_LITTLE_ENDIAN=1", "-DHAVE_TI_MODE=1", "-DDEV_MODE=0"),
            "-o",
            made / OPENER,
            *own,
            *sorted(parts),
        ],
        work,
        variables,
    )
    dynamic = work / "bin-probe"
    compiler.programs(dynamic, PROBE_TARGET, work / "prefix-static")
    run(
        ["cc", *_FLAGS, "-o", made / PROBE, SOURCES / f"{PROBE}.c"],
        work,
        compiler.variables(dynamic, lock.date_s),
    )


def _configured(sodium: Path, version: str) -> Path:
    """libsodium's ``version.h``, which its configure script would write."""
    folder = sodium / "src" / "libsodium" / "include" / "sodium"
    text = (folder / "version.h.in").read_text()
    facts = {"VERSION": version, "SODIUM_LIBRARY_VERSION_MAJOR": "10", "SODIUM_LIBRARY_VERSION_MINOR": "3"}
    for name, value in facts.items():
        text = text.replace(f"@{name}@", value)
    (folder / "version.h").write_text(re.sub(r"@\w+@", "", text))
    return sodium
