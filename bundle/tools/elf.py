"""What an ELF file requires: shared libraries, where it looks for them, and the C library's version."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from elftools.common.exceptions import ELFError
from elftools.elf.dynamic import DynamicSegment
from elftools.elf.elffile import ELFFile
from elftools.elf.gnuversions import GNUVerDefSection, GNUVerNeedSection, GNUVerSymSection
from elftools.elf.sections import SymbolTableSection

from bundle.errors import BundleError

Version = tuple[int, int]
"""Major and minor number of a GNU C library."""

OLDEST: Version = (2, 0)
"""Reported for a file whose symbols name no version of the C library."""

_PREFIX = "GLIBC_"
_VERSION_INDEX = 0x7FFF
"""The other bit of a version's index means that the linker does not offer it to new programs."""

_BY_FEATURE: dict[str, Version] = {"ABI_DT_RELR": (2, 36)}
"""C library features that files require by name, with the version that introduced each."""


@dataclass(frozen=True, slots=True)
class Elf:
    """The requirements of one ELF file.

    Attributes:
        needs: sonames of the libraries it is linked with (DT_NEEDED), in file order.
        search: its own search path (DT_RPATH, then DT_RUNPATH), split at the colons.
        alone: it has a RUNPATH, so the loader ignores the executable's RPATH for this file.
        glibc: the newest C library version that one of its symbols requires.
    """

    needs: tuple[str, ...]
    search: tuple[str, ...]
    alone: bool
    glibc: Version


def is_elf(file: Path) -> bool:
    """Whether ``file`` starts with the ELF magic number."""
    with file.open("rb") as stream:
        return stream.read(4) == b"\x7fELF"


def elf_files(folder: Path) -> Iterator[Path]:
    """Every program and shared library below ``folder``, sorted; object files (``.o``) are skipped."""
    for file in sorted(folder.rglob("*")):
        if file.is_file() and not file.is_symlink() and file.suffix != ".o" and is_elf(file):
            yield file


def read_elf(file: Path) -> Elf:
    """The requirements of ``file``; :class:`BundleError` if it cannot be parsed."""
    try:
        with file.open("rb") as stream:
            elf = ELFFile(stream)
            dynamic = _dynamic(elf)
            required = list(_required(elf))
    except ELFError as error:
        message = f"{file} is a damaged ELF file ({error}); reinstall the package that it belongs to."
        raise BundleError(message) from error
    return Elf(
        needs=tuple(dynamic["DT_NEEDED"]),
        search=tuple(
            part for path in dynamic["DT_RPATH"] + dynamic["DT_RUNPATH"] for part in path.split(":") if part
        ),
        alone=bool(dynamic["DT_RUNPATH"]),
        glibc=max((_version(file, name) for name in required), default=OLDEST),
    )


def wanted_symbols(file: Path, soname: str) -> set[tuple[str, str]]:
    """Name and version of every function that ``file`` takes from the library ``soname``."""
    with file.open("rb") as stream:
        elf = ELFFile(stream)
        versions = {
            symbol.entry.vna_other: symbol.name
            for section in elf.iter_sections("SHT_GNU_verneed")
            if isinstance(section, GNUVerNeedSection)
            for library, symbols in section.iter_versions()
            if library.name == soname
            for symbol in symbols
        }
        return {
            (name, versions[index]) for name, index, here in _symbols(elf) if not here and index in versions
        }


def offered_symbols(file: Path) -> set[tuple[str, str]]:
    """Name and version of every function of the library ``file``."""
    with file.open("rb") as stream:
        elf = ELFFile(stream)
        versions = {
            version.entry.vd_ndx: next(iter(names)).name
            for section in elf.iter_sections("SHT_GNU_verdef")
            if isinstance(section, GNUVerDefSection)
            for version, names in section.iter_versions()
        }
        return {(name, versions[index]) for name, index, here in _symbols(elf) if here and index in versions}


def _symbols(elf: ELFFile) -> Iterator[tuple[str, int, bool]]:
    """Name, version index, and whether it is defined here, of each dynamic symbol with a version."""
    table, versions = elf.get_section_by_name(".dynsym"), elf.get_section_by_name(".gnu.version")
    if not (isinstance(table, SymbolTableSection) and isinstance(versions, GNUVerSymSection)):
        return
    for symbol, version in zip(table.iter_symbols(), versions.iter_symbols(), strict=True):
        index = version.entry["ndx"]
        if isinstance(index, int):  # otherwise the name of a reserved index: no version
            yield symbol.name, index & _VERSION_INDEX, symbol.entry.st_shndx != "SHN_UNDEF"


def _dynamic(elf: ELFFile) -> dict[str, list[str]]:
    """The strings of the dynamic segment, by their tag."""
    found: dict[str, list[str]] = {"DT_NEEDED": [], "DT_RPATH": [], "DT_RUNPATH": []}
    for segment in elf.iter_segments("PT_DYNAMIC"):
        assert isinstance(segment, DynamicSegment)
        for tag in segment.iter_tags():
            kind = tag.entry.d_tag
            if kind in found:
                found[kind].append(getattr(tag, kind.removeprefix("DT_").lower()))
    return found


def _required(elf: ELFFile) -> Iterator[str]:
    """Versions and features of the C library that symbols require, without their prefix.

    Symbols of other libraries carry other prefixes, such as ``GCC_`` and ``OPENSSL_``.
    """
    for section in elf.iter_sections("SHT_GNU_verneed"):
        assert isinstance(section, GNUVerNeedSection)
        for _, symbols in section.iter_versions():
            for symbol in symbols:
                if symbol.name.startswith(_PREFIX):
                    yield symbol.name.removeprefix(_PREFIX)


def _version(file: Path, name: str) -> Version:
    """The C library that introduced the symbol version or feature ``GLIBC_name``."""
    if name in _BY_FEATURE:
        return _BY_FEATURE[name]
    if not re.fullmatch(r"\d+(\.\d+)+", name):
        raise BundleError(
            f"{file} requires GLIBC_{name}, an internal interface that may change with any C library; leave "
            "that file out, or add the version that introduced it to bundle/tools/elf.py."
        )
    major, minor = name.split(".")[:2]
    return int(major), int(minor)
