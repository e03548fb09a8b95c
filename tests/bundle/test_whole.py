"""The release tree that `make bundle` built: complete, fully licensed and self-contained."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from elftools.elf.elffile import ELFFile
from packaging.utils import canonicalize_name

from bundle.compiled.libm import SONAME, VECTORS_SONAME
from bundle.compiled.sources import read_lock
from bundle.contents.libraries import GLIBC, LIBRARIES, outsiders
from bundle.contents.packages import FLOOR
from bundle.tools.elf import elf_files, read_elf


@pytest.fixture(scope="module")
def tree(root: Path) -> Path:
    found = sorted((root / "build" / "tree").glob("backline-*/release.json"))
    if not found:
        pytest.skip("no release is built here; make bundle")
    return found[-1].parent


@pytest.fixture(scope="module")
def bill(tree: Path) -> dict[str, Any]:
    return json.loads((tree / "share" / "sbom.cdx.json").read_text())


def test_every_file_is_listed(tree: Path) -> None:
    facts = json.loads((tree / "release.json").read_text())
    there = {str(path.relative_to(tree)) for path in tree.rglob("*") if not path.is_dir()}
    assert there == {*facts["files"], "release.json"}
    for name, said in facts["files"].items():
        data = (tree / name).read_bytes()
        assert (len(data), hashlib.sha256(data).hexdigest()) == (said["bytes"], said["sha256"]), name
        assert f"{(tree / name).stat().st_mode & 0o7777:04o}" == said["mode"], name


def test_the_bill_keeps_to_the_schema(tree: Path) -> None:
    text = (tree / "share" / "sbom.cdx.json").read_text()
    assert JsonStrictValidator(SchemaVersion.V1_5).validate_str(text) is None


def test_every_package_is_in_the_bill_with_the_hash_of_the_lock(
    root: Path, tree: Path, bill: dict[str, Any]
) -> None:
    (packages,) = tree.glob("python/lib/python3.*/site-packages")
    installed = {(canonicalize_name(each.name), each.version) for each in distributions(path=[str(packages)])}
    listed = [bill["metadata"]["component"], *bill["components"]]
    by_name = {(part["name"], part["version"]): part for part in listed}
    assert installed <= set(by_name)
    assert not {"pip", "setuptools", "wheel", "flit-core"} & {name for name, _ in installed}
    lock = (root / "requirements" / "runtime.txt").read_text()
    for name, version in installed - {(part["name"], part["version"]) for part in listed[:1]}:
        assert by_name[name, version]["hashes"][0]["content"] in lock, name


def test_every_library_is_in_the_bill(tree: Path, bill: dict[str, Any]) -> None:
    copied = {file.name for file in (tree / "python" / "lib").glob("*.so*")}
    assert copied == {library.soname for library in LIBRARIES} | {SONAME, VECTORS_SONAME, "libz.so.1"}
    listed = {part["name"] for part in bill["components"] if part.get("purl", "").startswith("pkg:deb/")}
    assert listed == {library.package for library in LIBRARIES} | read_lock().sources.keys()
    assert {"musl-of-zig", "zig-of-zig"} <= {part["name"] for part in bill["components"]}


def symbols(file: Path) -> set[str]:
    """The functions that ``file`` offers to other files or takes from them."""
    with file.open("rb") as stream:
        table = ELFFile(stream).get_section_by_name(".dynsym")
        return {symbol.name for symbol in table.iter_symbols()} if table else set()


def test_packages_find_no_library_inside_python(tree: Path) -> None:
    """cryptography brings an OpenSSL of its own, and must not get ours."""
    program = tree / "python" / "bin" / "python3"
    ours = {name for name in symbols(program) if not name.lstrip("_").startswith("Py")}
    with program.open("rb") as stream:
        table = ELFFile(stream).get_section_by_name(".dynsym")
        ours -= {symbol.name for symbol in table.iter_symbols() if symbol.entry.st_shndx == "SHN_UNDEF"}
    assert "PyObject_Call" in symbols(program) and len(ours) < 400
    for file in elf_files(tree / "python"):
        if file != program:
            assert not (ours - {"_start", ""}) & symbols(file), file


def test_what_is_linked_into_python_says_the_version_of_the_bill(tree: Path, bill: dict[str, Any]) -> None:
    """Each library tells its own version at run time."""
    script = """
import sqlite3, ssl, sys, zlib
print("python", sys.version.split()[0])
print("sqlite", sqlite3.sqlite_version)
print("openssl", ssl.OPENSSL_VERSION.split()[1])
print("zlib", zlib.ZLIB_RUNTIME_VERSION)
"""
    python = tree / "python" / "bin" / "python3"
    done = subprocess.run([python, "-I", "-B", "-c", script], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    for line in done.stdout.splitlines():
        name, version = line.split()
        assert version in {part["version"] for part in bill["components"] if part["name"] == name}, name


def test_no_licence_is_missing(tree: Path, bill: dict[str, Any]) -> None:
    for part in [bill["metadata"]["component"], *bill["components"]]:
        assert part["licenses"][0]["expression"], part["name"]
        said = {fact["name"]: fact["value"] for fact in part["properties"]}
        texts = list((tree / said["backline:licence_texts"]).iterdir())
        assert texts, part["name"]
        assert all(text.stat().st_size > 50 for text in texts), part["name"]


def test_it_requires_only_the_c_library(tree: Path) -> None:
    assert outsiders(tree) == []
    newest = max(read_elf(file).glibc for file in elf_files(tree))
    assert json.loads((tree / "release.json").read_text())["glibc"] == ".".join(map(str, newest))
    assert newest <= FLOOR


def test_it_loads_nothing_from_outside_but_the_c_library(tree: Path) -> None:
    """The libraries mapped once every package is imported and a graph is compiled."""
    script = """
import hashlib, sqlite3, ctypes, bz2, lzma, ssl, uuid
import numpy, soundfile, soxr, tinysoundfont, pydantic, click, rich, mido, prometheus_client
import openvino as ov
model = ov.Model([ov.opset13.result(ov.opset13.relu(p := ov.opset13.parameter([1, 4])))], [p])
ov.Core().compile_model(model, "CPU")
hashlib.new("sha256"), hashlib.new("blake2b"); import _blake2
print(open("/proc/self/maps").read())
"""
    python = tree / "python" / "bin" / "python3"
    done = subprocess.run(
        [python, "-I", "-B", "-c", script],
        env={"PATH": os.environ["PATH"]}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    mapped = {Path(found) for found in re.findall(r" (/\S+\.so\S*)", done.stdout)}
    outside = {path.name for path in mapped if not path.is_relative_to(tree)}
    assert {name for name in outside if not GLIBC.fullmatch(name)} == set()
    assert not {SONAME, VECTORS_SONAME} & outside, "the system's mathematics would change the music"
    assert tree / "python" / "lib" / SONAME in mapped
    assert any("openvino_intel_cpu" in path.name for path in mapped)


def test_nothing_was_compiled_by_looking_at_times(tree: Path) -> None:
    """Flags of a .pyc (PEP 552): 1 is a hash that is never compared with the source."""
    compiled = sorted(tree.rglob("*.pyc"))
    assert len(compiled) > 1000
    assert {file.read_bytes()[4:8] for file in compiled} == {b"\x01\0\0\0"}
