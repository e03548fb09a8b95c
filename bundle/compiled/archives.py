"""The libraries that are linked into Python, compiled as static archives."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

from bundle.compiled.compiler import run

JOBS = f"-j{3 * len(os.sched_getaffinity(0))}"
"""More than there are cores, as each process waits for files."""

HOST = "--build=x86_64-pc-linux-gnu"
"""What configure scripts would otherwise guess from the build machine."""

OPTIMISED = "-O2 -fPIC -fvisibility=hidden"
"""The compiler flags of every library.

Its symbols stay inside the program: a package that brings its own copy must not find ours instead.
"""

Recipe = Callable[[Path, Path, dict[str, str]], None]
"""Compiles an unpacked source in its folder, and installs headers and archive below a prefix."""

_UNUSED_IN_OPENSSL = (
    "afalgeng aria bf camellia cast cmp cms comp ct dsa dso dtls engine gost idea legacy md4 mdc2 module ocb "
    "rc2 rc4 rfc3779 rmd160 seed shared siphash siv sm2 sm3 sm4 srp srtp tests ts ui-console whirlpool"
)
"""What neither ``hashlib`` nor ``ssl`` offers; leaving it out saves a quarter of the time for OpenSSL."""


def _zlib(source: Path, prefix: Path, variables: dict[str, str]) -> None:
    run(["./configure", "--static"], source, variables)
    run(["make", JOBS, "libz.a"], source, variables)
    _install(source, prefix, "libz.a", "zlib.h", "zconf.h")


def _bzip2(source: Path, prefix: Path, variables: dict[str, str]) -> None:
    flags = f"{variables['CFLAGS']} -D_FILE_OFFSET_BITS=64"
    run(["make", JOBS, "CC=cc", "AR=ar", "RANLIB=ranlib", f"CFLAGS={flags}", "libbz2.a"], source, variables)
    _install(source, prefix, "libbz2.a", "bzlib.h")


def _xz(source: Path, prefix: Path, variables: dict[str, str]) -> None:
    without = ("xz", "xzdec", "lzmadec", "lzmainfo", "scripts", "doc", "nls", "shared")
    options = [f"--disable-{name}" for name in without]
    run(["./configure", HOST, f"--prefix={prefix}", *options], source, variables)
    run(["make", JOBS, "-C", "src/liblzma", "install"], source, variables)


def _libffi(source: Path, prefix: Path, variables: dict[str, str]) -> None:
    without = ("shared", "docs", "multi-os-directory", "exec-static-tramp")
    options = [f"--disable-{name}" for name in without]
    run(["./configure", HOST, f"--prefix={prefix}", *options], source, variables)
    run(["make", JOBS, "install"], source, variables)


def _sqlite(source: Path, prefix: Path, variables: dict[str, str]) -> None:
    options = ("--disable-shared", "--disable-tcl", "--disable-readline")
    run(["./configure", HOST, *options], source, variables)
    run(["make", "sqlite3.c"], source, variables)
    options = ("-DSQLITE_THREADSAFE=1", "-DSQLITE_OMIT_LOAD_EXTENSION", "-DSQLITE_SECURE_DELETE")
    run(["cc", *variables["CFLAGS"].split(), *options, "-c", "sqlite3.c"], source, variables)
    run(["ar", "rcsD", "libsqlite3.a", "sqlite3.o"], source, variables)
    _install(source, prefix, "libsqlite3.a", "sqlite3.h")


def _openssl(source: Path, prefix: Path, variables: dict[str, str]) -> None:
    options = ["--prefix=/python", "--openssldir=/etc/ssl"]
    options += [f"no-{name}" for name in _UNUSED_IN_OPENSSL.split()]
    run(["./Configure", "linux-x86_64", *options], source, variables)
    run(["make", JOBS, "build_generated"], source, variables)
    run(["make", JOBS, "libcrypto.a", "libssl.a"], source, variables)
    _install(source, prefix, "libcrypto.a")
    _install(source, prefix, "libssl.a")
    shutil.copytree(source / "include" / "openssl", prefix / "include" / "openssl")


def _install(source: Path, prefix: Path, archive: str, *headers: str) -> None:
    for folder, names in (("lib", (archive,)), ("include", headers)):
        (prefix / folder).mkdir(parents=True, exist_ok=True)
        for name in names:
            shutil.copyfile(source / name, prefix / folder / name)


RECIPES: Mapping[str, Recipe] = {
    "openssl": _openssl,
    "sqlite": _sqlite,
    "xz": _xz,
    "libffi": _libffi,
    "zlib": _zlib,
    "bzip2": _bzip2,
}
"""The recipe of each source; those that take longest come first."""
