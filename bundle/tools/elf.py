"""What an ELF file asks of the system, as binutils' readelf tells it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bundle.errors import BundleError
from bundle.tools.programs import output, program

Version = tuple[int, int]

_DYNAMIC = re.compile(r"\((NEEDED|RPATH|RUNPATH)\).*\[(.*)\]")
_ASKED = re.compile(r"Name: GLIBC_(\S+)")
_BY_FEATURE: dict[str, Version] = {"ABI_DT_RELR": (2, 36)}
"""Features of the C library that are asked for by name: the version that brought them."""


@dataclass(frozen=True, slots=True)
class Elf:
    """Sonames it needs, its own search path, and the newest C library any of its symbols asks for.

    ``alone``: the path is of the kind (RUNPATH) that keeps the loader from looking where the executable
    says as well.
    """

    needs: tuple[str, ...]
    search: tuple[str, ...]
    alone: bool
    glibc: Version


def is_elf(file: Path) -> bool:
    """Whether ``file`` begins as an ELF file does."""
    with file.open("rb") as stream:
        return stream.read(4) == b"\x7fELF"


def elf_files(folder: Path) -> Iterator[Path]:
    """Every ELF file below ``folder``, in order; static libraries and objects are none."""
    for file in sorted(folder.rglob("*")):
        if file.is_file() and not file.is_symlink() and file.suffix != ".o" and is_elf(file):
            yield file


def read_elf(file: Path) -> Elf:
    """The dynamic section and the version needs of ``file``."""
    text = output(program("readelf"), "-dVW", file)
    found: dict[str, list[str]] = {"NEEDED": [], "RPATH": [], "RUNPATH": []}
    for kind, value in _DYNAMIC.findall(text):
        found[kind].append(value)
    search = [part for line in found["RPATH"] + found["RUNPATH"] for part in line.split(":") if part]
    needs = text.partition("Version needs section")[2]
    asked = [_version(file, name) for name in _ASKED.findall(needs)]
    alone = bool(found["RUNPATH"])
    return Elf(tuple(found["NEEDED"]), tuple(search), alone, max(asked, default=(2, 0)))


def _version(file: Path, name: str) -> Version:
    if name in _BY_FEATURE:
        return _BY_FEATURE[name]
    if not re.fullmatch(r"\d+(\.\d+)+", name):
        raise BundleError(
            f"{file} asks for GLIBC_{name}, which no C library promises to keep; leave that file out, or "
            "name the version that brought it in bundle/tools/elf.py."
        )
    major, minor = name.split(".")[:2]
    return int(major), int(minor)
